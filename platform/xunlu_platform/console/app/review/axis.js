/** The time axis below the map: which stretch it shows, where a moment lies on it, and which moments it names. */

import { clock, day } from "../kit/format.js";

/** @typedef {import("./types").Span} Span */

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const STEPS_MS = [1, 2, 5, 10, 15, 30].map((n) => n * SECOND_MS)
  .concat([1, 2, 5, 10, 15, 30].map((n) => n * MINUTE_MS), [1, 2, 3, 6, 12].map((n) => n * HOUR_MS), [1, 2, 7].map((n) => n * DAY_MS));
const TICK_PX = 84;
/** Nobody looks closer. */
const SPAN_MIN_MS = 10_000;

/**
 * Zoom about a moment.
 * @param {Span} shown
 * @param {Span} range
 * @param {number} factor below 1 closer
 * @param {number} at_ms stays where it is
 * @returns {Span | null} null: the whole range
 */
export function zoomed(shown, range, factor, at_ms) {
  const length = Math.max(SPAN_MIN_MS, (shown.to_ms - shown.from_ms) * factor);
  const share = (at_ms - shown.from_ms) / (shown.to_ms - shown.from_ms);
  return kept({ from_ms: at_ms - length * share, to_ms: at_ms + length * (1 - share) }, range);
}

/** A stretch moved back into the range. @param {Span} span @param {Span} range @returns {Span | null} null: the whole range */
export function kept({ from_ms, to_ms }, range) {
  const length = to_ms - from_ms;
  if (length >= range.to_ms - range.from_ms) return null;
  const first = Math.min(Math.max(from_ms, range.from_ms), range.to_ms - length);
  return { from_ms: Math.round(first), to_ms: Math.round(first + length) };
}

/** So much around a moment. @param {number} at_ms @param {number} length_ms @param {Span} range */
export function around(at_ms, length_ms, range) {
  return kept({ from_ms: at_ms - length_ms / 2, to_ms: at_ms + length_ms / 2 }, range);
}

/**
 * The moments that have a name: round local times, with the date where another day begins.
 * @param {Span} shown
 * @param {number} width_px
 * @returns {{ms: number, label: string, strong: boolean}[]}
 */
export function ticks({ from_ms, to_ms }, width_px) {
  const least_ms = ((to_ms - from_ms) / Math.max(1, width_px)) * TICK_PX;
  const step_ms = STEPS_MS.find((step) => step >= least_ms) ?? 31 * DAY_MS;
  const east_ms = -new Date(from_ms).getTimezoneOffset() * MINUTE_MS;
  const today = day(Date.now());
  /** @type {{ms: number, label: string, strong: boolean}[]} */
  const found = [];
  for (let ms = Math.ceil((from_ms + east_ms) / step_ms) * step_ms - east_ms; ms <= to_ms; ms += step_ms) {
    const first = found.length === 0 || day(ms) !== day(found.at(-1)?.ms ?? 0);
    const time = step_ms < MINUTE_MS ? clock(ms) : clock(ms).slice(0, 5);
    const date = first && day(ms) !== today ? day(ms).slice(5) : "";
    found.push({ ms, label: step_ms >= DAY_MS ? day(ms).slice(5) : `${date} ${time}`.trim(), strong: first });
  }
  return found;
}
