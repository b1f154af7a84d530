/** Trails and tracks on the officers' canvas. A gap is a dashed line in grey: nobody claims to know the way between. */

import { clock } from "../kit/format.js";
import { token } from "../kit/theme.js";
import { worldX, worldY } from "../state/fleet.js";
import { traceTrail } from "../state/trails.js";

/** @typedef {{x: Float64Array, y: Float64Array, first_ms: number, last_ms: number}} Piece */

const TRAILS_MAX = 400;
/** Ends nearer than a label share one. */
const LABEL_WIDTH_PX = 54;
const LABEL_HEIGHT_PX = 14;
const LABEL_GAP_PX = 20;

/** Tracks in world coordinates, ready to be drawn. */
export class Lines {
  /** @type {Piece[][]} */
  #tracks = [];
  #colours = { track: "", gap: "", halo: "", text: "", trail: "", sos: "" };
  #font = "";

  /** Read the colours of the theme in force. */
  reset() {
    this.#colours = {
      track: token("--accent"),
      gap: token("--faint"),
      halo: token("--map-halo"),
      text: token("--text"),
      trail: token("--duty"),
      sos: token("--sos"),
    };
    this.#font = `11px ${token("--font")}`;
  }

  /** @param {Map<string, import("../types").TrackPoint[][]>} tracks */
  setTracks(tracks) {
    this.#tracks = [...tracks.values()].map((segments) => segments.filter((points) => points.length > 0).map(piece));
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {import("./view.js").MapView} view
   */
  drawTracks(context, view) {
    context.lineJoin = "round";
    context.lineCap = "round";
    for (const pieces of this.#tracks) {
      for (const part of pieces) this.#stroke(context, view, part);
      context.setLineDash([5, 6]);
      context.lineWidth = 1.6;
      context.strokeStyle = this.#colours.gap;
      for (let k = 1; k < pieces.length; k++)
        bridge(context, view, /** @type {Piece} */ (pieces[k - 1]), /** @type {Piece} */ (pieces[k]));
      context.setLineDash([]);
      this.#ends(context, view, pieces);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {import("./view.js").MapView} view
   * @param {Piece} part
   */
  #stroke(context, view, part) {
    context.beginPath();
    for (let i = 0; i < part.x.length; i++) context.lineTo(view.px(part.x[i] ?? 0), view.py(part.y[i] ?? 0));
    context.lineWidth = 5;
    context.strokeStyle = this.#colours.halo;
    context.stroke();
    context.lineWidth = 2.6;
    context.strokeStyle = this.#colours.track;
    context.stroke();
  }

  /**
   * Where it began and where it ends, with the time.
   * @param {CanvasRenderingContext2D} context
   * @param {import("./view.js").MapView} view
   * @param {Piece[]} pieces
   */
  #ends(context, view, pieces) {
    const first = pieces[0];
    const last = pieces.at(-1);
    if (!first || !last) return;
    const [x0, y0] = [view.px(first.x[0] ?? 0), view.py(first.y[0] ?? 0)];
    const [x1, y1] = [view.px(last.x.at(-1) ?? 0), view.py(last.y.at(-1) ?? 0)];
    const one = Math.abs(x1 - x0) < LABEL_WIDTH_PX && Math.abs(y1 - y0) < LABEL_HEIGHT_PX;
    const [begun, ended] = [clock(first.first_ms), clock(last.last_ms)];
    this.#mark(context, x0, y0, one ? "" : begun);
    this.#mark(context, x1, y1, one ? `${begun} – ${ended}` : ended);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} x
   * @param {number} y
   * @param {string} text
   */
  #mark(context, x, y, text) {
    context.beginPath();
    context.arc(x, y, 4, 0, Math.PI * 2);
    context.fillStyle = this.#colours.halo;
    context.fill();
    context.lineWidth = 2;
    context.strokeStyle = this.#colours.track;
    context.stroke();
    context.font = this.#font;
    context.textBaseline = "middle";
    context.lineWidth = 3;
    context.strokeStyle = this.#colours.halo;
    context.textAlign = "right";
    context.strokeText(text, x - LABEL_GAP_PX, y);
    context.fillStyle = this.#colours.text;
    context.fillText(text, x - LABEL_GAP_PX, y);
    context.textAlign = "left";
  }

  /**
   * The last minutes of some devices.
   * @param {CanvasRenderingContext2D} context
   * @param {import("./view.js").MapView} view
   * @param {Iterable<import("../state/fleet.js").Device>} devices
   * @param {number} now_ms
   */
  drawTrails(context, view, devices, now_ms) {
    context.lineJoin = "round";
    context.globalAlpha = 0.6;
    context.lineWidth = 2.2;
    let drawn = 0;
    for (const device of devices) {
      if (drawn++ === TRAILS_MAX) break;
      context.beginPath();
      traceTrail(context, device.did, view, now_ms);
      context.strokeStyle =
        device.state === "sos" ? this.#colours.sos : device.state === "rec" ? this.#colours.track : this.#colours.trail;
      context.stroke();
    }
    context.globalAlpha = 1;
  }
}

/** @param {import("../types").TrackPoint[]} points @returns {Piece} */
function piece(points) {
  const x = Float64Array.from(points, (point) => worldX(point.lon));
  const y = Float64Array.from(points, (point) => worldY(point.lat));
  return { x, y, first_ms: points[0]?.ms ?? 0, last_ms: points.at(-1)?.ms ?? 0 };
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./view.js").MapView} view
 * @param {Piece} before
 * @param {Piece} after
 */
function bridge(context, view, before, after) {
  context.beginPath();
  context.moveTo(view.px(before.x.at(-1) ?? 0), view.py(before.y.at(-1) ?? 0));
  context.lineTo(view.px(after.x[0] ?? 0), view.py(after.y[0] ?? 0));
  context.stroke();
}
