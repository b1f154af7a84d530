/** How a zone looks on a map: its kind is a colour, a pattern of the line, and a word. */

import { h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { token } from "../kit/theme.js";

/** @typedef {import("./zones.js").Zone} Zone */

/** @type {Record<import("./zones.js").Kind, {colour: string, dash: string}>} */
const LOOKS = {
  responsibility: { colour: "--accent", dash: "10 6" },
  post: { colour: "--duty", dash: "" },
  patrol: { colour: "--accent", dash: "12 4 2 4" },
  watch: { colour: "--warn", dash: "6 3" },
  forbidden: { colour: "--sos", dash: "2 4" },
};
const EQUATOR_M = 40_075_016.686;
const SVG = "http://www.w3.org/2000/svg";

/** Pixels of a length at a place. @param {any} map Leaflet's @param {number} lat @param {number} metres */
export function pixels(map, lat, metres) {
  return metres / ((EQUATOR_M * Math.cos((lat * Math.PI) / 180)) / (256 * 2 ** map.getZoom()));
}

/**
 * The layers of a shape, not yet on the map.
 * @param {any} map Leaflet's
 * @param {any} shape GeoJSON feature
 * @param {import("./zones.js").Kind} kind
 * @param {boolean} [strong] drawn to be seen above the others
 * @returns {any[]}
 */
export function drawn(map, shape, kind, strong = false) {
  const { colour, dash } = LOOKS[kind];
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

/** A stroke of a line, for lists and legends. @param {{colour: string, dash: string}} line `colour` is a custom property */
export function stroke({ colour, dash }) {
  const sign = document.createElementNS(SVG, "svg");
  sign.setAttribute("class", "zone-sign");
  sign.setAttribute("viewBox", "0 0 28 12");
  sign.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", "M1 6H27");
  line.setAttribute("stroke-dasharray", dash);
  line.style.setProperty("stroke", `var(${colour})`);
  sign.append(line);
  return sign;
}

/** The sign of a kind. @param {import("./zones.js").Kind} kind */
export const kindSign = (kind) => stroke(LOOKS[kind]);

/** What is to be said of a zone in passing. @param {Zone} zone */
export function summary(zone) {
  return [
    h("b", {}, zone.name),
    h("span", { class: "dim" }, ` ${zone.unit.name}`),
    h("div", { class: "row" }, kindSign(zone.kind), t(`zone.kind.${zone.kind}`)),
    h("div", { class: "dim" }, windowWords(zone)),
    zone.dwell_s_max ? h("div", { class: "dim" }, t("zone.dwell.words", { n: Math.round(zone.dwell_s_max / 60) })) : null,
  ];
}

/** When a rule is in force. @param {import("./zones.js").Rule} rule */
export function windowWords({ window_from, window_to, weekdays }) {
  if (!window_from || !window_to) return t("zone.always");
  const days = weekdays ? weekdays.map((day) => t(`weekday.${day}`)).join(" ") : t("zone.daily");
  return `${days} ${window_from}–${window_to}`;
}
