/** The address of a look back: everything that somebody else must see to see the same. */

import { go } from "../router.js";

export const SUBJECTS_MAX = 50;
const INCIDENT = /^[1-9]\d{0,14}$/;
const SUBJECT = /^(o[1-9]\d{0,17}|d[\w-]{1,64})$/;
const DAY_MS = 86_400_000;
const RANGE_MAX_MS = 31 * DAY_MS;
/** What can be switched on. */
export const SWITCHES = /** @type {const} */ (["zones", "stops", "accuracy", "live", "skip"]);

/** @typedef {typeof SWITCHES[number]} Switch */

/**
 * @typedef {object} View
 * @property {string[]} subjects `o{officer id}` or `d{did}`, at most 50
 * @property {number} from_ms UTC milliseconds
 * @property {number} to_ms
 * @property {number} t_ms where the clock stands
 * @property {number} rate
 * @property {{lon: number, lat: number, zoom: number} | null} place null: everything in view
 * @property {Set<Switch>} on
 * @property {boolean} clean false: every fix, with what was rejected
 * @property {import("./types").Span | null} lane what the time axis shows; null: the whole range
 * @property {import("./types").Span | null} loop what is played over and over
 * @property {string | null} follow the subject that the map stays on
 * @property {number | null} incident what it is the look back at; without subjects they are its own
 */

/** Today so far: from midnight to the next full hour. @returns {import("./types").Span} */
export function today() {
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  const from_ms = midnight.getTime();
  return { from_ms, to_ms: Math.min(from_ms + DAY_MS, Math.ceil(Date.now() / 3_600_000) * 3_600_000) };
}

/** @param {string | null} text @returns {number} NaN when it is no time */
const instant = (text) => (text ? Date.parse(text) : NaN);

/** @param {URLSearchParams} query @returns {import("./types").Span} */
function rangeOf(query) {
  const [from_ms, to_ms] = [instant(query.get("from")), instant(query.get("to"))];
  if (!(to_ms > from_ms)) return today();
  return { from_ms, to_ms: Math.min(to_ms, from_ms + RANGE_MAX_MS) };
}

/** @param {string | null} text `lon,lat,zoom` @returns {View["place"]} */
function placeOf(text) {
  const [lon = NaN, lat = NaN, zoom = NaN] = (text ?? "").split(",").map(Number);
  return Math.abs(lon) <= 180 && Math.abs(lat) <= 85 && zoom >= 1 && zoom <= 22 ? { lon, lat, zoom } : null;
}

/** @param {string | null} text seconds after the beginning @param {import("./types").Span} range @returns {import("./types").Span | null} */
function stretchOf(text, { from_ms, to_ms }) {
  const [first = NaN, last = NaN] = (text ?? "").split(",").map((part) => from_ms + Number(part) * 1000);
  return last > first && first >= from_ms && first < to_ms ? { from_ms: first, to_ms: Math.min(last, to_ms) } : null;
}

/**
 * Read an address; what makes no sense is left out.
 * @param {URLSearchParams} query
 * @returns {View}
 */
export function readView(query) {
  const named = (query.get("s") ?? "").split(",").filter((one) => SUBJECT.test(one));
  const subjects = [...new Set(named)].slice(0, SUBJECTS_MAX);
  const range = rangeOf(query);
  const t_ms = instant(query.get("t"));
  const on = (query.get("on") ?? "zones,stops").split(",");
  const follow = query.get("follow");
  const incident = query.get("incident") ?? "";
  return {
    subjects,
    ...range,
    t_ms: t_ms >= range.from_ms && t_ms <= range.to_ms ? t_ms : range.from_ms,
    rate: Number(query.get("rate")) || 1,
    place: placeOf(query.get("z")),
    on: new Set(SWITCHES.filter((one) => on.includes(one))),
    clean: query.get("clean") !== "0",
    lane: stretchOf(query.get("lane"), range),
    loop: stretchOf(query.get("loop"), range),
    follow: follow && subjects.includes(follow) ? follow : null,
    incident: INCIDENT.test(incident) ? Number(incident) : null,
  };
}

/**
 * An address that names its incident and nobody, with whom and when of the incident.
 * @param {URLSearchParams} query
 * @param {import("../incidents/types").Incident} incident
 */
export function withIncident(query, { subjects, from, to }) {
  const own = { s: subjects.map(({ subject }) => subject).join(","), from: isoLocal(Date.parse(from)), to: isoLocal(Date.parse(to)) };
  return new URLSearchParams({ ...Object.fromEntries(query), ...own });
}

/** `2026-11-22T13:50:00.000+08:00`: local time, as people speak of it. @param {number} ms */
export function isoLocal(ms) {
  const east_min = -new Date(ms).getTimezoneOffset();
  const size_min = Math.abs(east_min);
  const pad = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const local = new Date(ms + east_min * 60_000).toISOString().replace(/(\.000)?Z$/, "");
  return `${local}${east_min < 0 ? "-" : "+"}${pad(Math.floor(size_min / 60))}:${pad(size_min % 60)}`;
}

/** @param {View} view @returns {string} path and query */
export function addressOf(view) {
  const { from_ms, place } = view;
  const after_s = (/** @type {number} */ ms) => Math.round((ms - from_ms) / 1000);
  const stretch = (/** @type {import("./types").Span | null} */ span) => (span ? `${after_s(span.from_ms)},${after_s(span.to_ms)}` : "");
  const parts = {
    incident: String(view.incident ?? ""),
    s: view.subjects.join(","),
    from: isoLocal(from_ms),
    to: isoLocal(view.to_ms),
    t: view.t_ms === from_ms ? "" : isoLocal(Math.round(view.t_ms)),
    rate: view.rate === 1 ? "" : String(view.rate),
    z: place ? `${place.lon.toFixed(5)},${place.lat.toFixed(5)},${place.zoom}` : "",
    on: [...view.on].join(",") || "none",
    clean: view.clean ? "" : "0",
    lane: stretch(view.lane),
    loop: stretch(view.loop),
    follow: view.follow ?? "",
  };
  const told = Object.entries(parts).filter(([, value]) => value !== "");
  const text = told.map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll("%2C", ",").replaceAll("%3A", ":")}`);
  return `/review?${text.join("&")}`;
}

/** @param {View} view @param {"push" | "replace"} how */
export function goToView(view, how) {
  go(addressOf(view), how);
}

/** The address of one subject's day. @param {string} subject @param {import("./types").Span} [range] */
export function reviewOf(subject, range = today()) {
  return addressOf({ ...readView(new URLSearchParams(`s=${encodeURIComponent(subject)}`)), ...range, t_ms: range.from_ms });
}
