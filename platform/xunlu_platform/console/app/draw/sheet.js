/** A map to draw on: the same basemap, without officers. */

import { h, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { reducedMotion } from "../kit/theme.js";
import { get } from "../net/http.js";
import { place } from "../state/desk.js";
import { complain } from "../view/notice.js";
import { mountBasemap } from "../map/basemap.js";

const FIRST = { lat: 31.23, lon: 121.48, zoom: 14 };
const ZOOM_MAX = 19;
const ZOOM_MIN = 3;
/** Leaflet 1.9 fails when its map goes while a zoom is under way. */
const REMOVE_AFTER_MS = 500;

/**
 * @param {HTMLElement} box
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountSheet(box, scope) {
  const still = reducedMotion.matches;
  const map = L.map(box, {
    zoomControl: false,
    attributionControl: false,
    minZoom: ZOOM_MIN,
    maxZoom: ZOOM_MAX,
    preferCanvas: true,
    doubleClickZoom: false,
    boxZoom: false,
    fadeAnimation: !still,
    zoomAnimation: !still,
    inertia: !still,
  });
  scope.onClose(() => setTimeout(() => map.remove(), REMOVE_AFTER_MS));
  const start = place.value ?? FIRST;
  map.setView([start.lat, start.lon], start.zoom);
  L.control.scale({ imperial: false, position: "bottomleft", maxWidth: 120 }).addTo(map);
  const observer = new ResizeObserver(() => map.invalidateSize({ pan: false }));
  observer.observe(box);
  scope.onClose(() => observer.disconnect());
  const zoom = (/** @type {string} */ label, /** @type {() => void} */ act, /** @type {string} */ sign) =>
    h("button", { "aria-label": t(label), title: t(label), onclick: act }, icon(sign));
  box.parentElement?.append(
    h("div", { class: "map-bar", role: "toolbar", "aria-label": t("map.tools") }, zoom("zoom.in", () => map.zoomIn(), "zoom-in"), zoom("zoom.out", () => map.zoomOut(), "zoom-out")),
  );
  let untouched = true;
  map.once("movestart", () => (untouched = false));
  void loadBundle(map, box, scope, () => untouched && place.value === null);
  return map;
}

/**
 * @param {any} map
 * @param {HTMLElement} box
 * @param {import("../kit/store.js").Scope} scope
 * @param {() => boolean} unplaced nobody has brought it to a place yet
 */
async function loadBundle(map, box, scope, unplaced) {
  try {
    /** @type {import("../map/basemap.js").MapBundle} */
    const bundle = await get("/map");
    if (scope.closed) return;
    if (unplaced()) map.setView([bundle.center[1], bundle.center[0]], FIRST.zoom, { animate: false });
    mountBasemap(map, bundle, scope);
    const words = [bundle.name, bundle.attribution].filter(Boolean).join(" · ");
    const number = bundle.approval_number || t("map.approval.none");
    box.parentElement?.append(h("p", { class: "attribution" }, words, h("br"), t("map.approval", { number })));
  } catch (problem) {
    complain(problem);
  }
}
