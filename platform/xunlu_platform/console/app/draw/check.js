/** What the server makes of a drawing before it is saved: its size, its doubts, and the shape that would be saved. */

import { fill, h, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { Store } from "../kit/store.js";
import { theme, token } from "../kit/theme.js";
import { post } from "../net/http.js";
import { failure } from "../view/notice.js";
import { isWhole, toShape } from "./drawing.js";

const WAIT_MS = 300;
const KM2_FROM = 1e5;

/** @typedef {{shape: any, area: any, area_m2: number, doubts: {code: string, text: string}[]}} Checked */

/**
 * Ask each time that the drawing rests.
 * @param {any} map Leaflet's
 * @param {import("./sketch.js").Sketch} sketch
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountCheck(map, sketch, scope) {
  const element = h("section", { class: "zone-check", role: "status" });
  /** Null while it cannot be saved. @type {Store<Checked | null>} */
  const checked = new Store(/** @type {Checked | null} */ (null));
  const repaired = L.layerGroup().addTo(map);
  let asked = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  const ask = async (/** @type {number} */ number) => {
    try {
      const answer = await post("/zones/check", { shape: toShape(sketch.drawing.value) });
      if (number !== asked) return;
      checked.set(answer);
      fill(element, verdict(answer));
    } catch (problem) {
      if (number === asked) fill(element, failure(problem));
    }
  };
  scope.read(sketch.drawing, (drawing) => {
    const number = ++asked;
    clearTimeout(waiting);
    checked.set(null);
    if (!drawing.done || !isWhole(drawing)) return void fill(element);
    waiting = setTimeout(() => void ask(number), WAIT_MS);
  });
  const paint = () => {
    repaired.clearLayers();
    const told = checked.value;
    if (!told?.doubts.some(({ code }) => code === "repaired")) return;
    const style = { color: token("--warn"), fillColor: token("--warn"), weight: 2, dashArray: "4 3", fillOpacity: 0.15, interactive: false };
    repaired.addLayer(L.geoJSON(told.area, { style, interactive: false }));
  };
  scope.read(checked, paint);
  scope.read(theme, paint);
  scope.onClose(() => (clearTimeout(waiting), (asked += 1), repaired.remove()));
  return { element, checked };
}

/** How large. @param {number} m2 */
export function area(m2) {
  return m2 < KM2_FROM ? `${Math.round(m2)} m²` : `${(m2 / 1e6).toFixed(2)} km²`;
}

/** Size and doubts in words. @param {Checked} checked */
export function verdict({ area_m2, doubts }) {
  const rows = doubts.map(({ code }) => h("li", { class: "row is-warn" }, icon("triangle-alert"), t(`zone.doubt.${code}`)));
  return [
    h("div", { class: "row" }, icon("check"), t("zone.area", { area: area(area_m2) })),
    rows.length ? h("ul", { class: "doubts" }, rows) : null,
  ];
}
