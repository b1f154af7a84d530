/** The list of who was there: times, how sure, what was recorded and said; each opens in the replay. */

import { h, icon } from "../kit/dom.js";
import { metres, span, stamp, when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { may } from "../net/session.js";
import { createIncident } from "../incidents/create.js";
import { reviewOf, SUBJECTS_MAX } from "../review/address.js";
import { busy, notice } from "../view/notice.js";
import { found, tableOf } from "./found.js";

/** @typedef {import("./found.js").Found} Found */
/** @typedef {import("./found.js").Visitor} Visitor */

const STAYS_SHOWN = 5;
const FORGET_MS = 10_000;
/** The replay of one stay begins a little earlier. */
const BEFORE_MS = 60_000;

/**
 * @param {HTMLElement} root
 * @param {Found} answer
 */
export function mountFound(root, answer) {
  const { question, subjects, more, review } = answer;
  const close = h("button", { class: "quiet", "aria-label": t("close"), title: t("close"), onclick: () => found.set(null) }, icon("x"));
  const cut = subjects.length > SUBJECTS_MAX ? ` (${t("who.first", { n: SUBJECTS_MAX, all: subjects.length })})` : "";
  const make = () => createIncident({ title: "", subjects: subjects.map(({ subject }) => subject).slice(0, SUBJECTS_MAX), from_ms: question.from_ms, to_ms: question.to_ms, place: question.shape });
  const incident = may("incidents") ? h("button", { onclick: make }, icon("file-text"), t("incident") + cut) : null;
  const table = h("button", { onclick: () => void busy(table, () => save(answer)) }, icon("download"), "CSV");
  const open = review && may("review") ? h("a", { class: "button primary", href: review }, icon("history"), t("who.review") + cut) : null;
  root.append(
    h("header", { class: "who" }, h("h2", { class: "grow" }, t("who.title", { n: subjects.length })), close),
    h("p", { class: "who-question dim num" }, `${stamp(question.from_ms)} – ${stamp(question.to_ms)}`),
  );
  if (more) root.append(notice(t("who.more"), t("who.more.do"), "triangle-alert"));
  if (subjects.length) root.append(h("div", { class: "row wrap who-tools" }, open, incident, table));
  else root.append(notice(t("who.nobody"), t("who.nobody.do"), "users"));
  root.append(h("ol", { class: "who-found" }, subjects.map((one) => h("li", {}, visitor(one, answer)))));
}

/** @param {Visitor} one @param {Found} answer */
function visitor({ subject, officer, unit, stays, recordings, bursts }, { question }) {
  const name = officer ? `${officer.name} ${officer.number}` : subject.slice(1);
  const replay = (/** @type {string} */ entered) =>
    reviewOf(subject, { from_ms: Math.max(question.from_ms, Date.parse(entered) - BEFORE_MS), to_ms: question.to_ms });
  const rows = stays.slice(0, STAYS_SHOWN).map((stay) => {
    const sure = h("span", { class: `tag ${stay.confidence === "inside" ? "good" : "warn"}`, title: t(`who.${stay.confidence}.do`) }, t(`who.${stay.confidence}`));
    const times = `${when(stay.entered)} – ${when(stay.left)}`;
    const lasted = span((Date.parse(stay.left) - Date.parse(stay.entered)) / 1000);
    const near = stay.closest_m > 0 ? metres(stay.closest_m) : "";
    return h("div", { class: "row wrap" }, may("review") ? h("a", { class: "num", href: replay(stay.entered) }, times) : h("span", { class: "num" }, times), h("span", { class: "dim" }, lasted), sure, h("span", { class: "dim" }, near));
  });
  const rest = stays.length - rows.length;
  return [
    h("div", { class: "row" }, h("b", { class: "grow ellipsis" }, name), h("span", { class: "dim ellipsis" }, unit ?? t("who.unworn"))),
    ...rows,
    rest > 0 ? h("div", { class: "dim" }, t("who.stays", { n: rest })) : null,
    recordings.length + bursts.length
      ? h("div", { class: "row dim" }, icon("video"), t("who.recordings", { n: recordings.length }), icon("mic"), t("who.bursts", { n: bursts.length }))
      : null,
  ];
}

/** @param {Found} answer */
async function save({ question }) {
  const address = URL.createObjectURL(await tableOf(question));
  h("a", { href: address, download: `${t("who.file")}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(address), FORGET_MS);
}
