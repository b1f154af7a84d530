/** The time axis under the hand: click and drag to go, drag over lanes to mark a stretch, wheel to come closer. */

import { fill, h } from "../kit/dom.js";
import { clock, when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { go } from "../router.js";
import { spanAt } from "./clock.js";
import { ROW_PX, Scale, SHARED, SHARED_PX } from "./lanes.js";
import { gapWords } from "./ways.js";
import { gapsOf, incidentOf, laneOf, wordsOf } from "./moments.js";

/** A drag that is shorter was a click, pixels. */
const CLICK_PX = 4;
const WHEEL_ZOOM = 1.0018;
const NEAR_PX = 8;

/**
 * @param {import("./timeline.js").Timeline} timeline
 * @param {{strip: HTMLElement, lanes: [HTMLElement, HTMLElement]}} parts
 * @param {import("./replay.js").Replay} replay
 * @param {import("../kit/store.js").Scope} scope
 */
export function answerAxis(timeline, { strip, lanes }, replay, scope) {
  scrub(strip, timeline, replay, scope);
  const [rows, shared] = lanes;
  const seek = (/** @type {PointerEvent} */ event) => replay.clock.seek(timeline.scale.ms(event.offsetX));
  mark(rows, timeline, replay, scope, seek);
  mark(shared, timeline, replay, scope, (event) => {
    const incident = incidentAt(timeline, replay, event);
    if (incident === null) seek(event);
    else go(`/incidents/${incident}`);
  });
  for (const part of [strip, ...lanes]) {
    scope.listen(part, "wheel", (/** @type {WheelEvent} */ event) => {
      event.preventDefault();
      const { scale } = timeline;
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) timeline.pan((event.deltaX || event.deltaY) / scale.px_per_ms);
      else timeline.zoom(WHEEL_ZOOM ** event.deltaY, scale.ms(event.offsetX));
    });
  }
  tell(lanes, timeline, replay, scope);
}

/**
 * The strip shows the whole range, the ruler below it what the lanes show.
 * @param {HTMLElement} strip
 * @param {import("./timeline.js").Timeline} timeline
 * @param {import("./replay.js").Replay} replay
 * @param {import("../kit/store.js").Scope} scope
 */
function scrub(strip, timeline, replay, scope) {
  let whole = false;
  const go = (/** @type {PointerEvent} */ event) => {
    const x = event.clientX - strip.getBoundingClientRect().left;
    const scale = whole ? new Scale(replay.range, strip.clientWidth) : timeline.scale;
    replay.clock.seek(scale.ms(x));
    if (whole && replay.view.value.lane && !isShown(timeline, replay.clock.now_ms)) timeline.show(timeline.shown.to_ms - timeline.shown.from_ms);
  };
  scope.listen(strip, "pointerdown", (/** @type {PointerEvent} */ event) => {
    if (event.button !== 0) return;
    whole = event.clientY - strip.getBoundingClientRect().top < strip.clientHeight / 2;
    strip.setPointerCapture(event.pointerId);
    go(event);
  });
  scope.listen(strip, "pointermove", (/** @type {PointerEvent} */ event) => strip.hasPointerCapture(event.pointerId) && go(event));
}

/** @param {import("./timeline.js").Timeline} timeline @param {number} ms */
function isShown({ shown }, ms) {
  return ms >= shown.from_ms && ms <= shown.to_ms;
}

/**
 * @param {HTMLElement} lane
 * @param {import("./timeline.js").Timeline} timeline
 * @param {import("./replay.js").Replay} replay
 * @param {import("../kit/store.js").Scope} scope
 * @param {(event: PointerEvent) => void} click
 */
function mark(lane, timeline, replay, scope, click) {
  let from = NaN;
  scope.listen(lane, "pointerdown", (/** @type {PointerEvent} */ event) => {
    if (event.button !== 0) return;
    from = event.offsetX;
    lane.setPointerCapture(event.pointerId);
  });
  scope.listen(lane, "pointermove", (/** @type {PointerEvent} */ event) => {
    if (Math.abs(event.offsetX - from) > CLICK_PX) timeline.outline(from, event.offsetX);
  });
  scope.listen(lane, "pointerup", (/** @type {PointerEvent} */ event) => {
    const [x0, x1] = [Math.min(from, event.offsetX), Math.max(from, event.offsetX)];
    const { scale } = timeline;
    if (x1 - x0 > CLICK_PX) replay.clock.setLoop({ from_ms: scale.ms(x0), to_ms: scale.ms(x1) });
    else if (x1 === x1) click(event);
    from = NaN;
  });
  scope.listen(lane, "dblclick", () => replay.clock.setLoop(null));
}

/**
 * What lies under the pointer.
 * @param {[HTMLElement, HTMLElement]} lanes
 * @param {import("./timeline.js").Timeline} timeline
 * @param {import("./replay.js").Replay} replay
 * @param {import("../kit/store.js").Scope} scope
 */
function tell([rows, shared], timeline, replay, scope) {
  const tip = h("div", { class: "tip", hidden: true });
  document.body.append(tip);
  scope.onClose(() => tip.remove());
  const show = (/** @type {PointerEvent} */ event, /** @type {string[]} */ words) => {
    fill(tip, h("b", { class: "num" }, clock(timeline.scale.ms(event.offsetX))), words.map((line) => h("div", {}, line)));
    tip.hidden = false;
    const x = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
    tip.style.setProperty("transform", `translate(${x}px, ${event.clientY - tip.offsetHeight - 10}px)`);
  };
  scope.listen(rows, "pointermove", (event) => show(event, ofSubject(timeline, replay, event, rows)));
  scope.listen(shared, "pointermove", (event) => {
    shared.classList.toggle("opens", incidentAt(timeline, replay, event) !== null);
    show(event, ofAll(timeline, replay, event));
  });
  for (const lane of [rows, shared]) scope.listen(lane, "pointerleave", () => (tip.hidden = true));
}

/**
 * @param {import("./timeline.js").Timeline} timeline
 * @param {import("./replay.js").Replay} replay
 * @param {PointerEvent} event
 * @param {HTMLElement} rows
 * @returns {string[]}
 */
function ofSubject(timeline, replay, event, rows) {
  const scrolled = rows.closest(".lane-scroll")?.scrollTop ?? 0;
  const track = replay.tracks.value[Math.floor((event.offsetY + scrolled) / ROW_PX)];
  if (!track) return [];
  const ms = timeline.scale.ms(event.offsetX);
  const state = track.stateAt(ms);
  const known = state?.state === "on_air" || state?.state === "back_filled";
  const words = state ? (known ? t(`review.state.${state.state}`) : gapWords(track, state.from_ms, state.to_ms)) : t("review.state.unworn");
  const films = replay.moments.value.filter(({ kind, subject, at_ms, until_ms }) => kind === "recording" && subject === track.key && at_ms <= ms && ms < until_ms);
  const unseen = films.length > 0 && films.every((film) => spanAt(gapsOf(film), ms));
  return [track.title, words, films.length ? t("recordings") : "", unseen ? t("review.film.unseen") : ""].filter(Boolean);
}

/**
 * What happened under the pointer, the nearest first.
 * @param {import("./timeline.js").Timeline} timeline
 * @param {import("./replay.js").Replay} replay
 * @param {PointerEvent} event
 */
function momentsAt(timeline, replay, event) {
  const lane = SHARED[Math.floor(event.offsetY / SHARED_PX)];
  const near_ms = NEAR_PX / timeline.scale.px_per_ms;
  const ms = timeline.scale.ms(event.offsetX);
  const found = replay.moments.value.filter((moment) => laneOf(moment) === lane && moment.at_ms - near_ms <= ms && ms <= moment.until_ms + near_ms);
  return found.sort((a, b) => Math.abs(a.at_ms - ms) - Math.abs(b.at_ms - ms));
}

/**
 * @param {import("./timeline.js").Timeline} timeline
 * @param {import("./replay.js").Replay} replay
 * @param {PointerEvent} event
 * @returns {string[]}
 */
function ofAll(timeline, replay, event) {
  const found = momentsAt(timeline, replay, event);
  return found.slice(0, 4).map((moment) => `${when(moment.at_ms)} ${replay.track(moment.subject)?.name ?? ""} ${wordsOf(moment)}`);
}

/**
 * The incident that a click opens.
 * @param {import("./timeline.js").Timeline} timeline
 * @param {import("./replay.js").Replay} replay
 * @param {PointerEvent} event
 */
function incidentAt(timeline, replay, event) {
  const [moment] = momentsAt(timeline, replay, event);
  return moment ? incidentOf(moment) : null;
}
