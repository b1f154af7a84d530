/** Numbers for people: never without unit, never without age. */

import { language, t } from "./i18n.js";

const pad = (/** @type {number} */ n) => String(n).padStart(2, "0");

/** `14:32:07` local. @param {number} ms UTC milliseconds */
export function clock(ms) {
  const d = new Date(ms);
  return `${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`;
}

/** `2026-11-22` local. @param {number} ms */
export function day(ms) {
  const d = new Date(ms);
  return `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}`;
}

/** Time with seconds, and the date when it is not today. @param {number | string | null | undefined} at */
export function when(at) {
  if (at === null || at === undefined) return "—";
  const ms = typeof at === "number" ? at : Date.parse(at);
  return day(ms) === day(Date.now()) ? clock(ms) : `${day(ms)} ${clock(ms)}`;
}

/** `2026-11-22 14:32:07 UTC+08:00` local: for what leaves the desk. @param {number} ms */
export function stamp(ms) {
  const east_min = -new Date(ms).getTimezoneOffset();
  const size_min = Math.abs(east_min);
  const zone = `${east_min < 0 ? "−" : "+"}${pad(Math.floor(size_min / 60))}:${pad(size_min % 60)}`;
  return `${day(ms)} ${clock(ms)} UTC${zone}`;
}

/**
 * A duration in its largest sensible unit.
 * @param {number | null | undefined} seconds
 */
export function span(seconds) {
  if (seconds === null || seconds === undefined) return "—";
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return t("span.s", { n: s });
  if (s < 3600) return t("span.min", { n: Math.floor(s / 60) });
  if (s < 86_400) return t("span.h", { n: Math.floor(s / 3600), m: pad(Math.floor((s % 3600) / 60)) });
  return t("span.d", { n: Math.floor(s / 86_400) });
}

/** A duration where there is little room: hours without their minutes. @param {number} seconds */
export function shortSpan(seconds) {
  const coarse = seconds >= 3600 && seconds < 86_400;
  return coarse ? t("span.hours", { n: Math.floor(seconds / 3600) }) : span(seconds);
}

/** `3 s ago`. @param {number} seconds */
export function ago(seconds) {
  return t("ago", { span: span(seconds) });
}

/**
 * @param {number | null | undefined} value
 * @param {string} unit
 * @param {number} [digits]
 */
export function quantity(value, unit, digits = 0) {
  return value === null || value === undefined ? "—" : `${value.toFixed(digits).replace("-", "−")}\u00a0${unit}`;
}

/** @param {number | null | undefined} bytes */
export function size(bytes) {
  if (bytes === null || bytes === undefined) return "—";
  for (const [unit, factor] of /** @type {[string, number][]} */ ([
    ["TB", 1e12],
    ["GB", 1e9],
    ["MB", 1e6],
    ["kB", 1e3],
  ]))
    if (bytes >= factor) return `${(bytes / factor).toFixed(bytes >= 10 * factor ? 0 : 1)} ${unit}`;
  return `${bytes} B`;
}

/** @param {number} bps bits a second */
export function rate(bps) {
  return bps >= 1e6 ? quantity(bps / 1e6, "Mb/s", 1) : quantity(bps / 1e3, "kb/s");
}

/** `1,234`. @param {number} n */
export function count(n) {
  return n.toLocaleString(language.value);
}

/**
 * Great-circle distance in metres (haversine, mean earth radius 6 371 008.8 m).
 * @param {number} lat1
 * @param {number} lon1
 * @param {number} lat2
 * @param {number} lon2
 */
export function distance_m(lat1, lon1, lat2, lon2) {
  const rad = Math.PI / 180;
  const a =
    Math.sin(((lat2 - lat1) * rad) / 2) ** 2 +
    Math.cos(lat1 * rad) * Math.cos(lat2 * rad) * Math.sin(((lon2 - lon1) * rad) / 2) ** 2;
  return 2 * 6_371_008.8 * Math.asin(Math.sqrt(a));
}

/** @param {number} m */
export function metres(m) {
  return m < 1000 ? `${Math.round(m)} m` : `${(m / 1000).toFixed(m < 10_000 ? 2 : 1)} km`;
}
