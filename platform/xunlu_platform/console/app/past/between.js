/**
 * What is known of a moment between two snapshots. Who reported at both ends without a gap went from the one place to the other;
 * who did not stands at the old place until the new fix: nobody moves across a gap.
 */

/** @typedef {import("../types").Live} Live */
/** @typedef {import("./snapshots.js").Snapshot} Snapshot */
/** @typedef {Partial<Live> & {did: string}} Part */

/** As of trails: a longer silence is a gap. */
const GAP_MS = 60_000;
/** Degrees of latitude a second that nobody goes: about 70 m/s. */
const JUMP_DEG_S = 70 / 111_320;

/**
 * What changed since the earlier snapshot, as parts to merge over it.
 * @param {Snapshot} before
 * @param {Snapshot} after
 * @param {number} ms between the two
 * @returns {Part[]}
 */
export function between(before, after, ms) {
  const sos = openSos(alarmsAt(before, after, ms));
  /** @type {Part[]} */
  const parts = [];
  for (const then of before.devices.values()) {
    const next = after.devices.get(then.did);
    if (!next) continue;
    const part = { ...place(then, next, ms), ...availability(then, next, ms) };
    const alarm = sos.get(then.did) ?? null;
    if (Object.keys(part).length || alarm !== then.sos) parts.push({ did: then.did, sos: alarm, ...part });
  }
  return parts;
}

/** Alarms that were open. @param {Snapshot} before @param {Snapshot} after @param {number} ms */
export function alarmsAt(before, after, ms) {
  const raised = after.alarms.filter((alarm) => alarm.raised_ms > before.at_ms && alarm.raised_ms <= ms);
  return [...before.alarms, ...raised];
}

/** @param {import("../types").Alarm[]} alarms @returns {Map<string, number>} */
const openSos = (alarms) => new Map(alarms.filter(({ kind }) => kind === "sos").map(({ did, id }) => [did, id]));

/** @param {Live} then @param {Live} next @param {number} ms @returns {Partial<Live>} */
function place(then, next, ms) {
  if (next.tms === null || next.tms === then.tms) return {};
  const { lat, lon, tms, acc, spd, cog, sat, bds, rec } = next;
  if (next.tms <= ms) return { lat, lon, tms, acc, spd, cog, sat, bds, rec };
  if (!walked(then, next)) return {};
  const [lat0, lon0, tms0] = [then.lat ?? 0, then.lon ?? 0, then.tms ?? 0];
  const f = Math.min(1, Math.max(0, (ms - tms0) / (next.tms - tms0)));
  return { lat: lat0 + ((lat ?? 0) - lat0) * f, lon: lon0 + ((lon ?? 0) - lon0) * f, tms: Math.min(ms, next.tms), cog, spd };
}

/** Whether two fixes are two moments of one way. @param {Live} then @param {Live} next */
function walked(then, next) {
  if (then.lat === null || then.lon === null || then.tms === null) return false;
  if (next.lat === null || next.lon === null || next.tms === null) return false;
  const step_ms = next.tms - then.tms;
  const far_deg = Math.hypot(next.lat - then.lat, next.lon - then.lon);
  return step_ms > 0 && step_ms <= GAP_MS && far_deg <= (JUMP_DEG_S * step_ms) / 1000;
}

/** @param {Live} then @param {Live} next @param {number} ms @returns {Partial<Live>} */
function availability(then, next, ms) {
  const { st, st_ms, why } = next;
  return st_ms !== null && st_ms !== then.st_ms && st_ms <= ms ? { st, st_ms, why } : {};
}
