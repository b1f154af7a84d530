/** A new incident: of a look back, of an alarm, or of an officer. */

import { h } from "../kit/dom.js";
import { t, word } from "../kit/i18n.js";
import { post } from "../net/http.js";
import { go } from "../router.js";
import { officerPicker } from "../manage/choices.js";
import { isoLocal } from "../review/address.js";
import { ask } from "../view/dialog.js";

/** @typedef {{title: string, subjects: string[], from_ms: number, to_ms: number, alarm_id?: number}} Draft */

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** What came before an alarm explains it. */
const BEFORE_MS = 15 * MINUTE_MS;
const AFTER_MS = 45 * MINUTE_MS;

/**
 * A moment that a person sets, to the second.
 * @param {number} ms
 */
export function timeInput(ms) {
  const control = h("input", { type: "datetime-local", step: 1, required: true });
  control.value = isoLocal(Math.floor(ms / 1000) * 1000).slice(0, 19);
  return control;
}

/** @param {string | undefined} local of `timeInput` */
export const timeOf = (local) => isoLocal(new Date(local ?? "").getTime());

/** @param {string} [title] */
export function titleInput(title = "") {
  return h("input", { value: title, maxlength: 120, required: true });
}

/** Ask for a name and the time, then show what was made. @param {Draft} draft */
export function createIncident({ title, subjects, from_ms, to_ms, alarm_id }) {
  const questions = [
    { name: "title", label: t("incident.field.title"), control: titleInput(title) },
    { name: "from", label: t("incident.field.from"), control: timeInput(from_ms) },
    { name: "to", label: t("incident.field.to"), control: timeInput(to_ms) },
  ];
  ask(t("incident.new"), questions, t("create"), async (values) => {
    const made = await post("/incidents", { title: values["title"], from: timeOf(values["from"]), to: timeOf(values["to"]), subjects, alarm_id: alarm_id ?? null });
    go(`/incidents/${made.id}`);
  });
}

/** @param {import("../types").AlarmRecord} alarm */
export function createOfAlarm({ id, did, kind, officer, raised_at }) {
  const raised_ms = Date.parse(raised_at);
  createIncident({
    title: `${word("alarm.kind", kind)} ${officer ? `${officer.name} ${officer.number}` : did}`,
    subjects: [officer ? `o${officer.id}` : `d${did}`],
    from_ms: raised_ms - BEFORE_MS,
    to_ms: raised_ms + AFTER_MS,
    alarm_id: id,
  });
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
