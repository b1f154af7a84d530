/** From what is known of a device to what is shown: one state, one colour, one shape, one word. */

import { t, word } from "../kit/i18n.js";
import { isWithheld } from "./watch.js";

/**
 * @typedef {"sos" | "rec" | "duty" | "stale" | "nofix" | "nosignal" | "unknown" | "sleep" | "off"} State
 * @typedef {"battery" | "storage" | "clock"} Warning
 */

/** In order of weight: a cluster shows the first that it holds. @type {State[]} */
export const STATES = ["sos", "rec", "duty", "stale", "nofix", "nosignal", "unknown", "sleep", "off"];

/** What counts as on duty in the tree. @type {ReadonlySet<State>} */
export const PRESENT = new Set(/** @type {State[]} */ (["sos", "rec", "duty", "stale", "nofix"]));

const PLANNED = new Set(["shutdown", "sleep", "dock", "update", "reboot"]);
const STALE_INTERVALS = 3;
const INTERVAL_DEFAULT_S = 15;
const BATTERY_LOW_PERCENT = 20;
const STORAGE_LOW_MB = 2048;
const CLOCK_OFF_MS = 5000;
// Of a device outside the map the server tells every ten seconds that it still reports.
const PULSE_MS = 15_000;
// A telephone that lies still reports every few minutes at best.
const TRACKER_SILENT_MS = 15 * 60_000;

/** Whether an officer carries such a device: it can be watched and talked to. @param {string} kind */
export const isCarried = (kind) => kind === "recorder" || kind === "phone";

/**
 * Whether the last fix is young enough to stand for the present.
 * @param {import("../types").Live} live
 * @param {number} now_ms
 */
export function isFresh(live, now_ms) {
  if (live.tms === null) return false;
  const allowed_ms = STALE_INTERVALS * 1000 * (live.interval_s || INTERVAL_DEFAULT_S);
  return now_ms - live.tms <= allowed_ms + (isWithheld(live) ? PULSE_MS : 0);
}

/**
 * @param {import("../types").Live} live
 * @param {number} now_ms server time
 * @param {boolean} linked false: this desk does not hear the server, so nothing is known of the present
 * @returns {State}
 */
export function stateOf(live, now_ms, linked) {
  if (live.sos !== null) return "sos";
  if (!linked) return "unknown";
  if (live.st_ms === null) return trackerState(live, now_ms);
  if (live.st === "online") return presentState(live, now_ms);
  if (live.st === "sleep") return "sleep";
  if (live.st === "offline") return live.why === null || PLANNED.has(live.why) ? "off" : "nosignal";
  return "unknown";
}

/**
 * @param {import("../types").Live} live
 * @param {number} now_ms
 * @returns {State}
 */
function presentState(live, now_ms) {
  if (live.rec) return "rec";
  if (live.lat === null) return "nofix";
  return isFresh(live, now_ms) ? "duty" : "stale";
}

/**
 * A plain tracker never says that it is there: its fixes do.
 * @param {import("../types").Live} live
 * @param {number} now_ms
 * @returns {State}
 */
function trackerState(live, now_ms) {
  if (live.tms === null) return live.st === null ? "unknown" : "off";
  if (isFresh(live, now_ms)) return live.rec ? "rec" : "duty";
  return now_ms - live.tms <= TRACKER_SILENT_MS ? "stale" : "off";
}

/**
 * @param {import("../types").Live} live
 * @returns {Warning[]}
 */
export function warningsOf(live) {
  /** @type {Warning[]} */
  const found = [];
  const charging = live.tele?.bs === 2 || live.tele?.bs === 3;
  if (live.st !== "online") return found;
  if (live.batt !== null && live.batt < BATTERY_LOW_PERCENT && !charging) found.push("battery");
  if ((live.tele?.storage_free_mb ?? STORAGE_LOW_MB) < STORAGE_LOW_MB) found.push("storage");
  if (Math.abs(live.tele?.clock_ms ?? 0) > CLOCK_OFF_MS) found.push("clock");
  return found;
}

/**
 * The word for a state, with the reason where one is known.
 * @param {import("../types").Live} live
 * @param {State} state
 */
export function stateText(live, state) {
  const reason = state === "off" && live.why ? word("why", live.why) : "";
  return reason || t(`state.${state}`);
}

/** Signs of 12 × 12 for lists; the map draws the same shapes. @type {Record<State | "warn", string>} */
export const SIGNS = {
  sos: "M6 0 12 6 6 12 0 6z",
  rec: "M6 1 10 10.5 6 8.4 2 10.5z",
  duty: "M6 1 10 10.5 6 8.4 2 10.5z",
  stale: "M6 2.2a3.8 3.8 0 1 0 .01 0z",
  nofix: "M6 2.2a3.8 3.8 0 1 0 .01 0zM6 4v2.6M6 8v.1",
  nosignal: "M6 2.2a3.8 3.8 0 1 0 .01 0zM3.4 3.4l5.2 5.2",
  unknown: "M6 2.2a3.8 3.8 0 1 0 .01 0z",
  sleep: "M6 3a3 3 0 1 0 .01 0z",
  off: "M6 3a3 3 0 1 0 .01 0z",
  warn: "M6 1 11.5 11H.5z",
};

/** Signs that are outlines, not fills. @type {ReadonlySet<string>} */
export const HOLLOW = new Set(["stale", "nofix", "nosignal", "unknown", "sleep", "off"]);
