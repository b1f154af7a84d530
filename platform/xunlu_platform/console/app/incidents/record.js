/** What people wrote: the steps that matter, and notes. Nothing disappears. */

import { h, icon } from "../kit/dom.js";
import { when } from "../kit/format.js";
import { t, word } from "../kit/i18n.js";
import { post } from "../net/http.js";
import { ask } from "../view/dialog.js";
import { busy } from "../view/notice.js";
import { timeInput, timeOf } from "./form.js";
import { replayOf } from "./replay.js";
import { say } from "./say.js";

/** @typedef {import("./types").WholeIncident} Whole */
/** @typedef {(incident: Whole) => void} Show */

/** @param {Whole} incident @param {Show} show */
export function marks(incident, show) {
  const rows = incident.marks.map((mark) => markRow(incident, mark, show));
  return card(t("incident.marks"), t("incident.mark.add"), () => addMark(incident, show), rows, t("incident.marks.none"));
}

/** @param {Whole} incident @param {Show} show */
export function notes(incident, show) {
  const add = () => say(t("incident.note.add"), async (text) => show(await post(`/incidents/${incident.id}/notes`, { text })));
  return card(t("incident.notes"), t("incident.note.add"), add, incident.notes.map(noteRow), t("incident.notes.none"));
}

/**
 * @param {string} title
 * @param {string} action
 * @param {() => void} act
 * @param {HTMLElement[]} rows
 * @param {string} none
 */
function card(title, action, act, rows, none) {
  const table = rows.length ? h("table", {}, h("tbody", {}, rows)) : h("p", { class: "dim" }, none);
  const button = h("button", { class: "quiet", onclick: act }, icon("plus"), action);
  return h("section", { class: "card-box", "aria-label": title }, h("h2", { class: "row" }, h("span", { class: "grow" }, title), button), table);
}

/** @param {Whole} incident @param {import("./types").Mark} mark @param {Show} show */
function markRow(incident, mark, show) {
  const who = incident.subjects.find(({ subject }) => subject === mark.subject)?.name ?? "";
  const path = `/incidents/${incident.id}/marks/${mark.id}/strike`;
  const strike = h("button", { class: "quiet", title: t("incident.strike"), "aria-label": `${t("incident.strike")} ${mark.text}`, onclick: () => void busy(strike, async () => show(await post(path))) }, icon("ban"));
  const struck = mark.struck_at ? h("span", { class: "dim" }, t("incident.struck.by", { who: mark.struck_by ?? "", at: when(mark.struck_at) })) : null;
  return h(
    "tr",
    {},
    h("td", { class: "num" }, h("a", { href: replayOf(incident, mark.at) }, when(mark.at))),
    h("td", {}, mark.struck_at ? h("s", {}, mark.text) : mark.text, struck ? " " : null, struck),
    h("td", {}, who),
    h("td", { class: "dim", title: when(mark.made_at) }, mark.author),
    h("td", { class: "end" }, mark.struck_at ? null : strike),
  );
}

/** @param {import("./types").Note} note */
function noteRow(note) {
  const changed = Object.keys(note.changed).map((name) => word("incident.field", name));
  const did = note.kind === "note" ? null : h("span", { class: "tag" }, t(`incident.did.${note.kind}`), changed.length ? ` · ${changed.join("、")}` : null);
  return h(
    "tr",
    { title: changed.length ? JSON.stringify(note.changed, null, 1) : null },
    h("td", { class: "num dim" }, when(note.at)),
    h("td", {}, note.author),
    h("td", { class: "note" }, did, did && note.text ? " " : null, note.text),
  );
}

/** @param {Whole} incident @param {Show} show */
function addMark(incident, show) {
  const everybody = h("option", { value: "" }, t("everybody"));
  const choices = incident.subjects.map(({ subject, name, number }) => h("option", { value: subject }, number ? `${name} ${number}` : name));
  const questions = [
    { name: "text", label: t("incident.mark"), control: h("input", { maxlength: 500, required: true }) },
    { name: "at", label: t("time"), control: timeInput(Date.parse(incident.from)) },
    { name: "subject", label: t("incident.field.subjects"), control: h("select", {}, everybody, choices) },
  ];
  ask(t("incident.mark.add"), questions, t("save"), async ({ text, at, subject }) =>
    show(await post(`/incidents/${incident.id}/marks`, { text, at: timeOf(at), subject: subject || null })),
  );
}
