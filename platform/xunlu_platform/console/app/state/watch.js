/**
 * Whose positions the server sends: it withholds those outside the map, except of devices that this desk asked for by
 * name. Of those it only pulses, every ten seconds, that they still report; so they count as stale a little later.
 */

import { Store } from "../kit/store.js";
import { past } from "./moment.js";

/** When a device comes into view, the server needs a moment to send what it had withheld. */
const GRACE_MS = 3000;
const NAMED_MAX = 200;

/** @typedef {[west: number, south: number, east: number, north: number]} Bounds degrees */

/** What the server is told. @type {Store<{bbox: Bounds, zoom: number, selected: string[]} | null>} */
export const watched = new Store(/** @type {{bbox: Bounds, zoom: number, selected: string[]} | null} */ (null));

/** @type {Bounds | null} */
let bounds = null;
let zoom = 0;
let thinned = true;
/** @type {Map<string, string[]>} */
const named = new Map();
/** @type {Set<string>} */
let wanted = new Set();
/** When a device was withheld last, `performance.now()`. @type {Map<string, number>} */
const withheldAt_ms = new Map();

function tell() {
  wanted = new Set([...named.values()].flat().slice(0, NAMED_MAX));
  if (bounds) watched.set({ bbox: bounds, zoom, selected: [...wanted].sort() });
}

/**
 * What the map shows.
 * @param {Bounds} bbox
 * @param {number} level zoom
 */
export function watchArea(bbox, level) {
  bounds = bbox;
  zoom = level;
  tell();
}

/**
 * Devices wanted wherever they are.
 * @param {string} who which part of the desk wants them
 * @param {string[]} dids
 */
export function watchDevices(who, dids) {
  const before = named.get(who) ?? [];
  if (before.length === dids.length && before.every((did, i) => did === dids[i])) return;
  named.set(who, dids);
  tell();
}

/** Whether the server withholds anything at all. @param {boolean} value */
export function setThinned(value) {
  thinned = value;
}

/**
 * Whether nothing can be said of the age of a device's position: it is withheld, or was until a moment ago.
 * @param {import("../types").Live} live
 */
export function isWithheld(live) {
  if (!thinned || past.value || bounds === null || live.lat === null || live.lon === null) return false;
  const [west, south, east, north] = bounds;
  const inside = live.lat >= south && live.lat <= north && live.lon >= west && live.lon <= east;
  const clock = performance.now();
  if (!inside && !wanted.has(live.did)) {
    withheldAt_ms.set(live.did, clock);
    return true;
  }
  const since_ms = withheldAt_ms.get(live.did);
  if (since_ms === undefined) return false;
  if (clock - since_ms < GRACE_MS) return true;
  withheldAt_ms.delete(live.did);
  return false;
}
