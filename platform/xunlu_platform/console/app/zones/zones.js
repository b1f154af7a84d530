/** The zones in force in this desk's scope; the stream says when they have changed. */

import { Store } from "../kit/store.js";
import { getAll } from "../net/http.js";

/** So many are asked for at most. */
export const ZONES_MAX = 5000;

/** @typedef {"responsibility" | "post" | "forbidden" | "watch" | "patrol"} Kind */

/**
 * @typedef {object} Rule
 * @property {number | null} dwell_s_max
 * @property {0 | 1 | 2 | null} severity of its alarms; null: by its kind
 * @property {string | null} window_from `HH:MM`, the organisation's time
 * @property {string | null} window_to
 * @property {number[] | null} weekdays 1 is Monday
 */

/**
 * A zone as the interface tells it; `shape` is a GeoJSON feature.
 * @typedef {Rule & {id: number, name: string, kind: Kind, unit: {id: number, name: string}, version_id: number, shape: any,
 *   valid_from: string, valid_to: string | null, units: {id: number, name: string}[],
 *   officers: {id: number, number: string, name: string}[]}} Zone
 */

/** @type {Kind[]} */
export const KINDS = ["responsibility", "post", "patrol", "watch", "forbidden"];

/** Null until they were asked for. @type {Store<Zone[] | null>} */
export const zones = new Store(/** @type {Zone[] | null} */ (null));

let asked = 0;

/** Ask for all zones. @throws {import("../net/http.js").Problem} */
export async function loadZones() {
  const number = ++asked;
  const found = await getAll("/zones", ZONES_MAX);
  if (number === asked) zones.set(found);
}

/** Ask again, when anybody wanted them before. */
export async function reloadZones() {
  if (zones.value !== null) await loadZones();
}

/** The next login sees nothing of this one. */
export function forgetZones() {
  asked += 1;
  zones.set(null);
}

/** @param {number | null} id */
export function zoneById(id) {
  return zones.value?.find((zone) => zone.id === id) ?? null;
}
