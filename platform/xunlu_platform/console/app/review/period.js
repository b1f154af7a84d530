/** Which time is looked at: two local times, and the days that are asked for most. */

import { h } from "../kit/dom.js";
import { clock, day } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { toast } from "../view/notice.js";
import { today } from "./address.js";

const DAY_MS = 86_400_000;
const DAYS_MAX = 31;

/** Local time as people write it, of 24 hours in every language. @param {number} ms */
const localOf = (ms) => `${day(ms)} ${clock(ms).replace(/:00$/, "")}`;

/** A time without the date that everybody knows. @param {import("./types").Span} range @param {number} ms before it, when it lasted into it */
export function timeIn({ from_ms, to_ms }, ms) {
  return ms >= from_ms && to_ms - from_ms <= DAY_MS ? clock(ms) : `${day(ms).slice(5)} ${clock(ms)}`;
}

/** Read what a person wrote: the seconds, or the time, may be missing. @param {string} text @returns {number} NaN when it is no time */
function readLocal(text) {
  const [, date = "", time = "00:00"] = /^\s*(\d{4}-\d\d-\d\d)(?:[ T]+(\d\d:\d\d(?::\d\d)?))?\s*$/.exec(text) ?? [];
  return date ? Date.parse(`${date}T${time}`) : NaN;
}

/**
 * @param {import("./replay.js").Replay} replay
 * @param {import("../kit/store.js").Scope} scope
 */
export function periodForm(replay, scope) {
  const take = () => {
    const [from_ms, to_ms] = [readLocal(from.value), readLocal(to.value)];
    if (from_ms !== from_ms || to_ms !== to_ms) return toast(t("review.time.wrong"), "bad");
    const wrong = to_ms <= from_ms ? "reason.period-order" : to_ms - from_ms > DAYS_MAX * DAY_MS ? "reason.period-length" : "";
    if (wrong) toast(t(wrong, { days: DAYS_MAX }), "bad");
    else go({ from_ms, to_ms });
  };
  const go = (/** @type {import("./types").Span} */ { from_ms, to_ms }) => replay.change({ from_ms, to_ms, lane: null, loop: null });
  const input = (/** @type {string} */ label) => h("input", { type: "text", "aria-label": t(label), title: t("review.time.form"), class: "num", spellcheck: "false", onchange: take });
  const [from, to] = [input("from"), input("to")];
  scope.read(replay.view, ({ from_ms, to_ms }) => {
    from.value = localOf(from_ms);
    to.value = localOf(to_ms);
  });
  const shift = (/** @type {-1 | 1} */ days) => {
    const { from_ms, to_ms } = replay.view.value;
    const length = Math.max(DAY_MS, to_ms - from_ms) * days;
    go({ from_ms: from_ms + length, to_ms: to_ms + length });
  };
  const button = (/** @type {string} */ label, /** @type {() => void} */ act) => h("button", { class: "quiet", onclick: act }, t(label));
  const quick = [
    button("review.day.before", () => shift(-1)),
    button("review.today", () => go(today())),
    button("review.day.after", () => shift(1)),
  ];
  return h("div", { class: "period-form" }, h("div", { class: "row" }, from, h("span", { class: "dim" }, "–"), to), h("div", { class: "choices" }, quick));
}
