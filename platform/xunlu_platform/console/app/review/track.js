/** The way of one subject in columns that can be drawn and asked: where at what time. Nothing is known between pieces. */

import { theme } from "../kit/theme.js";
import { worldX, worldY } from "../state/fleet.js";
import { lastBefore, spanAt } from "./clock.js";

/** @typedef {import("./types").SubjectRecord} SubjectRecord */
/** @typedef {import("./types").PieceRecord} PieceRecord */

/** First those that differ most; red is for an SOS alone. Then the golden angle goes on, always between what there is. */
const HUES = [210, 145, 275, 38, 185, 320, 85, 245];
const GOLDEN_ANGLE = 137.508;
/** A step this fast between two fixes of a piece is drawn apart: m/s. */
const JUMP_MPS = 60;

/** @param {number} index @returns {string} */
export function colourOf(index) {
  const hue = HUES[index] ?? Math.round((20 + index * GOLDEN_ANGLE) % 330) + 15;
  return theme.value === "dark" ? `hsl(${hue} 82% 74%)` : `hsl(${hue} 78% 26%)`;
}

/**
 * An unbroken way: world coordinates (0…1), UTC milliseconds, metres a second (NaN when unknown).
 * @typedef {object} Piece
 * @property {Float64Array} x
 * @property {Float64Array} y
 * @property {Float64Array} t
 * @property {Float32Array} speed
 * @property {Uint8Array} jump 1 where the step to a fix is drawn apart
 * @property {boolean} late back-filled
 * @property {string} did
 */

/** Where somebody is; `lost` since when nothing is known. @typedef {{x: number, y: number, course: number, speed: number, late: boolean, lost_ms: number | null}} Place */

/** @param {PieceRecord} record @param {number} base_ms @returns {Piece} */
export function pieceOf({ did, t, lon, lat, speed, late }, base_ms) {
  const piece = {
    did,
    late: late ?? false,
    x: Float64Array.from(lon, worldX),
    y: Float64Array.from(lat, worldY),
    t: Float64Array.from(t, (ms) => ms + base_ms),
    speed: Float32Array.from(speed, (mps) => mps ?? NaN),
    jump: new Uint8Array(t.length),
  };
  for (let i = 1; i < t.length; i++) piece.jump[i] = isJump(piece, i) ? 1 : 0;
  return piece;
}

/** Metres of a step, near enough to judge it. @param {Pick<Piece, "x" | "y">} piece @param {number} i the later end */
function step_m({ x, y }, i) {
  const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = [x[i - 1], y[i - 1], x[i], y[i]];
  const lat = Math.atan(Math.sinh(Math.PI * (1 - 2 * y1)));
  return Math.hypot(x1 - x0, y1 - y0) * 40_075_016.686 * Math.cos(lat);
}

/** Whether somebody who only walked and drove cannot have made a step. @param {Pick<Piece, "x" | "y" | "t">} piece @param {number} i */
function isJump(piece, i) {
  const passed_s = ((piece.t[i] ?? 0) - (piece.t[i - 1] ?? 0)) / 1000;
  return step_m(piece, i) > JUMP_MPS * Math.max(1, passed_s);
}

export class Track {
  key;
  officer;
  worn;
  index;
  /** @type {Piece[]} */
  pieces;
  states;
  stops;
  length_m;
  moving_s;

  /**
   * @param {SubjectRecord} record
   * @param {number} base_ms `from` of the answer
   * @param {number} index gives the colour
   */
  constructor(record, base_ms, index) {
    const shifted = (/** @type {any} */ span) => ({ ...span, from_ms: span.from_ms + base_ms, to_ms: span.to_ms + base_ms });
    this.key = record.subject;
    this.officer = record.officer;
    this.worn = record.worn;
    this.index = index;
    this.pieces = record.pieces.map((piece) => pieceOf(piece, base_ms));
    /** @type {import("./types").StateSpan[]} */
    this.states = record.states.map(shifted);
    /** @type {import("./types").Stop[]} */
    this.stops = record.stops.map(shifted);
    this.length_m = record.length_m;
    this.moving_s = record.moving_s;
  }

  get name() {
    return this.officer?.name ?? this.key.slice(1);
  }

  get title() {
    return this.officer ? `${this.officer.name} ${this.officer.number}` : this.key.slice(1);
  }

  get colour() {
    return colourOf(this.index);
  }

  /** Times for which there is an explanation why nobody knows more. */
  get gaps() {
    return this.states.filter(({ state }) => state !== "on_air" && state !== "back_filled");
  }

  /** @param {number} ms @returns {import("./types").StateSpan | null} null while nothing was worn */
  stateAt(ms) {
    return spanAt(this.states, ms);
  }

  /** The piece that began last. @param {number} ms @returns {number} -1 before the first */
  pieceBefore(ms) {
    return lastBefore(this.pieces.length, (i) => (this.pieces[i]?.t[0] ?? 0) <= ms);
  }

  /** @param {number} ms @returns {Place | null} null before the first fix */
  at(ms) {
    const piece = this.pieces[this.pieceBefore(ms)];
    return piece ? placeIn(piece, ms) : null;
  }

  /** The time of the fix beside, as far as they were told. @param {number} ms @param {1 | -1} step @returns {number | null} */
  fixBeside(ms, step) {
    return besideIn(this.pieces, ms, step);
  }

  /** West, south, east, north in world coordinates; null when there is no fix. */
  get bounds() {
    const box = [1, 1, 0, 0];
    for (const { x, y } of this.pieces)
      for (let i = 0; i < x.length; i++) {
        box[0] = Math.min(box[0] ?? 1, x[i] ?? 1);
        box[1] = Math.min(box[1] ?? 1, y[i] ?? 1);
        box[2] = Math.max(box[2] ?? 0, x[i] ?? 0);
        box[3] = Math.max(box[3] ?? 0, y[i] ?? 0);
      }
    return this.pieces.length ? /** @type {[number, number, number, number]} */ (box) : null;
  }
}

/** @param {Piece} piece @param {number} ms not before its first fix @returns {Place} */
function placeIn(piece, ms) {
  const { x, y, t, speed, late } = piece;
  const last = t.length - 1;
  const i = lastBefore(t.length, (k) => (t[k] ?? 0) <= ms);
  const end = Math.min(i + 1, last);
  const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = [x[i], y[i], x[end], y[end]];
  const course = courseIn(piece, end);
  if (i >= last) return { x: x0, y: y0, course, speed: speed[i] ?? NaN, late, lost_ms: ms > (t[last] ?? 0) ? (t[last] ?? 0) : null };
  const share = (ms - (t[i] ?? 0)) / Math.max(1, (t[end] ?? 0) - (t[i] ?? 0));
  if (piece.jump[end]) return { x: x0, y: y0, course, speed: NaN, late, lost_ms: null };
  return { x: x0 + (x1 - x0) * share, y: y0 + (y1 - y0) * share, course, speed: speed[i] ?? NaN, late, lost_ms: null };
}

/** Radians from north of the last move that ends at a fix; NaN without one. @param {Piece} piece @param {number} end */
function courseIn({ x, y }, end) {
  for (let i = end; i > 0 && i > end - 8; i--) {
    const [dx, dy] = [(x[i] ?? 0) - (x[i - 1] ?? 0), (y[i] ?? 0) - (y[i - 1] ?? 0)];
    if (dx || dy) return Math.atan2(dx, -dy);
  }
  return NaN;
}

/** @param {readonly {t: Float64Array}[]} pieces in order of time @param {number} ms @param {1 | -1} step @returns {number | null} */
export function besideIn(pieces, ms, step) {
  /** @type {number | null} */
  let best = null;
  for (const { t } of pieces) {
    const i = step > 0 ? lastBefore(t.length, (k) => (t[k] ?? 0) <= ms + 1) + 1 : lastBefore(t.length, (k) => (t[k] ?? 0) < ms - 1);
    const found = t[i];
    if (found === undefined) continue;
    if (best === null || Math.abs(found - ms) < Math.abs(best - ms)) best = found;
  }
  return best;
}
