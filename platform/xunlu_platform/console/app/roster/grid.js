/** The week of a unit as a grid (WAI-ARIA): a row for each officer, a column for each day; one cell has the keyboard. */

import { h } from "../kit/dom.js";
import { day } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { daysOf, hours, minutes } from "./week.js";

/**
 * @typedef {import("./week.js").Shift} Shift
 * @typedef {import("../types").Officer} Officer
 * @typedef {{officer: Officer, date: string, shifts: Shift[], element: HTMLTableCellElement}} Cell
 */

export class Grid {
  /** Rows of seven. @type {Cell[][]} */
  #cells = [];
  #at = { row: 0, column: 0 };
  #edit;
  #editable;
  element = h("div", { class: "listing roster-grid" });

  /**
   * @param {(cell: Cell, shift: Shift | null) => void} edit a shift, or null for a new one
   * @param {boolean} editable
   */
  constructor(edit, editable) {
    this.#edit = edit;
    this.#editable = editable;
  }

  /**
   * @param {string} week
   * @param {Officer[]} officers
   * @param {Shift[]} shifts
   */
  paint(week, officers, shifts) {
    const hadKeyboard = this.element.contains(document.activeElement);
    const dates = daysOf(week);
    this.#cells = officers.map((officer) => {
      const theirs = shifts.filter((shift) => shift.officer.id === officer.id);
      return dates.map((date) => this.#cell(officer, date, theirs.filter(({ begins_at }) => day(Date.parse(begins_at)) === date)));
    });
    const rows = this.#cells.map((cells, n) => row(/** @type {Officer} */ (officers[n]), cells));
    const table = h("table", { role: "grid", "aria-label": t("roster"), "aria-readonly": String(!this.#editable) }, heading(dates), h("tbody", {}, rows));
    this.element.replaceChildren(table);
    this.#stand(hadKeyboard);
  }

  /** The cell that has the keyboard, or would get it. @returns {Cell | null} */
  get here() {
    return this.#cells[this.#at.row]?.[this.#at.column] ?? null;
  }

  /** @param {number} rows @param {number} columns */
  move(rows, columns) {
    const within = this.element.contains(document.activeElement);
    // Whoever comes from elsewhere first learns where they are.
    if (within) this.#at = { row: this.#at.row + rows, column: this.#at.column + columns };
    this.#stand(true);
  }

  /** @param {boolean} focus */
  #stand(focus) {
    const { row, column } = this.#at;
    this.#at = { row: Math.max(0, Math.min(row, this.#cells.length - 1)), column: Math.max(0, Math.min(column, 6)) };
    for (const cell of this.#cells.flat()) reach(cell.element, cell === this.here);
    if (focus) this.here?.element.focus();
  }

  /**
   * @param {Officer} officer
   * @param {string} date
   * @param {Shift[]} shifts
   */
  #cell(officer, date, shifts) {
    const words = shifts.length ? "" : `${officer.name} ${date} ${t("roster.free")}`;
    const element = h("td", { role: "gridcell", tabindex: -1, "aria-label": words || null, class: date === day(Date.now()) ? "today" : null });
    /** @type {Cell} */
    const cell = { officer, date, shifts, element };
    element.append(...shifts.map((shift) => chip(shift, this.#editable ? () => this.#edit(cell, shift) : null)));
    element.addEventListener("focusin", () => this.#keep(cell));
    if (this.#editable && officer.active) element.addEventListener("click", (event) => event.target === element && this.#edit(cell, null));
    return cell;
  }

  /** @param {Cell} cell */
  #keep(cell) {
    const row = this.#cells.findIndex((cells) => cells.includes(cell));
    if (row < 0 || cell === this.here) return;
    this.#at = { row, column: /** @type {Cell[]} */ (this.#cells[row]).indexOf(cell) };
    this.#stand(false);
  }
}

/** Whether the Tab key comes here, and to the shifts inside. @param {HTMLElement} element @param {boolean} reached */
function reach(element, reached) {
  element.tabIndex = reached ? 0 : -1;
  for (const button of element.querySelectorAll("button")) button.tabIndex = reached ? 0 : -1;
}

/** @param {string[]} dates */
function heading(dates) {
  const days = dates.map((date, n) => h("th", { scope: "col", class: date === day(Date.now()) ? "today" : null }, `${t(`weekday.${n + 1}`)} `, h("span", { class: "num" }, date.slice(5))));
  return h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("officer")), days, h("th", { scope: "col", class: "num" }, t("roster.hours"))));
}

/** @param {Officer} officer @param {Cell[]} cells */
function row(officer, cells) {
  const left = officer.active ? null : h("span", { class: "tag" }, t("officer.inactive"));
  const sum = hours(cells.flatMap(({ shifts }) => shifts));
  return h("tr", {}, h("th", { scope: "row" }, officer.name, " ", h("small", { class: "dim num" }, officer.number), left), cells.map(({ element }) => element), h("td", { class: "num" }, sum || "—"));
}

/** @param {Shift} shift @param {(() => void) | null} edit */
function chip(shift, edit) {
  const now = Date.parse(shift.begins_at) <= Date.now() && Date.now() < Date.parse(shift.ends_at);
  const words = [h("span", { class: "num" }, `${minutes(shift.begins_at)}–${minutes(shift.ends_at)}`), shift.zone ? h("small", {}, shift.zone.name) : null, now ? h("small", { class: "now" }, t("roster.now")) : null];
  const look = { class: `roster-shift${now ? " is-now" : ""}`, title: shift.note || null };
  return edit ? h("button", { ...look, type: "button", onclick: edit }, words) : h("span", look, words);
}
