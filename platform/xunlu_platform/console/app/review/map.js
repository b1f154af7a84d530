/** The map of a look back: the console's own ground, the ways above it. Only the person moves it, or whom they follow. */

import { boundsOf } from "../draw/shape.js";
import { fill, h, icon } from "../kit/dom.js";
import { quantity } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { reducedMotion } from "../kit/theme.js";
import { mountBasemap } from "../map/basemap.js";
import { get } from "../net/http.js";
import { place as lastPlace } from "../state/desk.js";
import { complain } from "../view/notice.js";
import { ReviewLayer } from "./layer.js";
import { mountPlace } from "./place.js";
import { mountZones } from "./zones.js";

const FIRST = { lat: 31.23, lon: 121.48, zoom: 14 };
const FIT_ZOOM_MAX = 17;
const FIT_PX = 48;
/** Whom the map follows stays within this part of the middle. */
const CALM_SHARE = 0.3;

export class ReviewMap {
  layer;
  #map;
  #box;
  #replay;
  /** Nobody has moved the map yet: it shows all ways as they come. */
  #untouched;

  /**
   * @param {HTMLElement} box
   * @param {import("./replay.js").Replay} replay
   * @param {import("./detail.js").DetailLoader} loader
   * @param {import("../kit/store.js").Scope} scope
   */
  constructor(box, replay, loader, scope) {
    this.#box = box;
    this.#replay = replay;
    this.#untouched = replay.view.value.place === null;
    const calm = reducedMotion.matches;
    const options = { zoomControl: false, attributionControl: false, minZoom: 3, maxZoom: 20, boxZoom: false, preferCanvas: true };
    this.#map = L.map(box, { ...options, zoomAnimation: !calm, fadeAnimation: !calm, inertia: !calm });
    // A zoom that is under way ends a quarter of a second later, and Leaflet 1.9 fails when its map has gone by then.
    scope.onClose(() => setTimeout(() => this.#map.remove(), 500));
    const start = replay.view.value.place ?? lastPlace.value ?? FIRST;
    this.#map.setView([start.lat, start.lon], start.zoom);
    L.control.scale({ imperial: false, position: "bottomleft", maxWidth: 120 }).addTo(this.#map);
    this.layer = new ReviewLayer(this.#map, replay, loader, scope);
    mountZones(this.#map, replay, scope);
    mountPlace(this.#map, replay, scope);
    this.#tell();
    this.#obey(scope);
    this.#answer(scope);
    void loadGround(this.#map, box, scope).catch(complain);
  }

  /** @param {1 | -1} steps */
  zoom(steps) {
    this.#map.setZoom(this.#map.getZoom() + steps);
  }

  /** Of what is shown, as a ring. @returns {{lat: number, lng: number}[]} */
  get corners() {
    const bounds = this.#map.getBounds();
    return [bounds.getSouthWest(), bounds.getSouthEast(), bounds.getNorthEast(), bounds.getNorthWest()];
  }

  /** Bring every way, and the place of the incident, into view. */
  fit() {
    const bounds = L.latLngBounds([]);
    for (const { bounds: box } of this.#replay.tracks.value) if (box) bounds.extend([degreesOf(box[0], box[1]), degreesOf(box[2], box[3])]);
    const place = this.#replay.incident.value?.place;
    if (place) bounds.extend(boundsOf(place));
    if (!bounds.isValid()) return;
    this.#map.fitBounds(bounds, { padding: [FIT_PX, FIT_PX], maxZoom: FIT_ZOOM_MAX, animate: false });
  }

  /** One frame. @param {number} told_ms steady */
  draw(told_ms) {
    this.#stay();
    this.layer.draw(told_ms);
  }

  /** Whom it follows stays in the middle. */
  #stay() {
    const { follow } = this.#replay.view.value;
    const place = follow ? this.#replay.track(follow)?.at(this.#replay.clock.now_ms) : null;
    if (!place) return;
    const at = degreesOf(place.x, place.y);
    const { x, y } = this.#map.latLngToContainerPoint(at);
    const size = this.#map.getSize();
    const off = Math.max(Math.abs(x / size.x - 0.5), Math.abs(y / size.y - 0.5));
    if (off > CALM_SHARE) this.#map.panTo(at, { animate: false });
  }

  /** @param {import("../kit/store.js").Scope} scope */
  #obey(scope) {
    const replay = this.#replay;
    scope.read(replay.tracks, () => this.#untouched && this.fit());
    scope.read(replay.incident, () => this.#untouched && this.fit());
    scope.read(replay.view, ({ place, follow }) => {
      this.#box.classList.toggle("following", follow !== null);
      if (!place) return;
      const centre = this.#map.getCenter();
      const same = this.#map.getZoom() === place.zoom && Math.abs(centre.lng - place.lon) + Math.abs(centre.lat - place.lat) < 2e-5;
      if (!same) this.#map.setView([place.lat, place.lon], place.zoom, { animate: false });
    });
    const touch = () => (this.#untouched = false);
    for (const type of ["pointerdown", "wheel", "keydown"]) scope.listen(this.#box, type, touch, { passive: true });
    this.#map.on("dragstart", () => replay.view.value.follow && replay.change({ follow: null }));
    this.#map.on("moveend", () => this.#tell());
    const observer = new ResizeObserver(() => (this.#map.invalidateSize({ pan: false }), this.#untouched && this.fit()));
    observer.observe(this.#box);
    scope.onClose(() => observer.disconnect());
  }

  #tell() {
    const { lng, lat } = this.#map.getCenter();
    this.layer.view.read(this.#map);
    this.#replay.zoomed(this.layer.view.metresPerPixel(lat));
    if (this.#untouched || this.#replay.view.value.follow) return;
    this.#replay.change({ place: { lon: Number(lng.toFixed(5)), lat: Number(lat.toFixed(5)), zoom: this.#map.getZoom() } });
  }

  /** @param {import("../kit/store.js").Scope} scope */
  #answer(scope) {
    const tip = h("div", { class: "tip", hidden: true });
    this.#box.append(tip);
    this.#map.on("mousemove", (/** @type {any} */ { containerPoint: { x, y } }) => {
      const track = this.#replay.track(this.layer.hit(x, y) ?? "");
      this.#box.classList.toggle("pointing", track !== null);
      tip.hidden = !track;
      if (!track) return;
      fill(tip, ...this.#describe(track));
      tip.style.setProperty("transform", `translate(${x + 16}px, ${y + 14}px)`);
    });
    this.#map.on("mouseout movestart", () => (tip.hidden = true));
    this.#map.on("click", (/** @type {any} */ { containerPoint: { x, y } }) => {
      const key = this.layer.hit(x, y);
      if (key) return this.#replay.chosen.set(key);
      const ms = this.layer.timeAt(x, y);
      if (ms !== null) this.#replay.clock.seek(ms);
    });
    scope.onClose(() => tip.remove());
  }

  /** @param {import("./track.js").Track} track */
  #describe(track) {
    const { now_ms } = this.#replay.clock;
    const place = track.at(now_ms);
    const state = track.stateAt(now_ms)?.state;
    const speed = place && place.lost_ms === null && Number.isFinite(place.speed) ? quantity(place.speed, "m/s", 1) : "";
    return [
      h("b", {}, track.title),
      h("span", { class: "dim" }, ` ${track.officer?.unit ?? ""}`),
      h("div", {}, t(`review.state.${state ?? "unworn"}`)),
      speed ? h("div", { class: "dim num" }, speed) : null,
      place?.late ? h("div", { class: "row dim" }, icon("history"), t("review.late")) : null,
    ];
  }
}

/** @param {number} x world coordinate @param {number} y @returns {[number, number]} latitude, longitude */
function degreesOf(x, y) {
  return [(Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI, x * 360 - 180];
}

/** @param {any} map @param {HTMLElement} box @param {import("../kit/store.js").Scope} scope */
async function loadGround(map, box, scope) {
  /** @type {import("../map/basemap.js").MapBundle} */
  const bundle = await get("/map");
  if (scope.closed) return;
  mountBasemap(map, bundle, scope);
  const approval = t("map.approval", { number: bundle.approval_number || t("map.approval.none") });
  const words = [[bundle.name, bundle.attribution].filter(Boolean).join(" · "), h("br"), `${approval} · WGS-84`];
  box.parentElement?.append(h("p", { class: "attribution" }, ...words));
}
