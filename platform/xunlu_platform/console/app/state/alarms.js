/** Open alarms: severity first, then time. The tone rings while one is not acknowledged. */

import { Store } from "../kit/store.js";
import { word } from "../kit/i18n.js";
import { ringOnce, setRinging } from "../kit/sound.js";
import { post } from "../net/http.js";

/** @type {Store<import("../types").Alarm[]>} */
export const alarms = new Store(/** @type {import("../types").Alarm[]} */ ([]));

/** An alarm below this severity is about a rule, not a person in danger: it rings once. */
const RINGS_ON = 2;

let rung = 0;
alarms.read((open) => {
  const fresh = open.filter((alarm) => alarm.state === "new");
  setRinging(fresh.some((alarm) => alarm.severity >= RINGS_ON));
  const newest = Math.max(0, ...fresh.map((alarm) => alarm.id));
  if (newest > rung && fresh.every((alarm) => alarm.severity < RINGS_ON)) ringOnce();
  rung = Math.max(rung, newest);
});

/** @param {any} raw as REST or the stream tells it */
function parse(raw) {
  const ms = (/** @type {string} */ name) => raw[`${name}_ms`] ?? (raw[`${name}_at`] ? Date.parse(raw[`${name}_at`]) : null);
  const fix = raw.fix_ms ?? (raw.fix_time ? Date.parse(raw.fix_time) : null);
  return {
    ...raw,
    raised_ms: ms("raised"),
    acknowledged_ms: ms("acknowledged"),
    cancelled_ms: ms("cancelled"),
    withdrawn_ms: ms("withdrawn"),
    fix_ms: fix,
    zone: raw.zone?.name ?? null,
    zone_kind: raw.zone?.kind ?? null,
  };
}

/** @param {import("../types").Alarm[]} open */
function put(open) {
  const order = (/** @type {import("../types").Alarm} */ a) => (a.state === "new" ? 0 : 1);
  alarms.set([...open].sort((a, b) => order(a) - order(b) || b.severity - a.severity || a.raised_ms - b.raised_ms));
}

/** @param {any[]} raw every open alarm */
export function replaceAlarms(raw) {
  put(raw.map(parse));
}

/** Some alarms are new or changed. @param {any[]} raw */
export function mergeAlarms(raw) {
  if (!raw.length) return;
  const changed = raw.map(parse);
  const ids = new Set(changed.map(({ id }) => id));
  const others = alarms.value.filter(({ id }) => !ids.has(id));
  put([...others, ...changed.filter(({ state }) => state === "new" || state === "acknowledged")]);
}

/**
 * What an alarm is about; whoever leaves a post goes off it.
 * @param {string} kind
 * @param {string | null | undefined} zoneKind
 */
export const alarmWord = (kind, zoneKind) => word("alarm.kind", zoneKind === "post" && kind === "zone_leave" ? "post_leave" : kind);

/** @param {number} id */
export async function acknowledge(id) {
  mergeAlarms([await post(`/alarms/${id}/acknowledge`)]);
}

/**
 * @param {number} id
 * @param {"resolve" | "false"} how
 * @param {string} note
 */
export async function closeAlarm(id, how, note) {
  mergeAlarms([await post(`/alarms/${id}/${how}`, { note })]);
}
