/**
 * Officers drawn once for each state and course, then only copied: a frame of ten thousand is ten thousand blits. Without a
 * GPU a blit costs what it covers, and twice that between pixels: so signs are cut close and lie on whole pixels.
 */

import { token } from "../kit/theme.js";
import { STATES } from "../state/display.js";

const COURSES = 48;
/** How far signs reach from their middle, with their edges: rings and diamonds, and all others. */
const WIDE_PX = 14;
const NARROW_PX = 11;
const TURN = Math.PI * 2;
/** Column of a mover whose course is unknown. */
const NO_COURSE = COURSES;

/** @typedef {import("../state/display.js").State} State */

export class Sprites {
  #atlas = document.createElement("canvas");
  #ratio = 1;
  /** Half a cell of the atlas, device pixels. */
  #middle = WIDE_PX;
  /** What of a cell holds the sign, by state, device pixels from the middle. */
  #reach = new Int32Array(STATES.length);
  /** @type {Record<State | "warn" | "text" | "panel" | "label", string>} */
  colours = /** @type {any} */ ({});

  /** Draw the atlas with the colours of the theme in force. @param {number} ratio device pixels per pixel */
  build(ratio) {
    this.#ratio = ratio;
    this.#middle = Math.ceil(WIDE_PX * ratio);
    STATES.forEach((state, i) => {
      this.#reach[i] = Math.ceil((state === "sos" || state === "rec" ? WIDE_PX : NARROW_PX) * ratio);
    });
    this.#readColours();
    this.#atlas.width = 2 * this.#middle * (COURSES + 1);
    this.#atlas.height = 2 * this.#middle * (STATES.length + 1);
    const context = /** @type {CanvasRenderingContext2D} */ (this.#atlas.getContext("2d"));
    STATES.forEach((state, row) => {
      for (let column = 0; column <= COURSES; column++) this.#cell(context, state, row, column, true);
    });
    for (let column = 0; column <= COURSES; column++) this.#cell(context, "rec", STATES.length, column, false);
  }

  #readColours() {
    const duty = token("--duty");
    const off = token("--off");
    this.colours = {
      sos: token("--sos"),
      rec: token("--rec"),
      duty,
      stale: duty,
      nofix: duty,
      nosignal: token("--warn"),
      unknown: off,
      sleep: off,
      off,
      warn: token("--warn"),
      text: token("--text"),
      panel: token("--panel"),
      label: token("--label"),
    };
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {State} state
   * @param {number} row
   * @param {number} column
   * @param {boolean} fresh
   */
  #cell(context, state, row, column, fresh) {
    const middle = this.#middle;
    context.save();
    context.translate((2 * column + 1) * middle, (2 * row + 1) * middle);
    context.scale(this.#ratio, this.#ratio);
    const course = column === NO_COURSE ? null : (column / COURSES) * TURN;
    if (state === "sos") drawDiamond(context, this.colours.sos);
    else if (state === "rec") drawRecording(context, this.colours.rec, this.colours.panel, course, fresh);
    else if (state === "duty") drawMover(context, this.colours.duty, this.colours.panel, course, true);
    else drawHollow(context, this.colours[state], this.colours.panel, state);
    context.restore();
  }

  /**
   * Copy a mover to the map.
   * @param {CanvasRenderingContext2D} context
   * @param {number} state index into `STATES`
   * @param {number} course radians, NaN when unknown
   * @param {boolean} fresh whether the fix is young
   * @param {number} x
   * @param {number} y
   */
  draw(context, state, course, fresh, x, y) {
    const column = course !== course ? NO_COURSE : Math.round((course / TURN) * COURSES + COURSES) % COURSES;
    const row = !fresh && STATES[state] === "rec" ? STATES.length : state;
    const ratio = this.#ratio;
    const reach = this.#reach[state];
    const left = (2 * column + 1) * this.#middle - reach;
    const top = (2 * row + 1) * this.#middle - reach;
    const toX = Math.round(x * ratio - reach) / ratio;
    const toY = Math.round(y * ratio - reach) / ratio;
    const size = (2 * reach) / ratio;
    context.drawImage(this.#atlas, left, top, 2 * reach, 2 * reach, toX, toY, size, size);
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} course radians from north, clockwise
 */
function arrow(context, course) {
  context.rotate(course);
  context.beginPath();
  context.moveTo(0, -8.5);
  context.lineTo(6.3, 7);
  context.lineTo(0, 4);
  context.lineTo(-6.3, 7);
  context.closePath();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {string} colour
 * @param {string} edge
 * @param {number | null} course
 * @param {boolean} filled
 */
function drawMover(context, colour, edge, course, filled) {
  if (course === null) {
    context.beginPath();
    context.arc(0, 0, 5, 0, TURN);
  } else arrow(context, course);
  context.lineJoin = "round";
  context.lineWidth = 2.5;
  context.strokeStyle = edge;
  context.stroke();
  context.fillStyle = filled ? colour : edge;
  context.fill();
  if (filled) return;
  context.lineWidth = 1.6;
  context.strokeStyle = colour;
  context.stroke();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {string} colour
 * @param {string} edge
 * @param {number | null} course
 * @param {boolean} fresh
 */
function drawRecording(context, colour, edge, course, fresh) {
  context.beginPath();
  context.arc(0, 0, 12, 0, TURN);
  context.lineWidth = 3.4;
  context.strokeStyle = edge;
  context.stroke();
  context.lineWidth = 1.8;
  context.strokeStyle = colour;
  context.stroke();
  drawMover(context, colour, edge, course, fresh);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {string} colour
 */
function drawDiamond(context, colour) {
  context.rotate(Math.PI / 4);
  context.fillStyle = colour;
  context.fillRect(-8.5, -8.5, 17, 17);
  context.lineWidth = 1.8;
  context.strokeStyle = "#ffffff";
  context.strokeRect(-8.5, -8.5, 17, 17);
}

/**
 * A position that is not the present.
 * @param {CanvasRenderingContext2D} context
 * @param {string} colour
 * @param {string} ground
 * @param {State} state
 */
function drawHollow(context, colour, ground, state) {
  const present = state === "stale" || state === "nofix" || state === "nosignal";
  context.beginPath();
  context.arc(0, 0, present ? 5.5 : 4, 0, TURN);
  context.fillStyle = ground;
  context.fill();
  context.lineWidth = present ? 2 : 1.6;
  context.strokeStyle = colour;
  context.stroke();
  if (state !== "nosignal") return;
  context.beginPath();
  context.moveTo(-3.6, -3.6);
  context.lineTo(3.6, 3.6);
  context.stroke();
}
