/** A shape that was drawn, on a map: polygons, circles of metres, corridors as wide as they are. */

import { theme, token } from "../kit/theme.js";

const EQUATOR_M = 40_075_016.686;

/** How the line of a shape looks; `colour` is a custom property. @typedef {{colour: string, dash: string}} Line */

/** Pixels of a length at a place. @param {any} map Leaflet's @param {number} lat @param {number} metres */
export function pixels(map, lat, metres) {
  return metres / ((EQUATOR_M * Math.cos((lat * Math.PI) / 180)) / (256 * 2 ** map.getZoom()));
}

/**
 * The layers of a shape, not yet on the map.
 * @param {any} map Leaflet's
 * @param {any} shape GeoJSON feature
 * @param {Line} look
 * @param {boolean} [strong] drawn to be seen above others
 * @returns {any[]}
 */
export function layersOf(map, shape, { colour, dash }, strong = false) {
  const line = { color: token(colour), fillColor: token(colour), weight: strong ? 3 : 1.6, opacity: 0.95, dashArray: dash, interactive: false };
  const { radius_m, width_m } = shape.properties ?? {};
  const swath = { ...line, width_m, opacity: strong ? 0.45 : 0.25, dashArray: "", lineCap: "round", fill: false };
  const options = {
    interactive: false,
    style: () => (width_m ? swath : { ...line, fillOpacity: strong ? 0.16 : 0.07 }),
    pointToLayer: (/** @type {any} */ _feature, /** @type {any} */ at) => L.circle(at, { ...line, radius: radius_m, fillOpacity: strong ? 0.16 : 0.07 }),
  };
  const layers = L.geoJSON(shape, options).getLayers();
  if (width_m) layers.push(...L.geoJSON(shape, { interactive: false, style: () => ({ ...line, fill: false }) }).getLayers());
  for (const layer of layers) widen(map, layer);
  return layers;
}

/** A corridor is as wide as it is in metres: tell its line after every zoom. @param {any} map @param {any} layer */
export function widen(map, layer) {
  const { width_m } = layer.options;
  if (width_m) layer.setStyle({ weight: Math.max(2, pixels(map, layer.getBounds().getCenter().lat, width_m)) });
}

/** What a shape covers. @param {any} shape GeoJSON feature */
export function boundsOf(shape) {
  const { radius_m, width_m } = shape.properties ?? {};
  const flat = shape.geometry.coordinates.flat(Infinity);
  const grown = L.latLngBounds([]);
  for (let i = 0; i < flat.length; i += 2) grown.extend(L.latLng(flat[i + 1], flat[i]).toBounds(2 * (radius_m ?? 0) + (width_m ?? 0) + 1));
  return grown;
}

/**
 * Keep one shape on a map, in the colours of the theme.
 * @param {any} map Leaflet's
 * @param {import("../kit/store.js").Scope} scope
 * @param {Line} look
 * @returns {(shape: any) => void} shows another one; null: none
 */
export function keepShape(map, scope, look) {
  /** @type {any} */
  let kept = null;
  /** @type {any[]} */
  let layers = [];
  const paint = () => {
    for (const layer of layers) layer.remove();
    layers = kept ? layersOf(map, kept, look, true).map((layer) => layer.addTo(map)) : [];
  };
  map.on("zoomend", () => layers.forEach((layer) => widen(map, layer)));
  scope.read(theme, paint);
  return (shape) => {
    kept = shape;
    paint();
  };
}
