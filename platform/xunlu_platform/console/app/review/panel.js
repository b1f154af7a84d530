/** The left of a look back: which time, whom, and what happened. */

import { fill, h, icon } from "../kit/dom.js";
import { metres } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { failure, loading, notice } from "../view/notice.js";
import { chooser } from "./chooser.js";
import { lastBefore } from "./clock.js";
import { incidentOf, isKey, signOf, wordsOf } from "./moments.js";
import { periodForm, timeIn } from "./period.js";

/** @typedef {import("../kit/store.js").Scope} Scope */
/** @typedef {import("./replay.js").Replay} Replay */

/** Rows of the list at once; it moves on with the clock. */
const ROWS = 120;

/**
 * @param {Replay} replay
 * @param {HTMLElement} here asks who was here
 * @param {Scope} scope
 */
export function panel(replay, here, scope) {
  return h("aside", { class: "left", "aria-label": t("review") }, about(replay, scope), period(replay, scope), subjects(replay, here, scope), keyMoments(replay, scope));
}

/** The incident that is looked back at, if it is one. @param {Replay} replay @param {Scope} scope */
function about(replay, scope) {
  const link = h("a", { class: "grow ellipsis" });
  const leave = h("button", { class: "quiet", "aria-label": t("review.incident.leave"), title: t("review.incident.leave"), onclick: () => replay.change({ incident: null }) }, icon("x"));
  const box = h("section", { class: "row" }, icon("file-text"), link, leave);
  scope.read(replay.incident, (incident) => {
    box.hidden = incident === null;
    if (!incident) return;
    link.href = `/incidents/${incident.id}`;
    link.textContent = incident.title;
  });
  return box;
}

/** @param {Replay} replay @param {Scope} scope */
function period(replay, scope) {
  const counts = h("p", { class: "counts dim", role: "status" });
  const count = () => {
    const told = replay.moments.value;
    const of = (/** @type {string} */ kind) => told.filter((moment) => moment.kind === kind).length;
    const gaps = replay.tracks.value.flatMap((track) => track.gaps);
    const figures = { officers: replay.tracks.value.length, films: of("recording"), bursts: of("burst"), gaps: gaps.length };
    fill(counts, t("review.counts", figures), replay.more ? h("span", { class: "tag warn" }, t("review.more")) : null);
  };
  scope.read(replay.tracks, count);
  scope.read(replay.moments, count);
  const again = h("button", { class: "quiet", title: t("review.reload"), "aria-label": t("review.reload"), onclick: () => replay.reload() }, icon("refresh-cw"));
  return h("section", { class: "period" }, h("div", { class: "head" }, h("h2", {}, t("review.time")), again), periodForm(replay, scope), counts);
}

/** @param {Replay} replay @param {HTMLElement} here @param {Scope} scope */
function subjects(replay, here, scope) {
  const list = h("ul", { class: "subjects" });
  const state = h("div", {});
  const add = chooser(replay, scope);
  const paint = () => {
    fill(list, replay.tracks.value.map((track) => subjectRow(replay, track)));
    for (const row of list.children) row.toggleAttribute("data-main", row instanceof HTMLElement && row.dataset["key"] === replay.main?.key);
  };
  scope.read(replay.tracks, paint);
  scope.read(replay.chosen, paint);
  scope.read(replay.view, paint);
  scope.read(replay.standing, ({ phase, problem }) => {
    if (phase === "loading") fill(state, loading());
    else if (phase === "failed") fill(state, failure(problem, () => replay.reload()), forget(replay));
    else if (phase === "empty") fill(state, notice(t("review.empty"), t("review.empty.do"), "route"));
    else fill(state, replay.tracks.value.some(({ pieces }) => pieces.length) ? null : notice(t("review.nothing"), t("review.nothing.do"), "route"));
  });
  return h("section", { class: "people" }, h("div", { class: "head" }, h("h2", {}, t("officers")), h("span", { class: "row" }, add.button, here)), add.box, list, state);
}

/** A way out of an address that names somebody who is not there. @param {Replay} replay */
function forget(replay) {
  const rows = replay.view.value.subjects.map((key) => h("button", { onclick: () => replay.remove(key) }, icon("x"), key));
  return h("div", { class: "row wrap" }, rows);
}

/** @param {Replay} replay @param {import("./track.js").Track} track */
function subjectRow(replay, track) {
  const following = replay.view.value.follow === track.key;
  const worn = track.worn.length ? metres(track.length_m) : t("review.unworn");
  return h(
    "li",
    { class: "subject", "data-key": track.key },
    h(
      "button",
      { class: "quiet grow subject-name", title: track.worn.map(({ did }) => did).join(", "), onclick: () => replay.chosen.set(track.key) },
      h("i", { class: "swatch", style: { background: track.colour } }),
      h("b", { class: "ellipsis" }, track.name),
      h("span", { class: "faint num" }, track.officer?.number ?? ""),
      h("span", { class: "dim ellipsis grow unit-name" }, track.officer?.unit ?? ""),
      h("span", { class: "dim num" }, worn),
    ),
    h(
      "button",
      { class: "quiet", "aria-pressed": String(following), "aria-label": t("follow"), title: `${t("follow")} (F)`, onclick: () => replay.change({ follow: following ? null : track.key }) },
      icon("navigation"),
    ),
    h("button", { class: "quiet", "aria-label": t("review.remove", { who: track.title }), title: t("review.remove", { who: track.title }), onclick: () => replay.remove(track.key) }, icon("x")),
  );
}

/** @param {Replay} replay @param {Scope} scope */
function keyMoments(replay, scope) {
  const list = h("ol", { class: "events key-moments" });
  /** @type {import("./types").Moment[]} */
  let told = [];
  let shown = NaN;
  const paint = () => {
    const last = lastBefore(told.length, (i) => (told[i]?.at_ms ?? 0) <= replay.clock.now_ms);
    if (last === shown) return;
    shown = last;
    const first = Math.max(0, Math.min(last - ROWS / 2, told.length - ROWS));
    const rows = told.slice(first, first + ROWS).map((moment, i) => momentRow(replay, moment, first + i === last));
    fill(list, rows.length ? rows : h("li", { class: "dim" }, t("review.moments.none")));
    list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  };
  const gather = () => {
    told = replay.moments.value.filter(isKey);
    shown = NaN;
    paint();
  };
  scope.read(replay.moments, gather);
  scope.read(replay.tracks, gather);
  scope.read(replay.clock.time, paint);
  return h("section", { class: "happened" }, h("div", { class: "head" }, h("h2", {}, t("review.moments")), h("span", { class: "row faint" }, h("kbd", {}, "P"), h("kbd", {}, "N"))), list);
}

/** @param {Replay} replay @param {import("./types").Moment} moment @param {boolean} now */
function momentRow(replay, moment, now) {
  const track = replay.track(moment.subject);
  const incident = incidentOf(moment);
  const open = { class: "button quiet", href: `/incidents/${incident}`, "aria-label": `${t("incident.open.do")} ${wordsOf(moment)}`, title: t("incident.open.do") };
  return h(
    "li",
    { class: "row" },
    h(
      "button",
      { class: "moment", "aria-current": now ? "true" : null, onclick: () => replay.clock.seek(moment.at_ms) },
      h("time", { class: "num faint" }, timeIn(replay.range, moment.at_ms)),
      signOf(moment),
      h("span", { class: "ellipsis grow", title: wordsOf(moment) }, wordsOf(moment)),
      h("i", { class: "swatch", style: { background: track?.colour ?? "" } }),
      h("span", { class: "dim ellipsis" }, track?.name ?? ""),
    ),
    incident === null ? null : h("a", open, icon("chevron-right")),
  );
}
