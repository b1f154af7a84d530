/** The look back that belongs to an incident. */

import { addressOf, isoLocal, readView } from "../review/address.js";

/**
 * The look back at it.
 * @param {import("./types").WholeIncident} incident
 * @param {string} [at] where the clock stands
 */
export function replayOf({ subjects, from, to }, at) {
  const view = readView(new URLSearchParams({ s: subjects.map(({ subject }) => subject).join(","), from: isoLocal(Date.parse(from)), to: isoLocal(Date.parse(to)) }));
  return addressOf({ ...view, t_ms: at === undefined ? view.from_ms : Date.parse(at) });
}
