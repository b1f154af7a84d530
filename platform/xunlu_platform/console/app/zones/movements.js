/** Comings and goings as the stream tells them, and the list that follows it. */

import { soon } from "../kit/soon.js";
import { Store } from "../kit/store.js";
import { get, query } from "../net/http.js";

const SHOWN_MAX = 50;
/** When the stream tells that there was more than it can tell, a list is read again this often at most. */
const AGAIN_MS = 1000;

/**
 * @typedef {object} Movement
 * @property {string} id
 * @property {string} did
 * @property {{id: number, number: string, name: string} | null} officer
 * @property {{id: number, name: string, kind: import("./zones.js").Kind} | null} zone null: one of another part of the organisation
 * @property {"enter" | "leave" | "dwell"} kind
 * @property {string} at
 * @property {number | null} severity of the alarm that it raised
 * @property {string} reason
 * @property {boolean} late
 * @property {string | null} withdrawn_at
 */

/** The newest that the stream told; null: a time without it, or more than it can tell. @type {Store<{told: Movement[] | null}>} */
export const movements = new Store(/** @type {{told: Movement[] | null}} */ ({ told: [] }));

/**
 * The last ones of a zone or of a device, newest first, as they happen: read once, then followed by the stream, and read
 * again after a time without it. However often one is told, it stands there once.
 * @param {import("../kit/store.js").Scope} scope
 * @param {{zone?: number, did?: string}} filter
 * @param {(found: Movement[]) => void} show
 * @param {(problem: unknown, again: () => void) => void} fail
 */
export function followMovements(scope, filter, show, fail) {
  /** @type {Map<string, Movement>} */
  let known = new Map();
  /** Told while a list was on its way. @type {Movement[]} */
  let meanwhile = [];
  const take = (/** @type {Movement[]} */ told) => {
    for (const one of told) known.set(one.id, one);
    const newest = [...known.values()].sort((a, b) => Date.parse(b.at) - Date.parse(a.at) || Number(b.id) - Number(a.id));
    known = new Map(newest.slice(0, SHOWN_MAX).map((one) => [one.id, one]));
    show([...known.values()]);
  };
  const load = soon(scope, AGAIN_MS, async () => {
    meanwhile = [];
    try {
      const { items } = await get(`/zones/events${query({ ...filter, withdrawn: "true", limit: SHOWN_MAX })}`);
      if (scope.closed) return;
      known = new Map();
      take([...items, ...meanwhile]);
    } catch (problem) {
      if (!scope.closed) fail(problem, load);
    }
  });
  load();
  let begun = false;
  scope.read(movements, ({ told }) => {
    if (!begun) return void (begun = true);
    if (told === null) return load();
    const mine = told.filter(({ did, zone }) => (filter.did ? did === filter.did : zone?.id === filter.zone));
    if (!mine.length) return;
    meanwhile.push(...mine);
    take(mine);
  });
}
