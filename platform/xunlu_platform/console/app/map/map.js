/** The map: only the person moves it. It says to the server what it shows, and draws what comes back. */

import { h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { reducedMotion } from "../kit/theme.js";
import { get } from "../net/http.js";
import { fleet } from "../state/fleet.js";
import { watchArea, watchDevices } from "../state/watch.js";
import { followed, goTo, layers, place, selected, sidebar, tool } from "../state/desk.js";
import { showDevice } from "../command/show.js";
import { complain } from "../view/notice.js";
import { go } from "../router.js";
import { mountZoneLayer } from "../zones/layer.js";
import { mountBasemap } from "./basemap.js";
import { OfficerLayer } from "./officers.js";
import { mountTip } from "./tip.js";
import { mountTools } from "./tools.js";

const CLOSE_ZOOM = 16;
const CLUSTER_STEP = 2;
const ZOOM_MAX = 19;
const REMOVE_AFTER_MS = 500;
const ZOOM_MIN = 3;
/** What the map shows before the bundle is known: the middle of Shanghai. */
const FIRST = { lat: 31.23, lon: 121.48, zoom: 14 };

/**
 * @param {HTMLElement} box
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountMap(box, scope) {
  const map = L.map(box, {
    zoomControl: false,
    attributionControl: false,
    minZoom: ZOOM_MIN,
    maxZoom: ZOOM_MAX,
    zoomSnap: 1,
    preferCanvas: true,
    doubleClickZoom: false,
    boxZoom: false,
    fadeAnimation: !reducedMotion.matches,
    zoomAnimation: !reducedMotion.matches,
    inertia: !reducedMotion.matches,
    keyboard: true,
  });
  // A zoom that is under way ends a quarter of a second later, and Leaflet 1.9 fails when its map has gone by then.
  scope.onClose(() => setTimeout(() => map.remove(), REMOVE_AFTER_MS));
  const start = place.value ?? FIRST;
  map.setView([start.lat, start.lon], start.zoom);
  L.control.scale({ imperial: false, position: "bottomleft", maxWidth: 120 }).addTo(map);
  const zones = mountZoneLayer(map, scope, ({ id }) => go(`/zones?zone=${id}`));
  scope.read(layers, (on) => zones.show(Boolean(on.zones)));
  const officers = new OfficerLayer(map, scope);
  reportWindow(map, scope);
  answerPointer(map, officers);
  mountTip(map, officers, box);
  mountTools(map, box, scope);
  obey(map, box, scope);
  void loadBundle(map, box, scope);
  scope.onClose(observe(map, box));
  return { map, officers };
}

/**
 * The panels lie over the map: the middle of what is seen is not the middle of the map.
 * @param {any} map
 * @param {number} lat
 * @param {number} lon
 * @param {number} zoom
 * @param {boolean} animate
 */
function centreOn(map, lat, lon, zoom, animate) {
  const [left, right] = covered(map.getContainer());
  const middle = map.project([lat, lon], zoom).subtract([(left - right) / 2, 0]);
  map.setView(map.unproject(middle, zoom), zoom, { animate: animate && !reducedMotion.matches });
}

/** Pixels of the map that lie under the panels, left and right. @param {HTMLElement} box @returns {[number, number]} */
function covered(box) {
  const width = (/** @type {string} */ name) =>
    /** @type {HTMLElement | null} */ (box.parentElement?.querySelector(name))?.offsetWidth ?? 0;
  return [sidebar.value ? width(".left") : 0, width(".right:not([hidden])")];
}

/**
 * @param {any} map
 * @param {HTMLElement} box
 */
function observe(map, box) {
  const observer = new ResizeObserver(() => map.invalidateSize({ pan: false }));
  observer.observe(box);
  return () => observer.disconnect();
}

/**
 * @param {any} map
 * @param {import("../kit/store.js").Scope} scope
 */
function reportWindow(map, scope) {
  const report = () => {
    const bounds = map.getBounds().pad(0.1);
    const degrees = (/** @type {number} */ value) => Number(value.toFixed(5));
    watchArea(
      [degrees(bounds.getWest()), degrees(bounds.getSouth()), degrees(bounds.getEast()), degrees(bounds.getNorth())],
      map.getZoom(),
    );
  };
  const name = () =>
    watchDevices(
      "map",
      [selected.value, followed.value].flatMap((did) => did ?? []),
    );
  map.on("moveend", () => {
    const centre = map.getCenter();
    place.set({ lat: centre.lat, lon: centre.lng, zoom: map.getZoom() });
    report();
  });
  report();
  scope.read(selected, name);
  scope.read(followed, name);
}

/**
 * @param {any} map
 * @param {OfficerLayer} officers
 */
function answerPointer(map, officers) {
  map.on("click", (/** @type {any} */ event) => {
    if (tool.value !== "none") return;
    const hit = officers.hit(event.containerPoint.x, event.containerPoint.y);
    if (hit === null) return showDevice(null);
    if ("did" in hit) return showDevice(hit.did, false);
    const [x, y] = officers.clusterAt(hit.cluster);
    map.setView(map.containerPointToLatLng([x, y]), Math.min(ZOOM_MAX, map.getZoom() + CLUSTER_STEP));
  });
  map.on("dblclick", (/** @type {any} */ event) => {
    const hit = officers.hit(event.containerPoint.x, event.containerPoint.y);
    if (hit && "did" in hit) followed.set(hit.did);
    else map.setZoomAround(event.containerPoint, map.getZoom() + 1);
  });
  map.on("dragstart", () => followed.set(null));
}

/**
 * Go where a person asked, and stay on whom a person follows.
 * @param {any} map
 * @param {HTMLElement} box
 * @param {import("../kit/store.js").Scope} scope
 */
function obey(map, box, scope) {
  scope.read(goTo, (target) => {
    if (!target) return;
    goTo.set(null);
    centreOn(map, target.lat, target.lon, target.zoom ?? Math.max(map.getZoom(), CLOSE_ZOOM - 1), true);
  });
  const stay = () => {
    const device = followed.value === null ? undefined : fleet.devices.get(followed.value);
    if (device?.lat != null && device.lon !== null) centreOn(map, device.lat, device.lon, map.getZoom(), true);
  };
  const told = (/** @type {import("../state/fleet.js").Device} */ device) => void (device.did === followed.value && stay());
  fleet.onFix.add(told);
  scope.onClose(() => fleet.onFix.delete(told));
  scope.read(followed, (did) => {
    box.classList.toggle("following", did !== null);
    stay();
  });
}

/**
 * @param {any} map
 * @param {HTMLElement} box
 * @param {import("../kit/store.js").Scope} scope
 */
async function loadBundle(map, box, scope) {
  try {
    /** @type {import("./basemap.js").MapBundle} */
    const bundle = await get("/map");
    if (scope.closed) return;
    if (place.value === null || !map.getBounds().intersects(corners(bundle)))
      centreOn(map, bundle.center[1], bundle.center[0], FIRST.zoom, false);
    mountBasemap(map, bundle, scope);
    const approval = bundle.approval_number || t("map.approval.none");
    box.parentElement?.append(
      h(
        "p",
        { class: "attribution" },
        [bundle.name, bundle.attribution].filter(Boolean).join(" · "),
        h("br"),
        t("map.approval", { number: approval }),
      ),
    );
  } catch (problem) {
    complain(problem);
  }
}

/** @param {import("./basemap.js").MapBundle} bundle */
function corners({ bounds: [west, south, east, north] }) {
  return L.latLngBounds([south, west], [north, east]);
}
