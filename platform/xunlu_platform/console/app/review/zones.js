/** The zones that were in force at the time of the clock. */

import { theme, token } from "../kit/theme.js";
import { getAll, query } from "../net/http.js";
import { complain } from "../view/notice.js";
import { isoLocal } from "./address.js";

/** Zones are asked for anew when the clock is in another hour. */
const HOUR_MS = 3_600_000;
const ZONES_MAX = 2000;
const WAIT_MS = 300;
/** Kinds are told apart by their lines as well. */
const DASHES = /** @type {Record<string, string>} */ ({ responsibility: "10 6", post: "", forbidden: "2 4", watch: "6 3", patrol: "12 4 2 4" });

/**
 * @param {any} map Leaflet's
 * @param {import("./replay.js").Replay} replay
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountZones(map, replay, scope) {
  const group = L.layerGroup();
  let hour = NaN;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  const load = async () => {
    const asked = hour;
    const zones = await getAll(`/zones${query({ at: isoLocal(replay.clock.now_ms) })}`, ZONES_MAX);
    if (scope.closed || asked !== hour) return;
    group.clearLayers();
    for (const zone of zones) for (const layer of drawn(map, zone)) group.addLayer(layer);
  };
  const settle = () => {
    const shown = replay.view.value.on.has("zones");
    if (shown !== map.hasLayer(group)) group[shown ? "addTo" : "remove"](map);
    const now = shown ? Math.floor(replay.clock.now_ms / HOUR_MS) : NaN;
    if (Object.is(now, hour)) return;
    hour = now;
    clearTimeout(waiting);
    if (shown) waiting = setTimeout(() => void load().catch(complain), WAIT_MS);
  };
  scope.read(replay.view, settle);
  scope.read(replay.clock.time, settle);
  scope.read(theme, () => ((hour = NaN), settle()));
  map.on("zoomend", () => group.eachLayer((/** @type {any} */ layer) => layer.options.width_m && layer.setStyle({ weight: widthOf(map, layer) })));
  scope.onClose(() => clearTimeout(waiting));
}

/** @param {string} kind */
function colourOf(kind) {
  if (kind === "forbidden") return token("--sos");
  return token(kind === "watch" ? "--warn" : "--accent");
}

/** Pixels that a corridor is wide. @param {any} map @param {any} layer */
function widthOf(map, layer) {
  const lat = layer.getBounds().getCenter().lat;
  return Math.max(2, layer.options.width_m / ((40_075_016.686 * Math.cos((lat * Math.PI) / 180)) / (256 * 2 ** map.getZoom())));
}

/** @param {any} map @param {{name: string, kind: string, shape: any}} zone @returns {any[]} */
function drawn(map, { name, kind, shape }) {
  const colour = colourOf(kind);
  const style = { color: colour, weight: 1.6, opacity: 0.9, dashArray: DASHES[kind] ?? "", fillColor: colour, fillOpacity: 0.07, interactive: false };
  const { radius_m, width_m } = shape.properties ?? {};
  const layers = L.geoJSON(shape, {
    interactive: false,
    style: () => (width_m ? { ...style, opacity: 0.25, dashArray: "", lineCap: "round", width_m } : style),
    pointToLayer: (/** @type {any} */ _feature, /** @type {any} */ latlng) => L.circle(latlng, { ...style, radius: radius_m ?? 20 }),
  }).getLayers();
  for (const layer of layers) {
    if (width_m) layer.setStyle({ weight: widthOf(map, layer) });
    layer.bindTooltip(name, { permanent: true, direction: "center", className: "zone-name" });
  }
  return layers;
}
