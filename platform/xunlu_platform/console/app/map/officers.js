/**
 * The officers: one canvas above the map for everything that moves. It draws when something changed and while somebody
 * glides, at most 30 times a second with a crowd in view, and not at all while the page is hidden. Between two drawings it
 * moves along with the map that is dragged.
 */

import { fleet } from "../state/fleet.js";
import { reducedMotion, theme } from "../kit/theme.js";
import { followed, layers, selected, tracks, trails } from "../state/desk.js";
import { shownNow } from "../state/moment.js";
import { Labels } from "./labels.js";
import { Layout } from "./layout.js";
import { Lines } from "./lines.js";
import { CLUSTER_PX, Painter } from "./painter.js";
import { MapView } from "./view.js";

/** So many in view, or drawn each by itself, are a crowd. */
const CROWD = 5000;
const CROWD_SINGLE = 1000;
const CROWD_FRAME_MS = 1000 / 30 - 2;
const PULSE_FRAME_MS = 1000 / 20;
const HIT_PX = 16;

export class OfficerLayer {
  view = new MapView();
  #map;
  #canvas = document.createElement("canvas");
  #context;
  #layout = new Layout();
  #labels = new Labels();
  #lines = new Lines();
  #painter = new Painter();
  #restless = true;
  #gliding = false;
  #zooming = false;
  #frame = 0;
  #drawn_ms = 0;
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
    for (const store of [selected, followed, trails, layers])
      scope.read(/** @type {any} */ (store), () => this.invalidate());
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
    this.#painter.restyle(ratio);
    this.#labels.reset(ratio);
    this.#lines.reset();
    this.invalidate();
  }

  /** @param {number} clock `performance.now()` */
  #tick(clock) {
    this.#frame = 0;
    if (this.#zooming || document.hidden) return;
    const crowd = this.#layout.inView > CROWD || this.#layout.orderCount > CROWD_SINGLE;
    const wait_ms = crowd ? CROWD_FRAME_MS : this.#restless || this.#gliding ? 0 : PULSE_FRAME_MS;
    if (clock - this.#drawn_ms < wait_ms) return this.#ask();
    this.#drawn_ms = clock;
    if (this.#restless) this.#settle();
    this.#draw(clock);
    this.frames += 1;
    if (this.#gliding || (this.#painter.pulsing && !reducedMotion.matches)) this.#ask();
  }

  /** Read the window and the fleet. */
  #settle() {
    this.#restless = false;
    this.#fit();
    this.view.read(this.#map);
    this.#painter.reserve(fleet.order.length);
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

  /** @param {number} clock */
  #draw(clock) {
    const context = this.#context;
    const ratio = devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.view.width, this.view.height);
    this.#lines.drawTracks(context, this.view);
    this.#drawTrails();
    const chosen = indexOf(selected.value);
    this.#gliding = this.#painter.drawMovers(context, this.view, this.#layout, chosen, clock);
    this.#painter.drawClusters(context, this.#layout);
    for (let k = 0; k < this.#labels.count; k++) {
      const i = this.#labels.placed[k];
      this.#labels.draw(context, k, this.#painter.screenX[i], this.#painter.screenY[i]);
    }
  }

  #drawTrails() {
    const now_ms = shownNow();
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
      const far = Math.hypot(this.#painter.screenX[i] - px, this.#painter.screenY[i] - py);
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
