/** The canvases of a look back above the map: what stands still, what is past, what moves; each is drawn when it must. */

import { theme } from "../kit/theme.js";
import { MapView } from "../map/view.js";
import { drawAccuracy, Movers } from "./movers.js";
import { drawRaw } from "./raw.js";
import { Ways } from "./ways.js";

/** So many are a crowd: it moves 30 times a second, and its ways grow ten times. */
const CROWD = 20;
const CROWD_FRAME_MS = 1000 / 30 - 2;
const CROWD_PAST_MS = 100;
/** Who talks and who is in need is looked up so often, milliseconds. */
const STANDING_MS = 150;
const NAMES = /** @type {const} */ (["still", "past", "movers"]);
const VERTEX_HIT_PX = 10;

export class ReviewLayer {
  view = new MapView();
  /** Frames drawn since the page was opened. */
  frames = 0;
  #map;
  #replay;
  #detail;
  #canvases = NAMES.map(() => document.createElement("canvas"));
  #contexts = this.#canvases.map((canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")));
  #ways = new Ways();
  #movers = new Movers();
  #stale = true;
  #zooming = false;
  #drawn_ms = NaN;
  /** When the movers and the past were drawn last, on the steady clock. */
  #movers_ms = -Infinity;
  #past_ms = -Infinity;
  #standing = { chosen: /** @type {string | null} */ (null), talking: new Set(), sos: new Set() };
  #looked_ms = -Infinity;

  /**
   * @param {any} map Leaflet's
   * @param {import("./replay.js").Replay} replay
   * @param {import("./detail.js").DetailLoader} loader
   * @param {import("../kit/store.js").Scope} scope
   */
  constructor(map, replay, loader, scope) {
    this.#map = map;
    this.#replay = replay;
    this.#detail = loader.detail;
    const pane = map.createPane("officers");
    this.#canvases.forEach((canvas, i) => {
      canvas.className = `review-${NAMES[i]} leaflet-zoom-animated`;
      pane.append(canvas);
    });
    const redraw = () => (this.#stale = true);
    map.on("move resize viewreset", redraw);
    map.on("zoomanim", (/** @type {any} */ event) => this.#followZoom(event));
    map.on("zoomend", () => ((this.#zooming = false), redraw()));
    scope.read(theme, () => {
      this.#ways.restyle();
      this.#movers.restyle(devicePixelRatio || 1);
      redraw();
    });
    for (const store of [replay.tracks, replay.view, replay.moments, replay.chosen, loader.detail])
      scope.read(/** @type {import("../kit/store.js").Store<any>} */ (store), redraw);
  }

  /** One frame. @param {number} told_ms steady */
  draw(told_ms) {
    if (this.#zooming) return;
    const now_ms = this.#replay.clock.now_ms;
    if (!this.#stale && now_ms === this.#drawn_ms) return;
    const tracks = this.#replay.tracks.value;
    const crowd = tracks.length > CROWD && this.#replay.clock.playing;
    if (crowd && !this.#stale && told_ms - this.#movers_ms < CROWD_FRAME_MS) return;
    this.#movers_ms = told_ms;
    if (this.#stale) this.#redraw(tracks);
    if (told_ms - this.#looked_ms > STANDING_MS) this.#look(told_ms, now_ms);
    const [, past, moving] = this.#contexts;
    if (!past || !moving) return;
    if (!crowd || told_ms - this.#past_ms >= CROWD_PAST_MS) {
      this.#past_ms = told_ms;
      this.#ways.drawPast(past, this.view, tracks, now_ms, this.#replay.main?.key ?? null);
    }
    moving.clearRect(0, 0, this.view.width, this.view.height);
    this.#drawAccuracy(moving, now_ms);
    this.#movers.draw(moving, this.view, tracks, now_ms, /** @type {any} */ (this.#standing));
    this.#drawn_ms = now_ms;
    this.frames += 1;
  }

  /** The subject at a point of the map. @param {number} px @param {number} py */
  hit(px, py) {
    return this.#movers.hit(px, py);
  }

  /** When somebody was at a point of the map: the nearest fix that is drawn there. @param {number} px @param {number} py @returns {number | null} */
  timeAt(px, py) {
    let best = VERTEX_HIT_PX;
    let found = null;
    for (const { pieces } of this.#replay.tracks.value)
      for (const { x, y, t } of pieces)
        for (let i = 0; i < x.length; i++) {
          const far = Math.hypot(this.view.px(x[i] ?? 0) - px, this.view.py(y[i] ?? 0) - py);
          if (far >= best) continue;
          best = far;
          found = t[i] ?? null;
        }
    return found;
  }

  /** @param {import("./track.js").Track[]} tracks */
  #redraw(tracks) {
    this.#stale = false;
    this.#looked_ms = this.#past_ms = -Infinity;
    this.#fit();
    this.view.read(this.#map);
    this.#ways.forget();
    const [still] = this.#contexts;
    if (!still) return;
    const { on, clean } = this.#replay.view.value;
    still.clearRect(0, 0, this.view.width, this.view.height);
    this.#ways.drawStill(still, this.view, tracks, on.has("stops"), this.#replay.main?.key ?? null);
    if (!clean && this.#detail.value) drawRaw(still, this.view, tracks, this.#detail.value);
  }

  /** @param {CanvasRenderingContext2D} context @param {number} now_ms */
  #drawAccuracy(context, now_ms) {
    const detail = this.#detail.value;
    const metresPerPixel = this.#replay.metresPerPixel;
    if (!detail || !metresPerPixel || !this.#replay.view.value.on.has("accuracy")) return;
    drawAccuracy(context, this.view, this.#replay.tracks.value, detail, now_ms, metresPerPixel);
  }

  /** @param {number} told_ms @param {number} now_ms */
  #look(told_ms, now_ms) {
    this.#looked_ms = told_ms;
    const lasting = this.#replay.moments.value.filter(({ at_ms, until_ms }) => at_ms <= now_ms && now_ms < until_ms);
    const subjects = (/** @type {(moment: import("./types").Moment) => boolean} */ wanted) => new Set(lasting.filter(wanted).map(({ subject }) => subject));
    this.#standing = {
      chosen: this.#replay.main?.key ?? null,
      talking: subjects(({ kind }) => kind === "burst"),
      sos: subjects(({ kind, text }) => kind === "alarm" && text === "sos"),
    };
  }

  #fit() {
    const { x, y } = this.#map.getSize();
    const ratio = devicePixelRatio || 1;
    const corner = this.#map.containerPointToLayerPoint([0, 0]);
    this.#canvases.forEach((canvas, i) => {
      if (canvas.width !== Math.round(x * ratio) || canvas.height !== Math.round(y * ratio)) {
        canvas.width = Math.round(x * ratio);
        canvas.height = Math.round(y * ratio);
        canvas.style.setProperty("width", `${x}px`);
        canvas.style.setProperty("height", `${y}px`);
      }
      this.#contexts[i]?.setTransform(ratio, 0, 0, ratio, 0, 0);
      L.DomUtil.setPosition(canvas, corner);
    });
  }

  /** The zoom animation is Leaflet's; the picture of before is stretched with the map. @param {any} event */
  #followZoom(event) {
    this.#zooming = true;
    const scale = this.#map.getZoomScale(event.zoom, this.view.zoom);
    const corner = this.#map.unproject([this.view.left, this.view.top], this.view.zoom);
    const point = this.#map._latLngToNewLayerPoint(corner, event.zoom, event.center);
    for (const canvas of this.#canvases) L.DomUtil.setTransform(canvas, point, scale);
  }
}
