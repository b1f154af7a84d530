/** The zones that were in force at a moment that is over. */

import { getAll, query } from "../net/http.js";
import { isoLocal } from "../review/address.js";
import { complain } from "../view/notice.js";
import { ZONES_MAX } from "./zones.js";

/** They are asked for anew when the moment is in another hour. */
const HOUR_MS = 3_600_000;
const WAIT_MS = 300;

/**
 * Follow a moment.
 * @param {import("../kit/store.js").Scope} scope
 * @param {(zones: import("./zones.js").Zone[]) => void} show those of the moment; none when they cannot be had
 * @returns {(ms: number | null) => void} says which moment it is; null: none
 */
export function followZones(scope, show) {
  let hour = NaN;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  const load = async (/** @type {number} */ ms) => {
    const asked = hour;
    const found = await getAll(`/zones${query({ at: isoLocal(ms) })}`, ZONES_MAX).catch((problem) => (complain(problem), []));
    if (!scope.closed && asked === hour) show(found);
  };
  scope.onClose(() => clearTimeout(waiting));
  return (ms) => {
    const now = ms === null ? NaN : Math.floor(ms / HOUR_MS);
    if (Object.is(now, hour)) return;
    hour = now;
    clearTimeout(waiting);
    if (ms !== null) waiting = setTimeout(() => void load(ms), WAIT_MS);
  };
}
