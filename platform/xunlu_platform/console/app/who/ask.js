/** From a place to a question: which time, and how near. */

import { h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { askWithPlace } from "../incidents/place.js";
import { Problem } from "../net/http.js";
import { isoLocal } from "../review/address.js";
import { gathered } from "../state/desk.js";
import { past, shownNow } from "../state/moment.js";
import { showDevice } from "../command/show.js";
import { ask } from "../view/dialog.js";
import { find } from "./found.js";

/** A click means the place around it. */
const CLICK_M = 50;
const CORNERS_MIN = 4;
/** Before the present, or on both sides of the moment that is shown. */
const BEFORE_MS = 3_600_000;
const AROUND_MS = 300_000;
const WITHIN_M_MAX = 500;

/** @typedef {{lat: number, lng: number}} Corner */

/** What a hand drew: a polygon, or after a click a circle. @param {Corner[]} corners */
export function featureOf(corners) {
  const places = corners.map(({ lat, lng }) => [lng, lat]);
  const [first] = places;
  if (places.length < CORNERS_MIN)
    return { type: "Feature", properties: { radius_m: CLICK_M }, geometry: { type: "Point", coordinates: first } };
  return { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [[...places, first]] } };
}

/** Ask which time is meant. @param {any} shape GeoJSON feature */
export function askWho(shape) {
  ask(t("who"), questions(), t("who.find"), (values) => look(values, shape), { text: t("who.audited") });
}

/** Ask which place is meant, too: it is drawn by its corners, which needs no pointer. @param {Corner[]} ground what the map shows */
export function drawWho(ground) {
  askWithPlace(t("who"), questions(), t("who.find"), look, { ground, text: t("who.audited") });
}

function questions() {
  const now_ms = shownNow();
  const input = (/** @type {number} */ ms) =>
    h("input", { type: "datetime-local", step: 1, required: true, class: "num", value: isoLocal(Math.floor(ms / 1000) * 1000).slice(0, 19) });
  const from = input(now_ms - (past.value ? AROUND_MS : BEFORE_MS));
  const to = input(now_ms + (past.value ? AROUND_MS : 0));
  const within = h("input", { type: "number", min: 0, max: WITHIN_M_MAX, step: 1, value: "0", required: true });
  return [
    { name: "from", label: t("from"), control: from },
    { name: "to", label: t("to"), control: to, hint: t("who.period") },
    { name: "within_m", label: t("who.within"), control: within, hint: t("who.within.do") },
  ];
}

/**
 * @param {Record<string, string>} values
 * @param {any} shape GeoJSON feature; null: none was drawn
 */
async function look({ from = "", to = "", within_m = "" }, shape) {
  if (!shape) throw new Problem(0, t("incident.place.none"), t("who.draw"));
  await find({ shape, from_ms: Date.parse(from), to_ms: Date.parse(to), within_m: Number(within_m) });
  gathered.set(null);
  showDevice(null);
}
