/** The organisation tree of this desk's scope, with counts by state. */

import { Store } from "../kit/store.js";
import { getAll } from "../net/http.js";
import { PRESENT } from "./display.js";
import { fleet } from "./fleet.js";

/**
 * @typedef {object} Counts
 * @property {number} total
 * @property {number} present heard from and on duty
 * @property {number} rec
 * @property {number} sos
 * @property {number} warn
 */

/** @type {Store<import("../types").Unit[]>} */
export const units = new Store(/** @type {import("../types").Unit[]} */ ([]));

let logins = 0;

/** Ask for all units. @throws {import("../net/http.js").Problem} */
export async function loadUnits() {
  const login = logins;
  const found = await getAll("/units");
  if (login === logins) units.set(found);
}

/** Ask for them unless they are known. @throws {import("../net/http.js").Problem} */
export async function knowUnits() {
  if (!units.value.length) await loadUnits();
}

/** The next login sees nothing of this one. */
export function forgetUnits() {
  logins += 1;
  units.set([]);
}

/** @param {number | null | undefined} id */
export function unitById(id) {
  return units.value.find((unit) => unit.id === id) ?? null;
}

/** @param {number | null | undefined} id */
export function unitName(id) {
  return unitById(id)?.name ?? "—";
}

/** Units without a parent in scope. */
export function rootUnits() {
  const ids = new Set(units.value.map((unit) => unit.id));
  return units.value.filter((unit) => unit.parent_id === null || !ids.has(unit.parent_id));
}

/** @param {number} id */
export function childrenOf(id) {
  return units.value.filter((unit) => unit.parent_id === id);
}

/** Units in the order of the tree, with depth: for choices. */
export function unitsInOrder() {
  /** @type {{unit: import("../types").Unit, depth: number}[]} */
  const out = [];
  const walk = (/** @type {import("../types").Unit} */ unit, /** @type {number} */ depth) => {
    out.push({ unit, depth });
    for (const child of childrenOf(unit.id)) walk(child, depth + 1);
  };
  for (const root of rootUnits()) walk(root, 0);
  return out;
}

/** Whether a unit is another or lies below it. @param {number | null} id @param {string} path */
export function isBelow(id, path) {
  return unitById(id)?.path.startsWith(path) ?? false;
}

/** @returns {Counts} */
const none = () => ({ total: 0, present: 0, rec: 0, sos: 0, warn: 0 });

/** Counts of each unit with everything below it, by unit id. @returns {Map<number, Counts>} */
export function countUnits() {
  /** @type {Map<number, Counts>} */
  const counts = new Map(units.value.map((unit) => [unit.id, none()]));
  const ancestors = new Map(units.value.map((unit) => [unit.id, unit.path.split("/").filter(Boolean).map(Number)]));
  for (const device of fleet.order) {
    if (device.unit === null || device.kind === "station") continue;
    for (const id of ancestors.get(device.unit) ?? []) {
      const count = counts.get(id);
      if (count) add(count, device);
    }
  }
  return counts;
}

/**
 * @param {Counts} count
 * @param {import("./fleet.js").Device} device
 */
function add(count, device) {
  count.total += 1;
  if (PRESENT.has(device.state)) count.present += 1;
  if (device.state === "rec") count.rec += 1;
  if (device.state === "sos") count.sos += 1;
  if (device.warnings.length) count.warn += 1;
}
