/** The roster of a unit, week by week. */

import { fill, h, icon } from "../kit/dom.js";
import { language, t } from "../kit/i18n.js";
import { claimKey } from "../kit/keys.js";
import { getAll, post, query } from "../net/http.js";
import { may } from "../net/session.js";
import { go, route } from "../router.js";
import { unitSelect } from "../manage/choices.js";
import { weekOf } from "../reports/address.js";
import { unitsInOrder } from "../state/organisation.js";
import { busy, failure, loading, notice, toast } from "../view/notice.js";
import { deleteShifts, editShift } from "./edit.js";
import { Grid } from "./grid.js";
import { openRosterImport } from "./import.js";
import { boundsOf, daysOf, later } from "./week.js";

/** Officers of one roster: more nobody can look over. */
const OFFICERS_MAX = 300;

/** @typedef {{unit: number | null, week: string}} Asked */

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountRoster(root, scope) {
  const editable = may("roster");
  /** @type {import("../zones/zones.js").Zone[]} */
  let zones = [];
  const head = h("header", { class: "page-head" });
  const body = h("div", { class: "roster" });
  const grid = new Grid((cell, shift) => editShift(cell.officer, cell.date, shift, zones, changed), editable);
  root.append(h("div", { class: "main" }, head, body));
  let loads = 0;
  const load = async () => {
    const number = ++loads;
    const asked = readAsked();
    fill(head, h("h1", {}, t("roster")), h("div", { class: "row wrap filters" }, controls(asked, editable, changed)));
    if (asked.unit === null) return void fill(body, notice(t("officers.none"), t("roster.officers.do"), "users"));
    if (!body.contains(grid.element)) fill(body, loading());
    try {
      const [officers, shifts, posts] = await Promise.all([
        getAll(`/officers${query({ unit: asked.unit })}`, OFFICERS_MAX + 1),
        getAll(`/roster${query({ unit: asked.unit, ...boundsOf(asked.week) })}`),
        editable ? getAll("/zones") : [],
      ]);
      if (number !== loads || scope.closed) return;
      zones = posts;
      fill(body, shown(grid, asked.week, officers, shifts, editable));
    } catch (problem) {
      if (number === loads && !scope.closed) fill(body, failure(problem, changed));
    }
  };
  const changed = () => void load();
  keys(scope, grid, (shift) => grid.here && editShift(grid.here.officer, grid.here.date, shift, zones, changed), changed);
  scope.read(route, ({ path }) => void (path === "/manage/roster" && load()));
}

/** What the address asks for: the first unit with people of its own, and this week, unless told. @returns {Asked} */
function readAsked() {
  const { query: told } = route.value;
  const [unit, week] = [told.get("unit") ?? "", told.get("week") ?? ""];
  const units = unitsInOrder().map((one) => one.unit);
  const first = units.find(({ kind }) => kind === "squad") ?? units[0];
  return {
    unit: /^[1-9]\d{0,17}$/.test(unit) ? Number(unit) : (first?.id ?? null),
    week: /^\d{4}-W\d{2}$/.test(week) ? week : weekOf(Date.now()),
  };
}

/** @param {Asked} asked */
const show = ({ unit, week }) => go(`/manage/roster${query({ unit, week })}`);

/**
 * @param {Asked} asked
 * @param {boolean} editable
 * @param {() => void} changed
 */
function controls({ unit, week }, editable, changed) {
  const choose = unitSelect(unit);
  choose.addEventListener("change", () => show({ unit: Number(choose.value), week }));
  const days = daysOf(week);
  const step = (/** @type {number} */ weeks, /** @type {string} */ label, /** @type {string} */ sign) =>
    h("button", { "aria-label": t(label), title: t(label), onclick: () => show({ unit, week: later(week, weeks) }) }, icon(sign));
  const file = `/api/v1/roster/export${query({ unit, ...boundsOf(week), language: language.value })}`;
  return [
    choose,
    step(-1, "roster.week.before", "chevron-left"),
    h("b", { class: "num", "aria-live": "polite" }, `${week} · ${days[0]?.slice(5)} – ${days[6]?.slice(5)}`),
    step(1, "roster.week.after", "chevron-right"),
    h("button", { onclick: () => show({ unit, week: weekOf(Date.now()) }) }, t("roster.week.this")),
    h("a", { class: "button", href: file, download: `roster-${week}.csv` }, icon("download"), t("roster.export")),
    ...(editable && unit !== null ? making(unit, week, changed) : []),
  ];
}

/**
 * @param {number} unit
 * @param {string} week
 * @param {() => void} changed
 */
function making(unit, week, changed) {
  const copy = async () => {
    const { copied, left_out } = await post("/roster/copy", { unit_id: unit, from: daysOf(later(week, -1))[0], into: daysOf(week)[0] });
    toast(t("roster.copied", { n: copied, left: left_out }), copied ? "good" : "info");
    changed();
  };
  const button = h("button", { onclick: () => void busy(button, copy) }, icon("repeat"), t("roster.copy"));
  return [button, h("button", { class: "primary", onclick: () => openRosterImport(unit, changed) }, icon("upload"), t("roster.import"))];
}

/**
 * @param {Grid} grid
 * @param {string} week
 * @param {import("../types").Officer[]} officers
 * @param {import("./week.js").Shift[]} shifts
 * @param {boolean} editable
 */
function shown(grid, week, officers, shifts, editable) {
  if (officers.length > OFFICERS_MAX) return notice(t("roster.too-many", { n: OFFICERS_MAX }), t("roster.too-many.do"), "users");
  const rostered = new Set(shifts.map((shift) => shift.officer.id));
  const rows = officers.filter((officer) => officer.active || rostered.has(officer.id));
  if (!rows.length) return notice(t("officers.none"), t("roster.officers.do"), "users");
  grid.paint(week, rows, shifts);
  const empty = shifts.length ? null : notice(t("roster.none"), t(editable ? "roster.none.do" : "roster.none.ask"), "clock");
  const hint = editable ? h("p", { class: "faint" }, t("roster.keys")) : null;
  return [empty, grid.element, hint];
}

/**
 * @param {import("../kit/store.js").Scope} scope
 * @param {Grid} grid
 * @param {(shift: import("./week.js").Shift | null) => unknown} edit
 * @param {() => void} changed
 */
function keys(scope, grid, edit, changed) {
  const moves = /** @type {[string, number, number][]} */ ([["ArrowLeft", 0, -1], ["ArrowRight", 0, 1], ["ArrowUp", -1, 0], ["ArrowDown", 1, 0]]);
  for (const [key, rows, columns] of moves) claimKey(scope, key, "key.roster.move", () => grid.move(rows, columns));
  const turn = (/** @type {number} */ weeks) => () => {
    const asked = readAsked();
    show({ ...asked, week: later(asked.week, weeks) });
  };
  claimKey(scope, "PageUp", "roster.week.before", turn(-1));
  claimKey(scope, "PageDown", "roster.week.after", turn(1));
  if (!may("roster")) return;
  claimKey(scope, "Enter", "key.roster.edit", () => edit(grid.here?.shifts[0] ?? null));
  claimKey(scope, "N", "roster.add", () => edit(null));
  claimKey(scope, "Delete", "roster.delete", () => void (grid.here?.shifts.length && deleteShifts(grid.here.shifts, changed)));
}
