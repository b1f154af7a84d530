/** A new incident: of a look back, of who was here, of an alarm, or of an officer. */

import { t } from "../kit/i18n.js";
import { post } from "../net/http.js";
import { go } from "../router.js";
import { officerPicker } from "../manage/choices.js";
import { isoLocal } from "../review/address.js";
import { alarmWord } from "../state/alarms.js";
import { ask } from "../view/dialog.js";
import { askIncident } from "./form.js";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** What came before an alarm explains it. */
const BEFORE_MS = 15 * MINUTE_MS;
const AFTER_MS = 45 * MINUTE_MS;
/** An alarm is about the ground around the fix that came with it. */
const AROUND_M = 100;
const TITLE_MAX = 120;

/** Ask for name, time and place, then show what was made. @param {import("./form.js").Draft & {subjects: string[]}} draft */
export function createIncident({ subjects, ...draft }) {
  askIncident(t("incident.new"), draft, t("create"), async (answer) => {
    const made = await post("/incidents", { ...answer, subjects });
    go(`/incidents/${made.id}`);
  });
}

/**
 * Show the incident of an alarm: a new one, unless there is one already.
 * @param {object} alarm
 * @param {number} alarm.id
 * @param {string} alarm.did
 * @param {string} alarm.kind
 * @param {string | null} alarm.zone name of the zone that it is about
 * @param {string | null} alarm.zone_kind
 * @param {{id: number, number: string, name: string} | null} alarm.officer
 * @param {number} alarm.raised_ms
 * @param {number | null} alarm.lat
 * @param {number | null} alarm.lon
 */
export async function openOfAlarm({ id, did, kind, zone, zone_kind, officer, raised_ms, lat, lon }) {
  const who = officer ? `${officer.name} ${officer.number}` : did;
  const known = await post("/incidents", {
    title: [alarmWord(kind, zone_kind), zone, who].filter(Boolean).join(" ").slice(0, TITLE_MAX),
    from: isoLocal(raised_ms - BEFORE_MS),
    to: isoLocal(raised_ms + AFTER_MS),
    subjects: [officer ? `o${officer.id}` : `d${did}`],
    place: lat === null || lon === null ? null : { type: "Feature", properties: { radius_m: AROUND_M }, geometry: { type: "Point", coordinates: [lon, lat] } },
    alarm_id: id,
  });
  go(`/incidents/${known.id}`);
}

/** Of somebody who is looked for first; the hour that is over. */
export async function createOfOfficer() {
  const { select, filter } = await officerPicker(() => true);
  const questions = [
    { name: "find", label: t("officer"), control: filter },
    { name: "officer", label: t("incident.field.subjects"), control: select, hint: t("incident.more.later") },
  ];
  ask(t("incident.new"), questions, t("incident.next"), async ({ officer }) => {
    const now_ms = Date.now();
    createIncident({ title: "", subjects: [`o${officer}`], from_ms: now_ms - HOUR_MS, to_ms: now_ms });
  });
}
