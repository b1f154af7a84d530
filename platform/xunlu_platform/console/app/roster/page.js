/** The roster of a unit, week by week. */

import { fill, h, icon } from "../kit/dom.js";
import { language, t } from "../kit/i18n.js";
import { claimKey } from "../kit/keys.js";
import { getAll, post, query } from "../net/http.js";
import { may } from "../net/session.js";
import { go, route } from "../router.js";
import { unitSelect } from "../manage/choices.js";
import { weekOf } from "../reports/address.js";
import { units, unitsInOrder } from "../state/organisation.js";
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
  const changed = () => void load();
  const { elements, paint } = controls(editable, changed);
  const head = h("header", { class: "page-head" }, h("h1", {}, t("roster")), h("div", { class: "row wrap filters" }, elements));
  const told = h("div", {});
  const grid = new Grid((cell, shift) => editShift(cell.officer, cell.date, shift, zones, changed), editable);
  const hint = editable ? h("p", { class: "faint" }, t("roster.keys")) : null;
  root.append(h("div", { class: "main" }, head, h("div", { class: "roster" }, told, grid.element, hint)));
  // The grid stays in the page, so that the keyboard stays in it.
  const say = (/** @type {HTMLElement | null} */ words, /** @type {boolean} */ shown) => {
    fill(told, words);
    grid.element.hidden = !shown;
  };
  let loads = 0;
  const load = async () => {
    if (route.value.path !== "/manage/roster") return;
    const number = ++loads;
    const asked = readAsked();
    paint(asked);
    if (asked.unit === null) return say(nobody(), false);
    if (grid.element.hidden || !grid.here) say(loading(), false);
    try {
      const [officers, shifts, posts] = await Promise.all([
        getAll(`/officers${query({ unit: asked.unit })}`, OFFICERS_MAX + 1),
        getAll(`/roster${query({ unit: asked.unit, ...boundsOf(asked.week) })}`),
        editable ? getAll("/zones") : [],
      ]);
      if (number !== loads || scope.closed) return;
      zones = posts;
      const rows = rowsOf(officers, shifts);
      grid.paint(asked.week, rows, shifts);
      say(rows.length ? emptiness(shifts, editable) : nobody(officers), rows.length > 0);
    } catch (problem) {
      if (number === loads && !scope.closed) say(failure(problem, changed), false);
    }
  };
  keys(scope, grid, (shift) => grid.here && editShift(grid.here.officer, grid.here.date, shift, zones, changed), changed);
  scope.read(route, changed);
  scope.read(units, changed);
}

/** What the address asks for: the first unit with people of its own, and this week, unless told. @returns {Asked} */
function readAsked() {
  const { query: told } = route.value;
  const [unit, week] = [told.get("unit") ?? "", told.get("week") ?? ""];
  const known = unitsInOrder().map((one) => one.unit);
  const first = known.find(({ kind }) => kind === "squad") ?? known[0];
  return {
    unit: /^[1-9]\d{0,17}$/.test(unit) ? Number(unit) : (first?.id ?? null),
    week: /^\d{4}-W\d{2}$/.test(week) ? week : weekOf(Date.now()),
  };
}

/** @param {Asked} asked */
const show = ({ unit, week }) => go(`/manage/roster${query({ unit, week })}`);

/**
 * The controls above the grid: they stay where they are, so that the keyboard does, too.
 * @param {boolean} editable
 * @param {() => void} changed
 * @returns {{elements: HTMLElement[], paint: (asked: Asked) => void}}
 */
function controls(editable, changed) {
  const choose = unitSelect();
  choose.addEventListener("change", () => show({ ...readAsked(), unit: Number(choose.value) }));
  const told = h("b", { class: "num", "aria-live": "polite" });
  const file = h("a", { class: "button" }, icon("download"), t("roster.export"));
  const step = (/** @type {number} */ weeks, /** @type {string} */ label, /** @type {string} */ sign) =>
    h("button", { "aria-label": t(label), title: t(label), onclick: () => turn(weeks) }, icon(sign));
  const now = h("button", { onclick: () => show({ ...readAsked(), week: weekOf(Date.now()) }) }, t("roster.week.this"));
  const paint = (/** @type {Asked} */ { unit, week }) => {
    const days = daysOf(week);
    choose.replaceChildren(...unitSelect().children);
    choose.value = String(unit ?? "");
    told.textContent = `${week} · ${days[0]?.slice(5)} – ${days[6]?.slice(5)}`;
    file.href = `/api/v1/roster/export${query({ unit, ...boundsOf(week), language: language.value })}`;
    file.download = `roster-${week}.csv`;
  };
  const weeks = [step(-1, "roster.week.before", "chevron-left"), told, step(1, "roster.week.after", "chevron-right"), now];
  return { elements: [choose, ...weeks, file, ...(editable ? making(changed) : [])], paint };
}

/** Some weeks later. @param {number} weeks */
function turn(weeks) {
  const asked = readAsked();
  show({ ...asked, week: later(asked.week, weeks) });
}

/** @param {() => void} changed */
function making(changed) {
  const copy = async () => {
    const { unit, week } = readAsked();
    const { copied, left_out } = await post("/roster/copy", { unit_id: unit, from: daysOf(later(week, -1))[0], into: daysOf(week)[0] });
    toast(t("roster.copied", { n: copied, left: left_out }), copied ? "good" : "info");
    changed();
  };
  const button = h("button", { onclick: () => void busy(button, copy) }, icon("repeat"), t("roster.copy"));
  const open = () => openRosterImport(readAsked().unit, changed);
  return [button, h("button", { class: "primary", onclick: open }, icon("upload"), t("roster.import"))];
}

/**
 * Who is in the roster: whoever is active, and whoever has left and has shifts; nobody when that is too many.
 * @param {import("../types").Officer[]} officers
 * @param {import("./week.js").Shift[]} shifts
 */
function rowsOf(officers, shifts) {
  if (officers.length > OFFICERS_MAX) return [];
  const rostered = new Set(shifts.map((shift) => shift.officer.id));
  return officers.filter((officer) => officer.active || rostered.has(officer.id));
}

/** What stands there instead of a grid. @param {import("../types").Officer[]} [officers] */
function nobody(officers = []) {
  if (officers.length > OFFICERS_MAX) return notice(t("roster.too-many", { n: OFFICERS_MAX }), t("roster.too-many.do"), "users");
  return notice(t("officers.none"), t("roster.officers.do"), "users");
}

/** What is said above an empty grid. @param {import("./week.js").Shift[]} shifts @param {boolean} editable */
function emptiness(shifts, editable) {
  return shifts.length ? null : notice(t("roster.none"), t(editable ? "roster.none.do" : "roster.none.ask"), "clock");
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
  claimKey(scope, "PageUp", "roster.week.before", () => turn(-1));
  claimKey(scope, "PageDown", "roster.week.after", () => turn(1));
  if (!may("roster")) return;
  claimKey(scope, "Enter", "key.roster.edit", () => edit(grid.here?.shifts[0] ?? null));
  claimKey(scope, "N", "roster.add", () => edit(null));
  claimKey(scope, "Delete", "roster.delete", () => void (grid.here?.shifts.length && deleteShifts(grid.here.shifts, changed)));
}
