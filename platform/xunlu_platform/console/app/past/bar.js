/**
 * The slider of the live map: a day from midnight to midnight, dragged or played. While it stands before the present, a banner and
 * a frame say so, and what would act on the present is off.
 */

import { fill, h, icon } from "../kit/dom.js";
import { clock, day, when } from "../kit/format.js";
import { t, word } from "../kit/i18n.js";
import { claimKey } from "../kit/keys.js";
import { Store } from "../kit/store.js";
import { may } from "../net/session.js";
import { serverNow } from "../net/stream.js";
import { go, route } from "../router.js";
import { selected } from "../state/desk.js";
import { moment, past, showMoment } from "../state/moment.js";
import { commandAddress, showDevice } from "../command/show.js";
import { sign } from "../view/device-sign.js";
import { openMenu } from "../view/menu.js";
import { failure, toast } from "../view/notice.js";
import { TimeMachine } from "./machine.js";

/** @typedef {import("../kit/store.js").Scope} Scope */

const DAY_S = 86_400;
const RATES = [1, 2, 4, 8, 16, 32, 64];
const HOURS = [0, 3, 6, 9, 12, 15, 18, 21, 24];
/** What a key on the slider does, in milliseconds; with shift six times as much. @type {Record<string, number>} */
const STEPS_MS = { ArrowLeft: -10_000, ArrowDown: -10_000, ArrowRight: 10_000, ArrowUp: 10_000, PageDown: -600_000, PageUp: 600_000 };
const SHIFT = 6;
/** The address follows once the hand rests: browsers take only so many changes. */
const ADDRESS_MS = 500;

/** Whether the slider is there. */
export const opened = new Store(false);

/**
 * @param {HTMLElement} root the command view
 * @param {Scope} scope
 */
export function mountPast(root, scope) {
  if (!may("track")) return;
  const machine = new TimeMachine(scope);
  const banner = h("div", { class: "past-banner", role: "status", hidden: true });
  const bar = h("section", { class: "past-bar", "aria-label": t("past"), hidden: true });
  root.append(banner, bar);
  mountBanner(banner, machine, scope);
  mountBar(bar, machine, scope);
  scope.read(past, (on) => root.classList.toggle("past", on));
  followAddress(machine, scope);
  claimKey(scope, "B", "key.past", () => (opened.value ? close() : open(bar)));
  let inner = scope.inner();
  const claim = () => {
    inner.close();
    inner = scope.inner();
    if (opened.value) claimKey(inner, "Escape", "key.past.end", close);
    if (past.value) claimPastKeys(machine, inner);
  };
  scope.read(past, claim);
  scope.read(opened, (on) => {
    bar.hidden = !on;
    if (!on) showMoment(null);
    claim();
  });
  scope.onClose(() => opened.set(false));
}

/** @param {HTMLElement} bar */
function open(bar) {
  opened.set(true);
  /** @type {HTMLElement | null} */ (bar.querySelector("[type='range']"))?.focus();
}

/** Back to the present, and the slider away. */
const close = () => opened.set(false);

/** What acts on the present says why it does not. @param {TimeMachine} machine @param {Scope} scope */
function claimPastKeys(machine, scope) {
  const refuse = () => toast(`${t("past.live")} ${t("past.live.do")}`);
  claimKey(scope, "Space", "key.past.play", () => machine.toggle());
  if (may("live")) for (const [key, label] of [["V", "key.video"], ["W", "key.wall.add"]]) claimKey(scope, key ?? "", label ?? "", refuse);
}

/** `?at=` is the moment, both ways. @param {TimeMachine} machine @param {Scope} scope */
function followAddress(machine, scope) {
  scope.read(route, ({ path, query }) => {
    const at_ms = Date.parse(query.get("at") ?? "");
    if (path !== "/") return;
    if (Number.isNaN(at_ms)) return showMoment(null);
    opened.set(true);
    if (!past.value || Math.abs(at_ms - machine.clock.now_ms) >= 2000) machine.seek(at_ms);
  });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  const tell = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const { now_ms, playing } = machine.clock;
      if (!playing) go(commandAddress(selected.value, past.value ? now_ms : null), "replace");
    }, ADDRESS_MS);
  };
  scope.read(machine.clock.pace, tell);
  scope.read(machine.clock.jumps, () => past.value && tell());
  scope.read(past, (on) => void (on || (new URLSearchParams(location.search).has("at") && location.pathname === "/" && go(commandAddress(selected.value), "replace"))));
  scope.onClose(() => clearTimeout(waiting));
}

/** @param {HTMLElement} banner @param {TimeMachine} machine @param {Scope} scope */
function mountBanner(banner, machine, scope) {
  const face = h("b", { class: "num" });
  const alarms = h("button", { class: "quiet", "aria-haspopup": "menu", onclick: () => openMenu(alarms, machine.alarms.value.map(alarmItem)) });
  const end = h("button", { class: "primary", onclick: () => showMoment(null) }, t("past.end"), h("kbd", {}, "Esc"));
  banner.append(icon("history"), h("span", {}, t("past.shown")), face, alarms, h("span", { class: "dim" }, t("past.live")), end);
  scope.read(past, (on) => (banner.hidden = !on));
  // Not the clock of the slider: that runs ahead of what is still on its way.
  scope.read(moment, (ms) => {
    const told = ms === null ? "" : `${day(ms)} ${clock(ms)}`;
    if (face.textContent !== told) face.textContent = told;
  });
  let shown = "";
  scope.read(machine.alarms, (open) => {
    const told = open.map(({ id }) => id).join();
    if (told === shown && alarms.childElementCount) return;
    shown = told;
    alarms.disabled = open.length === 0;
    fill(alarms, icon("bell"), t("past.alarms", { n: open.length }));
  });
}

/** @param {import("../types").Alarm} alarm @returns {import("../view/menu.js").MenuItem} */
function alarmItem(alarm) {
  const who = alarm.officer ? `${alarm.officer.name} ${alarm.officer.number}` : alarm.did;
  return { label: `${word("alarm.kind", alarm.kind)} · ${who} · ${when(alarm.raised_ms)}`, icon: "bell", act: () => showDevice(alarm.did) };
}

/** @param {HTMLElement} bar @param {TimeMachine} machine @param {Scope} scope */
function mountBar(bar, machine, scope) {
  const { clock: time } = machine;
  const date = h("input", { type: "date", class: "num", "aria-label": t("past.day"), onchange: () => date.value && machine.seek(atTime(date.value, time.now_ms)) });
  const play = h("button", { class: "primary play", onclick: () => machine.toggle() });
  const rates = h("select", { "aria-label": t("review.rate"), onchange: () => time.setRate(Number(rates.value)) }, RATES.map((rate) => h("option", { value: String(rate) }, `${rate}×`)));
  const words = h("span", { class: "past-words dim", role: "status" });
  const step = (/** @type {string} */ label, /** @type {number} */ ms, /** @type {string} */ text) =>
    h("button", { class: "quiet", "aria-label": `${text} ${t(label)}`, title: t(label), onclick: () => machine.step(ms) }, text);
  bar.append(
    date,
    step("past.minute.back", -60_000, "−1′"),
    play,
    step("past.minute.ahead", 60_000, "+1′"),
    rates,
    slider(machine, scope),
    words,
    h("button", { class: "quiet", "aria-label": t("past.close"), title: `${t("past.close")} (B)`, onclick: close }, icon("x")),
  );
  scope.read(time.time, (ms) => document.activeElement !== date && date.value !== day(ms) && (date.value = day(ms)));
  scope.read(time.pace, ({ playing, rate }) => {
    fill(play, icon(playing ? "pause" : "play"));
    play.setAttribute("aria-label", t(playing ? "review.pause" : "review.play"));
    rates.value = String(rate);
  });
  scope.read(past, (on) => (play.disabled = !on));
  scope.read(opened, () => (date.max = day(serverNow())));
  scope.read(machine.standing, ({ waiting, problem }) => {
    if (problem) fill(words, failure(problem, () => machine.seek(time.now_ms)));
    else fill(words, waiting ? t("loading") : "");
  });
}

/** The same time of another day. @param {string} date `YYYY-MM-DD` @param {number} ms */
function atTime(date, ms) {
  return Date.parse(`${date}T${clock(ms)}`);
}

/** @param {TimeMachine} machine @param {Scope} scope */
function slider(machine, scope) {
  const { clock: time } = machine;
  const from_ms = () => time.range.value.from_ms;
  const input = h("input", { type: "range", min: 0, max: DAY_S, step: 1, "aria-label": t("past.time") });
  input.addEventListener("input", () => machine.seek(from_ms() + Number(input.value) * 1000));
  input.addEventListener("keydown", (event) => {
    const step_ms = STEPS_MS[event.key];
    if (event.key === "End") showMoment(null);
    else if (event.key === "Home") machine.seek(from_ms());
    else if (event.key === " ") machine.toggle();
    else if (step_ms) machine.step(step_ms * (event.shiftKey ? SHIFT : 1));
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  scope.read(time.time, (ms) => {
    const value = String(Math.round((ms - from_ms()) / 1000));
    if (input.value !== value) input.value = value;
    input.setAttribute("aria-valuetext", past.value ? `${day(ms)} ${clock(ms)}` : t("past.present"));
  });
  scope.read(time.range, ({ from_ms: from, to_ms: to }) => input.style.setProperty("--come", `${((to - from) / (DAY_S * 10)).toFixed(2)}%`));
  const hours = h("div", { class: "past-hours faint num", "aria-hidden": "true" }, HOURS.map((hour) => h("span", {}, String(hour))));
  return h("div", { class: "past-slider" }, input, hours);
}
