/** One frame of officers and clusters, from numbers only: no allocation while it draws. */

import { reducedMotion, token } from "../kit/theme.js";
import { followed, layers } from "../state/desk.js";
import { STATES } from "../state/display.js";
import { fleet } from "../state/fleet.js";
import { shownNow } from "../state/moment.js";
import { Sprites } from "./sprites.js";

/** Radius of a cluster's disc. */
export const CLUSTER_PX = 16;

const SOS_PULSE_MS = 1400;
/** About as fast as syllables come. */
const TALK_PULSE_MS = 500;
const STALE_FADE_MS = 30 * 60_000;
const SOS = STATES.indexOf("sos");
const TURN = Math.PI * 2;

export class Painter {
  /** Where each mover was drawn last, by index. */
  screenX = new Float32Array(256);
  screenY = new Float32Array(256);
  /** Whether somebody of the last drawing calls for help or talks: their signs pulse. */
  pulsing = false;
  #sprites = new Sprites();
  #font = "";

  /** Take the colours of the theme in force. @param {number} ratio device pixels per pixel */
  restyle(ratio) {
    this.#sprites.build(ratio);
    this.#font = `600 13px ${token("--font")}`;
  }

  /** @param {number} movers */
  reserve(movers) {
    if (movers <= this.screenX.length) return;
    this.screenX = new Float32Array(movers * 2);
    this.screenY = new Float32Array(movers * 2);
  }

  /**
   * Draw everybody who is not in a cluster.
   * @param {CanvasRenderingContext2D} context
   * @param {import("./view.js").MapView} view
   * @param {import("./layout.js").Layout} layout
   * @param {number} chosen index of the selected one, -1 none
   * @param {number} clock `performance.now()`
   * @returns {boolean} whether somebody still glides
   */
  drawMovers(context, view, layout, chosen, clock) {
    const { order, orderCount } = layout;
    const { x, y, fromX, fromY, state, flags, course } = fleet;
    const now_ms = shownNow();
    let gliding = false;
    this.pulsing = false;
    for (let k = 0; k < orderCount; k++) {
      const i = order[k];
      const f = fleet.progress(i, clock);
      if (f < 1) gliding = true;
      const fx = fromX[i];
      const fy = fromY[i];
      const px = view.px(fx + (x[i] - fx) * f);
      const py = view.py(fy + (y[i] - fy) * f);
      this.screenX[i] = px;
      this.screenY[i] = py;
      const kind = state[i];
      const flag = flags[i];
      if (i === chosen) this.#drawSelection(context, view, i, px, py);
      if (kind === SOS) this.#drawPulse(context, px, py, clock, SOS_PULSE_MS, this.#sprites.colours.sos);
      if (flag & 64) this.#drawPulse(context, px, py, clock, TALK_PULSE_MS, this.#sprites.colours.text);
      context.globalAlpha = kind === SOS || flag & 2 ? 1 : fade(fleet.order[i], now_ms);
      this.#sprites.draw(context, kind, course[i], (flag & 2) !== 0, px, py);
      context.globalAlpha = 1;
      if (flag & 4 && kind !== SOS) this.#drawWarning(context, px, py);
      if (flag & 48) this.#drawWatched(context, px, py, (flag & 32) !== 0);
    }
    return gliding;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {import("./view.js").MapView} view
   * @param {number} i
   * @param {number} px
   * @param {number} py
   */
  #drawSelection(context, view, i, px, py) {
    const device = fleet.order[i];
    const { text } = this.#sprites.colours;
    context.strokeStyle = text;
    if (layers.value.accuracy && device?.acc && device.lat !== null) {
      context.beginPath();
      context.arc(px, py, device.acc / view.metresPerPixel(device.lat), 0, TURN);
      context.lineWidth = 1;
      context.globalAlpha = 0.45;
      context.stroke();
      context.globalAlpha = 0.06;
      context.fillStyle = text;
      context.fill();
      context.globalAlpha = 1;
    }
    context.beginPath();
    context.arc(px, py, 16, 0, TURN);
    context.lineWidth = followed.value === device?.did ? 3 : 1.6;
    context.stroke();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} px
   * @param {number} py
   * @param {number} clock
   * @param {number} period_ms
   * @param {string} colour
   */
  #drawPulse(context, px, py, clock, period_ms, colour) {
    this.pulsing = true;
    const phase = reducedMotion.matches ? 0.5 : (clock % period_ms) / period_ms;
    context.fillStyle = colour;
    context.globalAlpha = 0.22;
    context.beginPath();
    context.arc(px, py, 18, 0, TURN);
    context.fill();
    context.globalAlpha = 0.3 * (1 - phase);
    context.beginPath();
    context.arc(px, py, 16 + 20 * phase, 0, TURN);
    context.fill();
    context.globalAlpha = 1;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} px
   * @param {number} py
   */
  #drawWarning(context, px, py) {
    context.beginPath();
    context.moveTo(px + 9, py - 14);
    context.lineTo(px + 14, py - 5);
    context.lineTo(px + 4, py - 5);
    context.closePath();
    context.lineWidth = 2;
    context.strokeStyle = this.#sprites.colours.panel;
    context.stroke();
    context.fillStyle = this.#sprites.colours.warn;
    context.fill();
  }

  /**
   * Somebody watches the live picture; a ring of the colour of recordings when the server keeps it.
   * @param {CanvasRenderingContext2D} context
   * @param {number} px
   * @param {number} py
   * @param {boolean} recorded
   */
  #drawWatched(context, px, py, recorded) {
    const { panel, text, rec } = this.#sprites.colours;
    context.beginPath();
    context.arc(px - 10, py + 10, 5.5, 0, TURN);
    context.fillStyle = panel;
    context.fill();
    context.lineWidth = 1.4;
    context.strokeStyle = recorded ? rec : text;
    context.stroke();
    context.beginPath();
    context.moveTo(px - 11.6, py + 7.4);
    context.lineTo(px - 7.2, py + 10);
    context.lineTo(px - 11.6, py + 12.6);
    context.closePath();
    context.fillStyle = recorded ? rec : text;
    context.fill();
  }

  /**
   * Count and worst state.
   * @param {CanvasRenderingContext2D} context
   * @param {import("./layout.js").Layout} layout
   */
  drawClusters(context, { clusters, clusterX, clusterY, clusterCount, clusterState, clusterWarn }) {
    const { colours } = this.#sprites;
    context.font = this.#font;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (let c = 0; c < clusters; c++) {
      const px = clusterX[c];
      const py = clusterY[c];
      context.beginPath();
      context.arc(px, py, CLUSTER_PX, 0, TURN);
      context.fillStyle = colours.panel;
      context.fill();
      context.lineWidth = 3;
      context.strokeStyle = colours[STATES[clusterState[c]] ?? "off"];
      context.stroke();
      context.fillStyle = colours.text;
      context.fillText(String(clusterCount[c]), px, py + 1);
      if (clusterWarn[c]) this.#drawWarning(context, px + 4, py - 2);
    }
    context.textAlign = "left";
  }
}

/** @param {import("../state/fleet.js").Device | undefined} device @param {number} now_ms */
function fade(device, now_ms) {
  if (!device || device.tms === null) return 0.5;
  return Math.max(0.45, 1 - (now_ms - device.tms) / STALE_FADE_MS);
}
