/** Which streets of a zone somebody has seen, and which wait since when; drawn on the map by age. */

import { area } from "../draw/check.js";
import { fill, h, icon } from "../kit/dom.js";
import { ago, metres, span, when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { theme, token } from "../kit/theme.js";
import { get, query } from "../net/http.js";
import { busy, failure, notice } from "../view/notice.js";
import { stroke } from "./look.js";
import { meter } from "./presence.js";

/** Hours that may be looked back at. */
const SPANS_H = [2, 8, 24, 72, 168];
const UNSEEN_MAX = 50;
/** Ages of streets: within so many minutes, a colour and a pattern. */
const AGES = [
  { name: "fresh", min: 60, colour: "--duty", dash: "" },
  { name: "recent", min: 240, colour: "--accent", dash: "" },
  { name: "old", min: Infinity, colour: "--warn", dash: "8 4" },
];
const NEVER = { name: "never", min: Infinity, colour: "--sos", dash: "2 5" };

/**
 * @typedef {object} Told
 * @property {number} devices
 * @property {number} area_m2
 * @property {number} area_share
 * @property {number} street_m
 * @property {number} street_all_m
 * @property {number} street_share
 * @property {{name: string, length_m: number, unseen_m: number, seen_at: string | null}[]} unseen
 * @property {any} streets
 */

/**
 * @param {HTMLElement} root
 * @param {any} map Leaflet's
 * @param {import("../kit/store.js").Scope} scope
 * @param {import("./zones.js").Zone} zone
 */
export function mountCoverage(root, map, scope, zone) {
  const hours = h(
    "select",
    { "aria-label": t("coverage.span") },
    SPANS_H.map((n) => h("option", { value: n, selected: n === 8 }, t("coverage.hours", { n }))),
  );
  const result = h("div", { "aria-live": "polite" });
  const lines = L.layerGroup().addTo(map);
  /** @type {Told | null} */
  let told = null;
  const paint = () => {
    lines.clearLayers();
    if (told) lines.addLayer(streetLines(told.streets));
  };
  const load = async () => {
    const now = Date.now();
    const from = new Date(now - Number(hours.value) * 3_600_000).toISOString();
    try {
      told = await get(`/zones/${zone.id}/coverage${query({ from, to: new Date(now).toISOString() })}`);
      if (scope.closed || !told) return;
      paint();
      fill(result, told.street_all_m ? summary(told) : notice(t("coverage.no-streets"), t("coverage.no-streets.do"), "route"));
    } catch (problem) {
      fill(result, failure(problem));
    }
  };
  const show = h("button", { class: "primary", onclick: () => void busy(show, load) }, icon("route"), t("show"));
  root.append(h("section", {}, h("div", { class: "row" }, hours, show)), result);
  scope.read(theme, paint);
  scope.onClose(() => lines.remove());
}

/** @param {number | null} seen_ms */
function ageOf(seen_ms) {
  if (seen_ms === null) return NEVER;
  const min = (Date.now() - seen_ms) / 60_000;
  return AGES.find((age) => min <= age.min) ?? NEVER;
}

/** @param {any} streets GeoJSON */
function streetLines(streets) {
  return L.geoJSON(streets, {
    style: (/** @type {any} */ { properties }) => {
      const { colour, dash } = ageOf(properties.seen_ms);
      return { color: token(colour), dashArray: dash, weight: 4, opacity: 0.9 };
    },
    onEachFeature: (/** @type {any} */ { properties }, /** @type {any} */ layer) => {
      const seen = properties.seen_ms === null ? t("coverage.never") : ago((Date.now() - properties.seen_ms) / 1000);
      layer.bindTooltip(h("span", {}, `${properties.name || t("coverage.unnamed")} · ${seen}`), { sticky: true, className: "zone-tip" });
    },
  });
}

/** @param {Told} told */
function summary(told) {
  const share = t("coverage.streets", { seen: metres(told.street_m), all: metres(told.street_all_m), share: Math.round(told.street_share * 100) });
  const rows = told.unseen.slice(0, UNSEEN_MAX).map(({ name, unseen_m, seen_at }) =>
    h("tr", {}, h("td", {}, name || t("coverage.unnamed")), h("td", { class: "num" }, metres(unseen_m)), h("td", { class: "num" }, seen_at ? when(seen_at) : t("coverage.never"))),
  );
  const head = ["coverage.street", "coverage.unseen", "coverage.seen"].map((label) => h("th", { scope: "col" }, t(label)));
  return [
    h("section", {}, h("p", {}, share), meter(told.street_share, share), h("p", { class: "dim" }, t("coverage.area", { area: area(told.area_m2), share: Math.round(told.area_share * 100), n: told.devices })), legend()),
    h(
      "section",
      {},
      h("h3", {}, t("coverage.waiting"), h("span", { class: "faint" }, told.unseen.length)),
      rows.length ? h("table", { class: "zone-table" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows)) : h("p", { class: "dim" }, t("coverage.all-seen")),
    ),
  ];
}

function legend() {
  const words = (/** @type {typeof NEVER} */ { name, min }) => (Number.isFinite(min) ? t("coverage.within", { span: span(min * 60) }) : t(`coverage.age.${name}`));
  return h("ul", { class: "zone-legend" }, [...AGES, NEVER].map((age) => h("li", { class: "row" }, stroke(age), words(age))));
}
