/** The look back that belongs to an incident. */

import { query } from "../net/http.js";
import { isoLocal } from "../review/address.js";

/**
 * @param {{id: number}} incident
 * @param {string} [at] where the clock stands
 */
export function replayOf({ id }, at) {
  return `/review${query({ incident: id, t: at && isoLocal(Date.parse(at)) })}`;
}
