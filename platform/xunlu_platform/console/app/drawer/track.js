/** The track of one day: drawn with its gaps, told in figures, handed out as a file. Looking at it is written down. */

import { fill, h, icon } from "../kit/dom.js";
import { clock, count, day, metres, span } from "../kit/format.js";
import { language, t } from "../kit/i18n.js";
import { get, query } from "../net/http.js";
import { may } from "../net/session.js";
import { openReview } from "../review/open.js";
import { tracks } from "../state/desk.js";
import { busy } from "../view/notice.js";

const TOLERANCE_M = 3;
const DAY_MS = 86_400_000;
const FORMATS = ["gpx", "kml", "csv", "geojson", "html"];

/**
 * @typedef {object} Track
 * @property {import("../types").TrackPoint[][]} segments
 * @property {{from_ms: number, to_ms: number}[]} gaps
 * @property {number} points
 * @property {number} distance_m
 */

/**
 * Parse the answer of the platform: a line for each unbroken piece, a feature of kind `gap` for each break.
 * @param {any} collection GeoJSON
 * @returns {Track}
 */
function parseTrack(collection) {
  /** @type {Track} */
  const track = { segments: [], gaps: [], points: 0, distance_m: 0 };
  for (const { geometry, properties } of collection.features) {
    if (properties.kind === "gap") {
      track.gaps.push({ from_ms: Date.parse(properties.start), to_ms: Date.parse(properties.end) });
      continue;
    }
    const times = properties.times_ms;
    track.segments.push(
      geometry.coordinates.map((/** @type {number[]} */ [lon, lat], /** @type {number} */ i) => ({
        lon,
        lat,
        ms: times[i],
      })),
    );
    track.points += properties.points;
    track.distance_m += properties.distance_m;
  }
  return track;
}

/** A local day. @param {string} date `YYYY-MM-DD` */
function spanOf(date) {
  const from_ms = new Date(`${date}T00:00:00`).getTime();
  return { from_ms, to_ms: from_ms + DAY_MS };
}

/** The same as the query of the interface. @param {string} date `YYYY-MM-DD` */
function rangeOf(date) {
  const { from_ms, to_ms } = spanOf(date);
  return { from: new Date(from_ms).toISOString(), to: new Date(to_ms).toISOString() };
}

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 * @param {string} did
 */
export function mountTrack(root, scope, did) {
  const address = `/devices/${encodeURIComponent(did)}/track`;
  const today = day(Date.now());
  const date = h("input", { type: "date", value: today, max: today, "aria-label": t("track.day") });
  const result = h("div", { class: "track-result" });
  const forget = () => {
    tracks.set(new Map([...tracks.value].filter(([key]) => key !== did)));
    fill(result);
  };
  const load = async () => {
    const track = parseTrack(
      await get(address + query({ ...rangeOf(date.value), format: "geojson", tolerance_m: TOLERANCE_M })),
    );
    if (scope.closed) return;
    tracks.set(new Map([[did, track.segments]]));
    fill(result, ...(track.points ? summary(track, forget) : [h("p", { class: "dim" }, t("track.none"))]));
  };
  const show = h("button", { "data-track": "show", onclick: () => void busy(show, load) }, icon("route"), t("track.show"));
  const files = h(
    "div",
    { class: "row wrap exports" },
    h("span", { class: "dim" }, t("export")),
    FORMATS.map((format) => link(address, format, date)),
  );
  const replay = may("review")
    ? h("button", { onclick: () => void openReview(did, spanOf(date.value)) }, icon("history"), t("review.open"), h("kbd", {}, "R"))
    : null;
  root.append(
    h("section", { class: "track" }, h("h3", {}, t("track")), h("div", { class: "row" }, date, show, replay), result, files),
  );
  scope.onClose(() => tracks.set(new Map()));
}

/**
 * @param {string} address
 * @param {string} format
 * @param {HTMLInputElement} date
 */
function link(address, format, date) {
  const anchor = h("a", { class: "button", download: "", href: "#" }, format.toUpperCase());
  const point = () => (anchor.href = `/api/v1${address}${query({ ...rangeOf(date.value), format, language: language.value })}`);
  date.addEventListener("change", point);
  point();
  return anchor;
}

/**
 * @param {Track} track
 * @param {() => void} forget
 */
function summary(track, forget) {
  const first = track.segments[0]?.[0]?.ms ?? 0;
  const last = track.segments.at(-1)?.at(-1)?.ms ?? first;
  const figures = t("track.figures", {
    distance: metres(track.distance_m),
    points: count(track.points),
    gaps: track.gaps.length,
  });
  const clear = h(
    "button",
    { class: "quiet", "aria-label": t("track.clear"), title: t("track.clear"), onclick: forget },
    icon("x"),
  );
  const gaps = track.gaps.map(({ from_ms, to_ms }) =>
    h(
      "li",
      { class: "row" },
      h("time", { class: "faint num" }, `${clock(from_ms)} – ${clock(to_ms)}`),
      t("gap"),
      h("b", {}, span((to_ms - from_ms) / 1000)),
    ),
  );
  return [
    h("div", { class: "row" }, h("span", { class: "grow" }, figures), clear),
    ribbon(track, first, Math.max(last, first + 1)),
    h("div", { class: "row ends faint num" }, h("span", { class: "grow" }, clock(first)), clock(last)),
    gaps.length
      ? h("details", {}, h("summary", {}, t("gaps", { n: gaps.length })), h("ol", { class: "events" }, gaps))
      : null,
  ];
}

/**
 * The day as a ribbon: where there were fixes and where not.
 * @param {Track} track
 * @param {number} first
 * @param {number} last
 */
function ribbon(track, first, last) {
  const share = (/** @type {number} */ ms) => `${(((ms - first) / (last - first)) * 100).toFixed(3)}%`;
  const part = (/** @type {string} */ kind, /** @type {number} */ from, /** @type {number} */ to) =>
    h("i", { class: kind, style: { left: share(from), width: `max(2px, ${share(first + to - from)})` } });
  const pieces = track.segments.map((points) => part("on", points[0]?.ms ?? first, points.at(-1)?.ms ?? first));
  const gaps = track.gaps.map(({ from_ms, to_ms }) => part("gap", from_ms, to_ms));
  return h("div", { class: "ribbon", role: "img", "aria-label": t("track.ribbon", { n: track.gaps.length }) }, gaps, pieces);
}
