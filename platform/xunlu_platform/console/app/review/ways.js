/**
 * The ways of all subjects on canvas: what is still to come dim, what is past bright. The bright part grows by what is new in
 * each frame, so that fifty days cost no more than one.
 */

import { span } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { token } from "../kit/theme.js";
import { takes } from "./boxes.js";
import { lastBefore, spanAt } from "./clock.js";

/** @typedef {import("./track.js").Track} Track */
/** @typedef {import("./track.js").Piece} Piece */
/** @typedef {import("../map/view.js").MapView} MapView */
/** @typedef {CanvasRenderingContext2D} Context */

const DIM = 0.34;
const WIDTH_PX = 2.6;
/** Of a crowd the ways step back behind the one that is meant. */
const CROWD_DIM = 0.13;
const CROWD_PAST = 0.5;
const CROWD_WIDTH_PX = 1.5;
/** So many are drawn with all their signs; a crowd would hide the map under them. */
const SIGNED_MAX = 12;
const ARROW_STEP_PX = 110;
const STEP_MIN_PX = 0.8;
const GAP_LABEL_MIN_PX = 34;
const STOP_MIN_ZOOM = 14;
/** Shorter breaks are drawn without words, milliseconds. */
const TOLD_GAP_MS = 60_000;

/**
 * Add a part of a piece to the path; a jump ends a line and begins another.
 * @param {Context} context
 * @param {MapView} view
 * @param {Piece} piece
 * @param {number} from_ms
 * @param {number} to_ms
 */
export function trace(context, view, piece, from_ms, to_ms) {
  const { x, y, t: time, jump } = piece;
  const first = lastBefore(time.length, (i) => (time[i] ?? 0) <= from_ms);
  let [px, py] = first < 0 ? [view.px(x[0] ?? 0), view.py(y[0] ?? 0)] : pointAt(view, piece, first, from_ms);
  context.moveTo(px, py);
  for (let i = Math.max(1, first + 1); i < time.length; i++) {
    const ends = (time[i] ?? 0) >= to_ms;
    const [qx, qy] = ends ? pointAt(view, piece, i - 1, to_ms) : [view.px(x[i] ?? 0), view.py(y[i] ?? 0)];
    if (jump[i]) context.moveTo(qx, qy);
    else if (ends || i === time.length - 1 || Math.abs(qx - px) + Math.abs(qy - py) >= STEP_MIN_PX) context.lineTo(qx, qy);
    else continue;
    [px, py] = [qx, qy];
    if (ends) return;
  }
}

/** @param {MapView} view @param {Piece} piece @param {number} i @param {number} ms @returns {[number, number]} */
function pointAt(view, { x, y, t: time, jump }, i, ms) {
  const k = Math.min(i + 1, time.length - 1);
  const [t0 = 0, t1 = 0] = [time[i], time[k]];
  const share = jump[k] || t1 <= t0 ? 0 : Math.min(1, Math.max(0, (ms - t0) / (t1 - t0)));
  const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = [x[i], y[i], x[k], y[k]];
  return [view.px(x0 + (x1 - x0) * share), view.py(y0 + (y1 - y0) * share)];
}

export class Ways {
  /** What the bright part reaches to, UTC milliseconds; null: nothing is drawn yet. @type {number | null} */
  #drawn_ms = null;
  #colours = { gap: "", halo: "", text: "", label: "" };
  #font = "";

  /** Read the colours of the theme in force. */
  restyle() {
    this.#colours = {
      gap: token("--faint"),
      halo: token("--map-halo"),
      text: token("--text"),
      label: token("--label"),
    };
    this.#font = `11px ${token("--font")}`;
    this.forget();
  }

  /** The bright part has to be drawn from its beginning. */
  forget() {
    this.#drawn_ms = null;
  }

  /**
   * Everything that stands still.
   * @param {Context} context
   * @param {MapView} view
   * @param {readonly Track[]} tracks
   * @param {boolean} stops
   * @param {string | null} main the subject that is meant: of a crowd only it has signs
   */
  drawStill(context, view, tracks, stops, main) {
    const few = tracks.length <= SIGNED_MAX;
    /** @type {import("./boxes.js").Box[]} */
    const taken = [];
    context.lineJoin = "round";
    context.lineCap = "round";
    for (const track of tracks) {
      const signed = few || track.key === main;
      this.#drawPieces(context, view, track, signed);
      this.#drawGaps(context, view, track, signed, taken);
      if (stops && signed && view.zoom >= STOP_MIN_ZOOM) this.#drawStops(context, view, track, taken);
    }
  }

  /** @param {Context} context @param {MapView} view @param {Track} track @param {boolean} signed */
  #drawPieces(context, view, track, signed) {
    context.globalAlpha = signed ? DIM : CROWD_DIM;
    context.strokeStyle = track.colour;
    context.lineWidth = signed ? WIDTH_PX : CROWD_WIDTH_PX;
    for (const piece of track.pieces) {
      context.setLineDash(piece.late ? [9, 4] : []);
      context.beginPath();
      trace(context, view, piece, -Infinity, Infinity);
      context.stroke();
    }
    context.setLineDash([]);
    context.globalAlpha = 0.8;
    context.fillStyle = track.colour;
    if (signed) for (const piece of track.pieces) drawArrows(context, view, piece);
    context.globalAlpha = 1;
  }

  /**
   * Nobody claims to know the way: dashes, how long, and why.
   * @param {Context} context
   * @param {MapView} view
   * @param {Track} track
   * @param {boolean} signed
   * @param {import("./boxes.js").Box[]} taken
   */
  #drawGaps(context, view, track, signed, taken) {
    const { pieces } = track;
    for (let k = 1; k < pieces.length; k++) {
      const [before, after] = [/** @type {Piece} */ (pieces[k - 1]), /** @type {Piece} */ (pieces[k])];
      const [from_ms, to_ms] = [before.t.at(-1) ?? 0, after.t[0] ?? 0];
      if (to_ms <= from_ms) continue;
      const [x0, y0] = [view.px(before.x.at(-1) ?? 0), view.py(before.y.at(-1) ?? 0)];
      const [x1, y1] = [view.px(after.x[0] ?? 0), view.py(after.y[0] ?? 0)];
      if (!view.shows(x0, y0) && !view.shows(x1, y1)) continue;
      context.beginPath();
      context.setLineDash([2, 6]);
      context.moveTo(x0, y0);
      context.lineTo(x1, y1);
      context.lineWidth = 1.4;
      context.strokeStyle = this.#colours.gap;
      context.stroke();
      context.setLineDash([]);
      const far = Math.hypot(x1 - x0, y1 - y0) >= GAP_LABEL_MIN_PX;
      if (signed && far && to_ms - from_ms >= TOLD_GAP_MS)
        this.#label(context, gapWords(track, from_ms, to_ms), (x0 + x1) / 2, (y0 + y1) / 2, taken);
    }
  }

  /** @param {Context} context @param {MapView} view @param {Track} track @param {import("./boxes.js").Box[]} taken */
  #drawStops(context, view, track, taken) {
    for (const stop of track.stops) {
      const [x, y] = view.pixel(stop.lon, stop.lat);
      if (!view.shows(x, y)) continue;
      context.beginPath();
      context.arc(x, y, 6, 0, Math.PI * 2);
      context.fillStyle = this.#colours.halo;
      context.fill();
      context.lineWidth = 2;
      context.strokeStyle = track.colour;
      context.stroke();
      this.#label(context, t("review.stop", { span: span((stop.to_ms - stop.from_ms) / 1000) }), x, y + 16, taken);
    }
  }

  /** @param {Context} context @param {string} text @param {number} x @param {number} y @param {import("./boxes.js").Box[]} taken */
  #label(context, text, x, y, taken) {
    context.font = this.#font;
    const width = context.measureText(text).width + 8;
    if (!takes(taken, [x - width / 2, y - 8, width, 16])) return;
    context.fillStyle = this.#colours.label;
    context.fillRect(x - width / 2, y - 8, width, 16);
    context.fillStyle = this.#colours.text;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(text, x, y + 0.5);
    context.textAlign = "left";
  }

  /**
   * Bring the bright part up to a moment.
   * @param {Context} context
   * @param {MapView} view
   * @param {readonly Track[]} tracks
   * @param {number} now_ms
   * @param {string | null} main
   */
  drawPast(context, view, tracks, now_ms, main) {
    if (this.#drawn_ms === null || now_ms < this.#drawn_ms) {
      context.clearRect(0, 0, view.width, view.height);
      this.#drawn_ms = -Infinity;
    }
    if (now_ms === this.#drawn_ms) return;
    context.lineJoin = "round";
    context.lineCap = "round";
    for (const track of tracks) {
      const signed = tracks.length <= SIGNED_MAX || track.key === main;
      context.globalAlpha = signed ? 1 : CROWD_PAST;
      context.lineWidth = signed ? WIDTH_PX : CROWD_WIDTH_PX;
      context.beginPath();
      for (let k = track.pieceBefore(now_ms); k >= 0; k--) {
        const piece = /** @type {Piece} */ (track.pieces[k]);
        if ((piece.t.at(-1) ?? 0) < this.#drawn_ms) break;
        trace(context, view, piece, this.#drawn_ms, now_ms);
      }
      context.strokeStyle = track.colour;
      context.stroke();
    }
    context.globalAlpha = 1;
    this.#drawn_ms = now_ms;
  }
}

/** How long, and why. @param {Track} track @param {number} from_ms @param {number} to_ms */
export function gapWords(track, from_ms, to_ms) {
  const state = spanAt(track.states, (from_ms + to_ms) / 2)?.state;
  return t("review.gap", { span: span((to_ms - from_ms) / 1000), why: state ? t(`review.state.${state}`) : t("review.state.unworn") });
}

/** Which way somebody went. @param {Context} context @param {MapView} view @param {Piece} piece */
function drawArrows(context, view, { x, y }) {
  let [px, py] = [view.px(x[0] ?? 0), view.py(y[0] ?? 0)];
  let walked = ARROW_STEP_PX / 2;
  for (let i = 1; i < x.length; i++) {
    const [qx, qy] = [view.px(x[i] ?? 0), view.py(y[i] ?? 0)];
    const [dx, dy] = [qx - px, qy - py];
    walked += Math.hypot(dx, dy);
    if (walked >= ARROW_STEP_PX && view.shows(qx, qy) && Math.hypot(dx, dy) > 2) {
      walked = 0;
      context.save();
      context.translate((px + qx) / 2, (py + qy) / 2);
      context.rotate(Math.atan2(dy, dx));
      context.beginPath();
      context.moveTo(5, 0);
      context.lineTo(-4, -4.5);
      context.lineTo(-4, 4.5);
      context.fill();
      context.restore();
    }
    [px, py] = [qx, qy];
  }
}
