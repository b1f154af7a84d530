/**
 * Who looks, over every picture: a photograph of the screen says whose desk it was and when. Its style stands inline and
 * important, so no style sheet takes it away, and `keep` puts back what was removed by hand.
 */

import { h } from "../kit/dom.js";
import { clock, day } from "../kit/format.js";
import { me } from "../net/session.js";
import { serverNow } from "../net/stream.js";

const WIDTH_PX = 300;
const HEIGHT_PX = 120;
const TILT = -0.32;
/** The pattern moves on by itself, so that nothing stays hidden below it and no screen keeps it. */
const STEP_MS = 10_000;
const STEP_PX = 17;

const STYLE = {
  display: "block",
  position: "absolute",
  inset: "0",
  opacity: "1",
  visibility: "visible",
  "pointer-events": "none",
  "background-repeat": "repeat",
};

const tile = document.createElement("canvas");
let drawn = { text: "", url: "" };

/** `王调度 dispatcher1 2026-11-26 14:32`. */
export function viewerStamp() {
  const now_ms = serverNow();
  const { display_name = "", username = "" } = me.value ?? {};
  const name = display_name && display_name !== username ? `${display_name} ${username}` : username;
  return `${name} ${day(now_ms)} ${clock(now_ms).slice(0, 5)}`;
}

/** One tile of the pattern, drawn again when the minute is another one. */
function pattern() {
  const text = viewerStamp();
  if (text === drawn.text) return drawn;
  tile.width = WIDTH_PX;
  tile.height = HEIGHT_PX;
  const context = /** @type {CanvasRenderingContext2D} */ (tile.getContext("2d"));
  context.translate(WIDTH_PX / 2, HEIGHT_PX / 2);
  context.rotate(TILT);
  context.font = "13px sans-serif";
  context.textAlign = "center";
  context.strokeStyle = "rgb(0 0 0 / 16%)";
  context.fillStyle = "rgb(255 255 255 / 20%)";
  context.lineWidth = 2;
  context.strokeText(text, 0, 0);
  context.fillText(text, 0, 0);
  drawn = { text, url: `url(${tile.toDataURL()})` };
  return drawn;
}

/**
 * The same over a picture that leaves the desk.
 * @param {CanvasRenderingContext2D} context
 * @param {number} width
 * @param {number} height
 */
export function burnWatermark(context, width, height) {
  pattern();
  context.fillStyle = context.createPattern(tile, "repeat") ?? "transparent";
  context.fillRect(0, 0, width, height);
}

export class Watermark {
  #mark = h("div", { class: "watermark", "aria-hidden": "true" });
  #box;
  #size;

  /**
   * @param {HTMLElement} box positioned, holds the picture
   * @param {number} [scale]
   */
  constructor(box, scale = 1) {
    this.#box = box;
    this.#size = `${WIDTH_PX * scale}px ${HEIGHT_PX * scale}px`;
    this.keep();
  }

  /** Call once a second. */
  keep() {
    const step = (Math.floor(serverNow() / STEP_MS) * STEP_PX) % (WIDTH_PX * HEIGHT_PX);
    const own = {
      "background-image": pattern().url,
      "background-size": this.#size,
      "background-position": `${step % WIDTH_PX}px ${step % HEIGHT_PX}px`,
    };
    for (const [name, value] of Object.entries({ ...STYLE, ...own }))
      this.#mark.style.setProperty(name, value, "important");
    this.#mark.hidden = false;
    if (this.#mark.parentElement !== this.#box) this.#box.append(this.#mark);
  }
}
