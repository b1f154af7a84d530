/** Who was in a zone in the shifts of a day, those of the roster or others, beside how long somebody was to be there. */

import { fill, h, icon } from "../kit/dom.js";
import { clock, day, span } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { SavedStore } from "../kit/store.js";
import { get, query } from "../net/http.js";
import { busy, failure, notice } from "../view/notice.js";
import { periodOf } from "../manage/choices.js";

/** Shifts as people write them, kept for the next zone; empty: those of the roster. */
const shifts = new SavedStore("presence.shifts", "");

/**
 * @typedef {{since: string, until: string, dwell_s: number, reason: string | null}} Visit
 * @typedef {{id: number, number: string, name: string}} OfficerName
 * @typedef {{officer: OfficerName, rostered: boolean | null, post: string | null, worn_s: number, dwell_s: number, share: number, visits: Visit[]}} OfficerShift
 * @typedef {{since: string, until: string, expected_s: number, manned_s: number, share: number, officers: OfficerShift[]}} Shift
 * @typedef {{concerned: number, rostered: boolean, unrostered: OfficerName[], shifts: Shift[]}} Told
 */

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 * @param {import("./zones.js").Zone} zone
 */
export function mountPresence(root, scope, zone) {
  const today = day(Date.now());
  const date = h("input", { type: "date", value: today, max: today, "aria-label": t("track.day") });
  const names = h("input", { value: shifts.value, "aria-label": t("presence.shifts"), placeholder: t("presence.by-roster") });
  const result = h("div", { class: "presence", "aria-live": "polite" });
  const load = async () => {
    shifts.set(names.value);
    const wanted = names.value.split(/[,，;\s]+/).filter(Boolean).map((shift) => `&shift=${encodeURIComponent(shift)}`).join("");
    try {
      /** @type {Told} */
      const told = await get(`/zones/${zone.id}/presence${query(periodOf(date.value, date.value))}${wanted}`);
      if (!scope.closed) fill(result, h("p", { class: "dim" }, t("presence.concerned", { n: told.concerned })), rosterWords(told), told.shifts.map(shiftTable));
      if (!scope.closed && !told.shifts.length) fill(result, notice(t("presence.none"), t("presence.none.do"), "clock"));
    } catch (problem) {
      fill(result, failure(problem));
    }
  };
  const show = h("button", { class: "primary", onclick: () => void busy(show, load) }, icon("users"), t("show"));
  root.append(h("section", { class: "stack-body" }, h("div", { class: "row" }, date, show), names, h("small", { class: "faint" }, t("presence.shifts.hint"))), result);
}

/** Who has no shift on this day. @param {Told} told */
function rosterWords({ rostered, unrostered }) {
  if (!unrostered.length) return null;
  const make = h("a", { href: "/manage/roster" }, t("presence.make"));
  if (!rostered) return h("p", { class: "dim" }, t("presence.no-roster"), " ", make);
  return h("p", { class: "dim" }, t("presence.unrostered", { n: unrostered.length, names: unrostered.map(({ name }) => name).join(" ") }), " ", make);
}

/** An officer with the post of the roster, or that there is none. @param {OfficerShift} one */
function whose({ officer, rostered, post }) {
  const words = post ?? (rostered === false ? t("presence.not-rostered") : null);
  return h("td", {}, `${officer.name} ${officer.number}`, words ? h("small", { class: "dim" }, ` · ${words}`) : null);
}

/** @param {Shift} shift */
function shiftTable({ since, until, expected_s, manned_s, share, officers }) {
  const title = `${clock(Date.parse(since)).slice(0, 5)}–${clock(Date.parse(until)).slice(0, 5)}`;
  const words = expected_s ? t("presence.manned", { manned: span(manned_s), expected: span(expected_s), share: Math.round(share * 100) }) : t("presence.off");
  const rows = officers.flatMap((one) => [
    h("tr", {}, whose(one), h("td", { class: "num" }, span(one.dwell_s)), h("td", { class: "num" }, `${Math.round(one.share * 100)} %`), h("td", { class: "num" }, one.visits.length)),
    one.visits.length ? h("tr", { class: "visits" }, h("td", { colspan: 4, class: "dim num" }, one.visits.map(visitWords).join(" · "))) : null,
  ]);
  const head = ["officer", "presence.dwell", "presence.share", "presence.visits"].map((label) => h("th", { scope: "col" }, t(label)));
  return h(
    "section",
    {},
    h("h3", {}, h("b", { class: "num" }, title), words),
    meter(share, words),
    officers.length ? h("table", { class: "zone-table" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows.filter((row) => row !== null))) : h("p", { class: "dim" }, t("presence.nobody")),
  );
}

/** @param {Visit} visit */
function visitWords({ since, until, reason }) {
  const why = reason ? ` (${t(`zone.reason.${reason}`)})` : "";
  return `${clock(Date.parse(since)).slice(0, 5)}–${clock(Date.parse(until)).slice(0, 5)}${why}`;
}

/** A share as a bar. @param {number} share 0 to 1 @param {string} label */
export function meter(share, label) {
  return h("div", { class: "meter", role: "img", "aria-label": label }, h("i", { style: { width: `${(share * 100).toFixed(1)}%` } }));
}
