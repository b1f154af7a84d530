/**
 * The officers: one canvas above the map for everything that moves. It draws when something changed and while somebody
 * glides, at most 30 times a second with a crowd in view, and not at all while the page is hidden.
 */

import { fleet } from "../state/fleet.js";
import { reducedMotion, theme, token } from "../kit/theme.js";
import { serverNow } from "../net/stream.js";
import { followed, layers, selected, tracks, trails } from "../state/desk.js";
import { STATES } from "../state/display.js";
import { Labels } from "./labels.js";
import { Layout } from "./layout.js";
import { Lines } from "./lines.js";
import { Sprites } from "./sprites.js";
import { MapView } from "./view.js";

const CROWD = 5000;
const CROWD_FRAME_MS = 1000 / 30 - 2;
const PULSE_FRAME_MS = 1000 / 20;
const PULSE_MS = 1400;
const HIT_PX = 16;
const CLUSTER_PX = 16;
const SOS = STATES.indexOf("sos");
const STALE_FADE_MS = 30 * 60_000;
const TURN = Math.PI * 2;

export class OfficerLayer {
  view = new MapView();
  #map;
  #canvas = document.createElement("canvas");
  #context;
  #layout = new Layout();
  #labels = new Labels();
  #lines = new Lines();
  #sprites = new Sprites();
  #restless = true;
  #gliding = false;
  #zooming = false;
  #frame = 0;
  #drawn_ms = 0;
  #font = "";
  /** Where each mover was drawn last, for hits; by index. */
  #screenX = new Float32Array(256);
  #screenY = new Float32Array(256);
  /** Frames drawn since the page was opened. */
  frames = 0;

  /**
   * @param {any} map Leaflet's
   * @param {import("../kit/store.js").Scope} scope
   */
  constructor(map, scope) {
    this.#map = map;
    this.#canvas.className = "officers leaflet-zoom-animated";
    map.createPane("officers").append(this.#canvas);
    this.#context = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext("2d"));
    map.on("move resize viewreset", () => this.invalidate());
    map.on("zoomanim", (/** @type {any} */ event) => this.#followZoom(event));
    map.on("zoomend", () => this.#endZoom());
    scope.read(theme, () => this.#restyle());
    scope.read(fleet.moved, () => this.invalidate());
    for (const store of [selected, followed, trails, layers]) scope.read(/** @type {any} */ (store), () => this.invalidate());
    scope.read(tracks, (all) => {
      this.#lines.setTracks(all);
      this.invalidate();
    });
    scope.listen(document, "visibilitychange", () => this.invalidate());
    scope.onClose(() => cancelAnimationFrame(this.#frame));
  }

  /** Something changed: lay out and draw with the next frame. */
  invalidate() {
    this.#restless = true;
    this.#ask();
  }

  #ask() {
    if (!this.#frame && !document.hidden) this.#frame = requestAnimationFrame((clock) => this.#tick(clock));
  }

  #restyle() {
    const ratio = devicePixelRatio || 1;
    this.#sprites.build(ratio);
    this.#labels.reset(ratio);
    this.#lines.reset();
    this.#font = `600 13px ${token("--font")}`;
    this.invalidate();
  }

  /** @param {number} clock `performance.now()` */
  #tick(clock) {
    this.#frame = 0;
    if (this.#zooming || document.hidden) return;
    const wait_ms = this.#layout.inView > CROWD ? CROWD_FRAME_MS : this.#restless || this.#gliding ? 0 : PULSE_FRAME_MS;
    if (clock - this.#drawn_ms < wait_ms) return this.#ask();
    this.#drawn_ms = clock;
    if (this.#restless) this.#settle();
    this.#draw(clock);
    this.frames += 1;
    if (this.#gliding || (this.#hasSos() && !reducedMotion.matches)) this.#ask();
  }

  /** Read the window and the fleet. */
  #settle() {
    this.#restless = false;
    this.#fit();
    this.view.read(this.#map);
    if (fleet.order.length > this.#screenX.length) {
      this.#screenX = new Float32Array(fleet.order.length * 2);
      this.#screenY = new Float32Array(fleet.order.length * 2);
    }
    const chosen = indexOf(selected.value);
    this.#layout.update(fleet, this.view, chosen, indexOf(followed.value));
    this.#labels.update(fleet, this.view, this.#layout, chosen, layers.value.names);
  }

  #fit() {
    const { x, y } = this.#map.getSize();
    const ratio = devicePixelRatio || 1;
    if (this.#canvas.width !== Math.round(x * ratio) || this.#canvas.height !== Math.round(y * ratio)) {
      this.#canvas.width = Math.round(x * ratio);
      this.#canvas.height = Math.round(y * ratio);
      this.#canvas.style.setProperty("width", `${x}px`);
      this.#canvas.style.setProperty("height", `${y}px`);
    }
    L.DomUtil.setPosition(this.#canvas, this.#map.containerPointToLayerPoint([0, 0]));
  }

  #hasSos() {
    const { order, orderCount } = this.#layout;
    return orderCount > 0 && fleet.state[order[orderCount - 1] ?? 0] === SOS;
  }

  /** @param {number} clock */
  #draw(clock) {
    const context = this.#context;
    const ratio = devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.view.width, this.view.height);
    this.#lines.drawTracks(context, this.view);
    this.#drawTrails();
    this.#drawMovers(clock);
    this.#drawClusters();
    for (let k = 0; k < this.#labels.count; k++) {
      const i = this.#labels.placed[k];
      this.#labels.draw(context, k, this.#screenX[i], this.#screenY[i]);
    }
  }

  #drawTrails() {
    const now_ms = serverNow();
    if (trails.value) return this.#lines.drawTrails(this.#context, this.view, this.#single(), now_ms);
    const some = [selected.value, followed.value].flatMap((did) => (did ? (fleet.devices.get(did) ?? []) : []));
    this.#lines.drawTrails(this.#context, this.view, some, now_ms);
  }

  *#single() {
    for (let k = this.#layout.orderCount - 1; k >= 0; k--) {
      const device = fleet.order[this.#layout.order[k]];
      if (device) yield device;
    }
  }

  /** @param {number} clock */
  #drawMovers(clock) {
    const { order, orderCount } = this.#layout;
    const { x, y, fromX, fromY, state, flags, course } = fleet;
    const context = this.#context;
    const chosen = indexOf(selected.value);
    const now_ms = serverNow();
    this.#gliding = false;
    for (let k = 0; k < orderCount; k++) {
      const i = order[k];
      const f = fleet.progress(i, clock);
      if (f < 1) this.#gliding = true;
      const fx = fromX[i];
      const fy = fromY[i];
      const px = this.view.px(fx + (x[i] - fx) * f);
      const py = this.view.py(fy + (y[i] - fy) * f);
      this.#screenX[i] = px;
      this.#screenY[i] = py;
      const kind = state[i];
      const flag = flags[i];
      if (i === chosen) this.#drawSelection(i, px, py);
      if (kind === SOS) this.#drawPulse(px, py, clock);
      context.globalAlpha = kind === SOS || flag & 2 ? 1 : fade(fleet.order[i], now_ms);
      this.#sprites.draw(context, kind, course[i], (flag & 2) !== 0, px, py);
      context.globalAlpha = 1;
      if (flag & 4 && kind !== SOS) this.#drawWarning(px, py);
    }
  }

  /**
   * @param {number} i
   * @param {number} px
   * @param {number} py
   */
  #drawSelection(i, px, py) {
    const context = this.#context;
    const device = fleet.order[i];
    const { text } = this.#sprites.colours;
    context.strokeStyle = text;
    if (layers.value.accuracy && device?.acc && device.lat !== null) {
      context.beginPath();
      context.arc(px, py, device.acc / this.view.metresPerPixel(device.lat), 0, TURN);
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
   * @param {number} px
   * @param {number} py
   * @param {number} clock
   */
  #drawPulse(px, py, clock) {
    const context = this.#context;
    const phase = reducedMotion.matches ? 0.5 : (clock % PULSE_MS) / PULSE_MS;
    context.fillStyle = this.#sprites.colours.sos;
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
   * @param {number} px
   * @param {number} py
   */
  #drawWarning(px, py) {
    const context = this.#context;
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

  #drawClusters() {
    const context = this.#context;
    const { clusters, clusterX, clusterY, clusterCount, clusterState, clusterWarn } = this.#layout;
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
      if (clusterWarn[c]) this.#drawWarning(px + 4, py - 2);
    }
    context.textAlign = "left";
  }

  /** The zoom animation is Leaflet's; the picture of before is stretched with the map. @param {any} event */
  #followZoom(event) {
    this.#zooming = true;
    const scale = this.#map.getZoomScale(event.zoom, this.view.zoom);
    const corner = this.#map.unproject([this.view.left, this.view.top], this.view.zoom);
    L.DomUtil.setTransform(this.#canvas, this.#map._latLngToNewLayerPoint(corner, event.zoom, event.center), scale);
  }

  #endZoom() {
    this.#zooming = false;
    this.invalidate();
  }

  /**
   * What is drawn at a point of the map, the topmost first.
   * @param {number} px
   * @param {number} py
   * @returns {{did: string} | {cluster: number} | null}
   */
  hit(px, py) {
    const { order, orderCount, clusters, clusterX, clusterY } = this.#layout;
    for (let c = clusters - 1; c >= 0; c--)
      if (Math.hypot(clusterX[c] - px, clusterY[c] - py) <= CLUSTER_PX + 2) return { cluster: c };
    let best = HIT_PX;
    let found = null;
    for (let k = orderCount - 1; k >= 0; k--) {
      const i = order[k];
      const far = Math.hypot(this.#screenX[i] - px, this.#screenY[i] - py);
      if (far >= best) continue;
      best = far;
      found = fleet.order[i]?.did ?? null;
    }
    return found === null ? null : { did: found };
  }

  /** The middle of a cluster on the canvas. @param {number} c */
  clusterAt(c) {
    return [this.#layout.clusterX[c] ?? 0, this.#layout.clusterY[c] ?? 0];
  }
}

/** @param {string | null} did */
function indexOf(did) {
  return did === null ? -1 : (fleet.devices.get(did)?.index ?? -1);
}

/** @param {import("../state/fleet.js").Device | undefined} device @param {number} now_ms */
function fade(device, now_ms) {
  if (!device || device.tms === null) return 0.5;
  return Math.max(0.45, 1 - (now_ms - device.tms) / STALE_FADE_MS);
}
