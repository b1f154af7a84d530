/** A roster from a file: the server looks at every row, and a person sees what it says, before anything is saved. */

import { fill, h, icon } from "../kit/dom.js";
import { day } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { complaintOf, query, request } from "../net/http.js";
import { openDialog } from "../view/dialog.js";
import { busy, failure, loading, notice, toast } from "../view/notice.js";
import { field } from "../view/sign-in.js";
import { minutes } from "./week.js";

const SHOWN_MAX = 200;
const EXAMPLE = "number,name,date,shift,post,note";

/**
 * @typedef {{row: number, officer: {number: string, name: string}, begins_at: string, ends_at: string, zone: string | null}} Planned
 * @typedef {{shifts: Planned[], wrong: {row: number, field: string, reason: string, message: string, values: Record<string, any>}[]}} Preview
 */

/** @param {number | null} unit whose officers are looked for @param {() => void} changed */
export function openRosterImport(unit, changed) {
  const file = h("input", { type: "file", accept: ".csv,text/csv", required: true });
  const result = h("div", { class: "roster-import", "aria-live": "polite" });
  const body = h("div", { class: "body stack-body" }, h("p", { class: "dim" }, t("roster.import.do", { columns: EXAMPLE })), field(t("roster.file"), file), result);
  const dialog = openDialog(t("roster.import"), body);
  const show = async () => {
    const [chosen] = file.files ?? [];
    if (!chosen) return;
    fill(result, loading());
    const save = async () => {
      const { imported } = await request("POST", `/roster/import${query({ unit })}`, chosen);
      toast(t("roster.imported", { n: imported }), "good");
      dialog.close();
      changed();
    };
    try {
      fill(result, preview(await request("POST", `/roster/check${query({ unit })}`, chosen), save));
    } catch (problem) {
      fill(result, failure(problem));
    }
  };
  file.addEventListener("change", () => void show());
}

/** @param {Preview} told @param {() => Promise<void>} save */
function preview({ shifts, wrong }, save) {
  const act = h("button", { class: "primary", onclick: () => void busy(act, save) }, icon("check"), t("roster.import.save", { n: shifts.length }));
  const faults = wrong.map((one) => h("tr", {}, h("td", { class: "num" }, one.row), h("td", {}, one.field ? t(`roster.column.${one.field}`) : ""), h("td", { class: "problem" }, plain(one))));
  const rows = shifts.map((one) => h("tr", {}, h("td", { class: "num" }, one.row), h("td", {}, `${one.officer.name} ${one.officer.number}`), h("td", { class: "num" }, timesWords(one)), h("td", {}, one.zone ?? "—")));
  return [
    wrong.length ? notice(t("roster.import.wrong", { n: wrong.length }), t("roster.import.wrong.do"), "triangle-alert") : h("p", {}, act),
    faults.length ? table(["roster.row", "roster.column", "roster.why"], faults) : null,
    rows.length ? table(["roster.row", "officer", "roster.shift", "roster.post"], rows) : null,
  ];
}

/** What is wrong; its row stands beside. @param {Preview["wrong"][0]} one */
function plain({ reason, message, values }) {
  const { row: _row, ...others } = values;
  return complaintOf({ reason, message, values: others }).words;
}

/** @param {string[]} labels @param {HTMLElement[]} rows */
function table(labels, rows) {
  const head = h("tr", {}, labels.map((label) => h("th", { scope: "col" }, t(label))));
  const more = rows.length > SHOWN_MAX ? h("p", { class: "dim" }, t("roster.more", { n: rows.length - SHOWN_MAX })) : null;
  return h("div", { class: "listing" }, h("table", {}, h("thead", {}, head), h("tbody", {}, rows.slice(0, SHOWN_MAX))), more);
}

/** @param {Planned} shift */
function timesWords({ begins_at, ends_at }) {
  const next = day(Date.parse(begins_at)) === day(Date.parse(ends_at)) ? "" : ` ${t("roster.next-day")}`;
  return `${day(Date.parse(begins_at))} ${minutes(begins_at)}–${minutes(ends_at)}${next}`;
}
