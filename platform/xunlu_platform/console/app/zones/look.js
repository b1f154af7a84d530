/** How a zone looks on a map: its kind is a colour, a pattern of the line, and a word. */

import { layersOf } from "../draw/shape.js";
import { h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";

/** @typedef {import("./zones.js").Zone} Zone */

/** @type {Record<import("./zones.js").Kind, import("../draw/shape.js").Line>} */
const LOOKS = {
  responsibility: { colour: "--accent", dash: "10 6" },
  post: { colour: "--duty", dash: "" },
  patrol: { colour: "--accent", dash: "12 4 2 4" },
  watch: { colour: "--warn", dash: "6 3" },
  forbidden: { colour: "--sos", dash: "2 4" },
};
const SVG = "http://www.w3.org/2000/svg";

/**
 * The layers of a zone's shape, not yet on the map.
 * @param {any} map Leaflet's
 * @param {any} shape GeoJSON feature
 * @param {import("./zones.js").Kind} kind
 * @param {boolean} [strong] drawn to be seen above the others
 * @returns {any[]}
 */
export const drawn = (map, shape, kind, strong = false) => layersOf(map, shape, LOOKS[kind], strong);

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
