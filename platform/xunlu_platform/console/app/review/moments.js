/** What happened, in words and signs: the same in the list, on the lanes and in the tips. */

import { shape } from "../kit/dom.js";
import { span } from "../kit/format.js";
import { t, word } from "../kit/i18n.js";

/** @typedef {import("./types").Moment} Moment */
/** @typedef {"talk" | "alarms" | "orders" | "zones" | "incidents"} Lane */

/** Signs are told apart without colour. */
export const SIGNS = {
  alarm: "M6 0l6 6-6 6-6-6z",
  event: "M2 0h8v12L6 8.6 2 12z",
  command: "M0 1.5h12v9H0z",
  zone_enter: "M6 1l6 10H0z",
  zone_leave: "M6 11L0 1h12z",
  zone_dwell: "M6 1a5 5 0 1 0 .01 0z",
  burst: "M0 4h3l4-3.5v11L3 8H0z",
  recording: "M1 1l10 5-10 5z",
  incident: "M0 2h5l1.5 2H12v7H0z",
  step_mark: "M6 0l1.8 4 4.2.4-3.2 2.9 1 4.4L6 9.4 2.2 11.7l1-4.4L0 4.4 4.2 4z",
  viewing: "M0 6c3-5 9-5 12 0-3 5-9 5-12 0z",
};

/** The lane that shows a kind. @param {Moment} moment @returns {Lane | null} */
export function laneOf({ kind }) {
  if (kind === "burst") return "talk";
  if (kind === "alarm" || kind === "event") return "alarms";
  if (kind === "command") return "orders";
  if (kind === "incident" || kind === "step_mark") return "incidents";
  return kind.startsWith("zone_") ? "zones" : null;
}

/** Key moments: what a person goes to; recordings and talk have lists of their own. @param {Moment} moment */
export const isKey = ({ kind }) => kind !== "recording" && kind !== "burst" && kind !== "viewing";

/** Whoever said what the subjects heard; null: one of them said it. @param {Moment} burst @returns {string | null} */
export const talkerOf = ({ detail }) => detail["by"] ?? null;

/** The talk group. Of what was heard, the text names whoever said it as well. @param {Moment} burst */
export function groupOf(burst) {
  const talker = talkerOf(burst);
  return talker === null ? burst.text : burst.text.slice(0, -` · ${talker}`.length);
}

/** @param {Moment} burst */
function burstWords(burst) {
  const who = talkerOf(burst);
  const group = groupOf(burst);
  return who === null ? t("review.moment.burst", { group }) : t("review.moment.heard", { who, group });
}

/** With what an order says. @param {Moment} command */
function commandWords({ text, detail }) {
  const said = detail["args"]?.["text"];
  return t("review.moment.command", { what: word("command", text) }) + (said ? ` “${said}”` : "");
}

/** @param {Moment} moment */
export function wordsOf(moment) {
  const { kind, text, detail, at_ms, until_ms } = moment;
  const took = until_ms > at_ms ? ` ${span((until_ms - at_ms) / 1000)}` : "";
  if (kind === "alarm") return t("review.moment.alarm", { what: word("alarm.kind", text) });
  if (kind === "event") return word("event", text);
  if (kind === "command") return commandWords(moment);
  if (kind === "burst") return burstWords(moment) + took;
  if (kind === "recording") return t("recordings") + took;
  if (kind === "viewing") return t("review.moment.viewing", { who: text });
  if (kind === "incident") return t("review.moment.incident", { title: text }) + (detail["closed"] ? ` · ${t("incident.closed")}` : "");
  if (kind === "step_mark") return `${text} · ${detail["title"]}`;
  return t(`review.moment.${kind}`, { zone: text || t("review.zone.hidden") }) + (detail["late"] ? ` · ${t("review.late")}` : "");
}

/** @param {Moment} moment @returns {"" | "bad" | "warn"} */
export function gravityOf({ kind, detail }) {
  if (kind === "alarm") return Number(detail["severity"]) >= 3 ? "bad" : "warn";
  return kind === "zone_dwell" ? "warn" : "";
}

/** @param {Moment} moment */
export function signOf(moment) {
  const gravity = gravityOf(moment);
  return shape(SIGNS[moment.kind], `sign ${gravity === "bad" ? "is-sos" : gravity === "warn" ? "is-warn" : ""}`);
}

/** Stretches of a recording without a picture, in order of time. @param {Moment} moment @returns {import("./types").Span[]} */
export const gapsOf = ({ detail }) => detail["gaps"] ?? [];

/** The incident that a moment belongs to. @param {Moment} moment @returns {number | null} */
export const incidentOf = ({ detail }) => detail["incident"] ?? null;

/** Nobody's: it concerns everybody who has part in an incident, and the answer names the first. @param {any} record */
const isOfAll = ({ kind, detail }) => kind === "incident" || (kind === "step_mark" && detail["about"] === null);

/** @param {any} record of the answer @returns {Moment} */
export function momentOf(record) {
  const at_ms = Date.parse(record.at);
  const subject = isOfAll(record) ? "" : record.subject;
  // An alarm without an end is one that nobody has closed.
  const last_ms = record.kind === "alarm" ? Infinity : at_ms;
  return { ...record, subject, at_ms, until_ms: record.until ? Date.parse(record.until) : last_ms };
}
