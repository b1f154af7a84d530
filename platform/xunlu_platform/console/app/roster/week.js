/** A week of the local calendar, from Monday, and the shifts that begin in it. */

import { clock, day } from "../kit/format.js";
import { weekOf } from "../reports/address.js";

/**
 * @typedef {{id: number, name: string, kind: string}} Post
 * @typedef {{id: number, officer: {id: number, number: string, name: string}, begins_at: string, ends_at: string, zone: Post | null, note: string}} Shift
 */

/** The Mondays' dates. @param {string} week `YYYY-Www` @returns {Date} local midnight */
export function mondayOf(week) {
  const [year = "0", number = "1"] = week.split("-W");
  // The fourth of January always lies in the first week (ISO 8601).
  const fourth = new Date(Number(year), 0, 4);
  return new Date(Number(year), 0, 4 - ((fourth.getDay() || 7) - 1) + 7 * (Number(number) - 1));
}

/** Some weeks later. @param {string} week @param {number} weeks */
export function later(week, weeks) {
  const monday = mondayOf(week);
  monday.setDate(monday.getDate() + 7 * weeks);
  return weekOf(monday.getTime());
}

/** Monday to Sunday as `YYYY-MM-DD`. @param {string} week */
export function daysOf(week) {
  const monday = mondayOf(week);
  return [0, 1, 2, 3, 4, 5, 6].map((n) => day(new Date(monday.getFullYear(), monday.getMonth(), monday.getDate() + n).getTime()));
}

/** The bounds of a week for a question. @param {string} week */
export function boundsOf(week) {
  return { from: mondayOf(week).toISOString(), to: mondayOf(later(week, 1)).toISOString() };
}

/** `22:00` local. @param {string} at ISO 8601 */
export const minutes = (at) => clock(Date.parse(at)).slice(0, 5);

/** Hours that shifts last together. @param {Shift[]} shifts */
export function hours(shifts) {
  const ms = shifts.reduce((sum, { begins_at, ends_at }) => sum + Date.parse(ends_at) - Date.parse(begins_at), 0);
  return Math.round(ms / 360_000) / 10;
}

/**
 * A shift's bounds from what a person types; one that does not end later ends on the next day.
 * @param {string} date `YYYY-MM-DD` @param {string} from `HH:MM` @param {string} to `HH:MM`
 */
export function timesOf(date, from, to) {
  const [begin, end] = [new Date(`${date}T${from}:00`), new Date(`${date}T${to}:00`)];
  if (end <= begin) end.setDate(end.getDate() + 1);
  return { begins_at: begin.toISOString(), ends_at: end.toISOString() };
}
