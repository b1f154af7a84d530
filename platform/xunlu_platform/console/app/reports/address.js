/** The address of a sheet: everything that somebody else must see to see the same. */

import { day } from "../kit/format.js";

const DAY_MS = 86_400_000;
const SHIFT = /^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/;

/** @typedef {"officer-day" | "squad-week"} Kind */

/**
 * @typedef {object} Asked
 * @property {Kind} kind
 * @property {number | null} officer id
 * @property {number | null} unit id
 * @property {string} date `YYYY-MM-DD`
 * @property {string} week `YYYY-Www`
 * @property {string} shift `HH:MM-HH:MM`, or empty for the whole day
 */

/** The week (ISO 8601) of a local day: that of its Thursday. @param {number} ms */
export function weekOf(ms) {
  const local = new Date(ms);
  const noon_ms = Date.UTC(local.getFullYear(), local.getMonth(), local.getDate(), 12);
  const thursday = new Date(noon_ms + (4 - (local.getDay() || 7)) * DAY_MS);
  const first_ms = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  const week = Math.floor((thursday.getTime() - first_ms) / (7 * DAY_MS)) + 1;
  return `${thursday.getUTCFullYear()}-W${String(week).padStart(2, "0")}`;
}

/** @param {string | null} text */
const idOf = (text) => (text && /^[1-9]\d{0,17}$/.test(text) ? Number(text) : null);

/**
 * Read an address; what makes no sense is left out. Yesterday and last week are over, so they come first.
 * @param {URLSearchParams} query
 * @returns {Asked}
 */
export function readAsked(query) {
  const [date, week, shift] = [query.get("date") ?? "", query.get("week") ?? "", query.get("shift") ?? ""];
  return {
    kind: query.get("kind") === "squad-week" ? "squad-week" : "officer-day",
    officer: idOf(query.get("officer")),
    unit: idOf(query.get("unit")),
    date: /^\d{4}-\d{2}-\d{2}$/.test(date) ? date : day(Date.now() - DAY_MS),
    week: /^\d{4}-W\d{2}$/.test(week) ? week : weekOf(Date.now() - 7 * DAY_MS),
    shift: SHIFT.test(shift) ? shift : "",
  };
}

/** What the server is asked for; null while nobody is chosen. @param {Asked} asked @returns {Record<string, string> | null} */
export function questionOf({ kind, officer, unit, date, week, shift }) {
  const of_whom = kind === "officer-day" ? officer : unit;
  if (of_whom === null) return null;
  /** @type {Record<string, string>} */
  const question = kind === "officer-day" ? { officer: String(of_whom), date } : { unit: String(of_whom), week };
  return shift ? { ...question, shift } : question;
}

/** @param {Asked} asked @returns {string} path and query */
export function addressOf(asked) {
  const { kind, officer, unit, date, week, shift } = asked;
  const parts = { kind, officer, unit, date, week, shift };
  const told = Object.entries(parts).filter(([, value]) => value !== null && value !== "");
  return `/reports?${told.map(([name, value]) => `${name}=${String(value)}`).join("&")}`;
}

/** The address of an officer's day. @param {number} officer id @param {number} ms a moment of it */
export function reportOf(officer, ms) {
  return addressOf({ ...readAsked(new URLSearchParams()), officer, date: day(ms), week: weekOf(ms) });
}
