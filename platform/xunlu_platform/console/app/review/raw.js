/** Every fix as it came: the line through all of them, and a cross where one is not believed. */

import { token } from "../kit/theme.js";
import { isRejected } from "./detail.js";
import { trace } from "./ways.js";

const CROSS_PX = 3.5;

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("../map/view.js").MapView} view
 * @param {readonly import("./track.js").Track[]} tracks
 * @param {import("./detail.js").Detail} detail
 */
export function drawRaw(context, view, tracks, detail) {
  const [line, doubt] = [token("--text"), token("--warn")];
  for (const track of tracks)
    for (const piece of detail.pieces.get(track.key) ?? []) {
      context.beginPath();
      trace(context, view, piece, -Infinity, Infinity);
      context.lineWidth = 1;
      context.strokeStyle = line;
      context.stroke();
      drawFixes(context, view, piece, track.colour, doubt);
    }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("../map/view.js").MapView} view
 * @param {import("./detail.js").DetailPiece} piece
 * @param {string} colour
 * @param {string} doubt colour of what is not believed
 */
function drawFixes(context, view, { x, y, flags }, colour, doubt) {
  context.lineWidth = 1.8;
  context.strokeStyle = doubt;
  context.fillStyle = colour;
  for (let i = 0; i < x.length; i++) {
    const [px, py] = [view.px(x[i] ?? 0), view.py(y[i] ?? 0)];
    if (!view.shows(px, py)) continue;
    if (!isRejected(flags[i])) {
      context.fillRect(px - 1.5, py - 1.5, 3, 3);
      continue;
    }
    context.beginPath();
    context.moveTo(px - CROSS_PX, py - CROSS_PX);
    context.lineTo(px + CROSS_PX, py + CROSS_PX);
    context.moveTo(px + CROSS_PX, py - CROSS_PX);
    context.lineTo(px - CROSS_PX, py + CROSS_PX);
    context.stroke();
  }
}
