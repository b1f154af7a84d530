/** The bar under the map: play, rate, steps, to what happened next; how much the lanes show; files of the tracks. */

import { fill, h, icon } from "../kit/dom.js";
import { clock, day } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { may } from "../net/session.js";
import { createIncident } from "../incidents/create.js";
import { toast } from "../view/notice.js";
import { reportOf } from "../reports/address.js";
import { openExports } from "./exports.js";
import { openMark } from "./mark.js";

const HOUR_MS = 3_600_000;
const STEP_MS = 10_000;
const RATES = [1, 2, 4, 8, 16, 32, 64];
/** What the lanes can show at once; Infinity is everything. */
const LENGTHS_MS = [Infinity, 4 * HOUR_MS, HOUR_MS, HOUR_MS / 6];

/**
 * @param {import("./replay.js").Replay} replay
 * @param {import("./timeline.js").Timeline} timeline
 * @param {import("./step.js").Stepper} stepper
 * @param {() => import("../incidents/place.js").Corner[]} ground what the map shows
 * @param {import("../kit/store.js").Scope} scope
 */
export function transport(replay, timeline, stepper, ground, scope) {
  const { clock: time } = replay;
  const button = (/** @type {string} */ label, /** @type {string} */ key, /** @type {() => void} */ act, /** @type {(Node | string)[]} */ ...content) =>
    h("button", { "aria-label": [...content.filter((one) => typeof one === "string"), t(label)].join(" "), title: key ? `${t(label)} (${key})` : t(label), onclick: act }, content);
  const play = h("button", { class: "primary play", onclick: () => time.toggle() });
  const face = h("time", { class: "face num" });
  const date = h("span", { class: "dim num" });
  const loop = h("button", { class: "quiet", onclick: () => time.setLoop(null), hidden: true }, icon("repeat"), t("review.loop.end"));
  const skip = h("input", { type: "checkbox", onchange: () => replay.toggle("skip") });
  const reverse = button("review.reverse", "J", () => time.setRate(-time.rate), icon("rotate-ccw"));
  scope.read(time.pace, ({ playing, rate }) => {
    const shown = `${rate < 0 ? "−" : ""}${Math.abs(rate)}×`;
    fill(play, icon(playing ? "pause" : "play"), shown);
    play.setAttribute("aria-label", `${t(playing ? "review.pause" : "review.play")} ${shown}`);
    play.title = `${t(playing ? "review.pause" : "review.play")} (${t("key.space")})`;
    reverse.setAttribute("aria-pressed", String(rate < 0));
  });
  scope.read(time.loop, (span) => (loop.hidden = span === null));
  scope.read(replay.view, ({ on }) => (skip.checked = on.has("skip")));
  scope.read(time.time, (ms) => {
    if (face.textContent !== clock(ms)) face.textContent = clock(ms);
    const { from_ms, to_ms } = replay.range;
    const told = day(from_ms) === day(to_ms - 1) ? "" : day(ms).slice(5);
    if (date.textContent !== told) date.textContent = told;
  });
  return h(
    "div",
    // Whoever clicks keeps the keys of the page: the space bar plays, and does not click again.
    { class: "transport", role: "toolbar", "aria-label": t("review.transport"), onmousedown: keepFocus },
    button("review.home", "Home", () => time.seek(replay.range.from_ms), icon("skip-back")),
    button("review.back", "←", () => time.step(-STEP_MS), "−10 s"),
    play,
    button("review.ahead", "→", () => time.step(STEP_MS), "+10 s"),
    button("review.fix.before", ",", () => stepper.step(-1), icon("chevron-left")),
    button("review.fix.next", ".", () => stepper.step(1), icon("chevron-right")),
    button("review.moment.before", "P", () => void replay.toMoment(-1), icon("step-back")),
    button("review.moment.next", "N", () => void replay.toMoment(1), t("review.moment.to"), icon("step-forward")),
    date,
    face,
    rates(time, scope),
    reverse,
    h("label", { class: "row dim", title: t("review.skip.do") }, skip, t("review.skip")),
    loop,
    h("span", { class: "grow" }),
    lengths(replay, timeline, scope),
    reportLink(replay, scope),
    ...(may("incidents") ? incidentButtons(replay, ground) : []),
    may("track") ? filesButton(replay) : null,
  );
}

/** @param {import("./clock.js").Clock} time @param {import("../kit/store.js").Scope} scope */
function rates(time, scope) {
  const buttons = RATES.map((rate) => h("button", { class: "quiet num", onclick: () => time.setRate(Math.sign(time.rate) * rate), "aria-label": `${rate}×` }, rate));
  scope.read(time.pace, ({ rate }) => buttons.forEach((one, i) => one.setAttribute("aria-pressed", String(RATES[i] === Math.abs(rate)))));
  return h("div", { class: "choices", role: "group", "aria-label": t("review.rate") }, buttons);
}

/** @param {import("./replay.js").Replay} replay @param {import("./timeline.js").Timeline} timeline @param {import("../kit/store.js").Scope} scope */
function lengths(replay, timeline, scope) {
  const words = ["review.length.all", "review.length.4h", "review.length.1h", "review.length.10min"];
  const buttons = words.map((label, i) => h("button", { class: "quiet", onclick: () => timeline.show(LENGTHS_MS[i] ?? Infinity) }, t(label)));
  scope.read(replay.view, ({ lane }) => {
    const shown = lane ? lane.to_ms - lane.from_ms : Infinity;
    buttons.forEach((one, i) => one.setAttribute("aria-pressed", String(shown === LENGTHS_MS[i])));
  });
  return h("div", { class: "choices", role: "group", "aria-label": t("review.length") }, buttons);
}

/** The sheet of the first officer, of the day on which the clock stands. @param {import("./replay.js").Replay} replay @param {import("../kit/store.js").Scope} scope */
function reportLink(replay, scope) {
  const link = h("a", { class: "button" }, icon("file-text"), t("reports.open"));
  scope.read(replay.view, ({ subjects, t_ms }) => {
    const officer = subjects.find((one) => one.startsWith("o"));
    link.hidden = !officer;
    if (officer) link.href = reportOf(Number(officer.slice(1)), t_ms);
  });
  return link;
}

/** @param {import("./replay.js").Replay} replay */
function filesButton(replay) {
  return h("button", { onclick: () => openExports(replay) }, icon("download"), t("export"));
}

/**
 * An incident of what is shown, and a step of one.
 * @param {import("./replay.js").Replay} replay
 * @param {() => import("../incidents/place.js").Corner[]} ground
 */
function incidentButtons(replay, ground) {
  const make = () => {
    const { subjects, from_ms, to_ms } = replay.view.value;
    if (subjects.length) createIncident({ title: "", subjects, from_ms, to_ms, ground: ground() });
    else toast(t("review.empty"), "bad");
  };
  return [
    h("button", { "aria-label": t("incident.mark.add"), title: t("incident.mark.add"), onclick: () => openMark(replay) }, icon("pin"), h("kbd", {}, "M")),
    h("button", { onclick: make }, icon("file-text"), t("incident")),
  ];
}

/** @param {MouseEvent} event */
function keepFocus(event) {
  if (event.target instanceof Element && event.target.closest("button")) event.preventDefault();
}
