/** The lanes: a density strip of the whole time, a ruler, a lane for each subject, those for all, and the cursor. */

import { fill, h } from "../kit/dom.js";
import { clock, when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { theme, token } from "../kit/theme.js";
import { around, kept, ticks, zoomed } from "./axis.js";
import { LanePainter, ROW_PX, Scale, SHARED, SHARED_PX } from "./lanes.js";
import { isKey } from "./moments.js";
import { answerAxis } from "./pointer.js";

/** @typedef {import("./types").Span} Span */

const DENSITY_PX = 22;
const RULER_PX = 22;
/** States beside the names are said so often, milliseconds. */
const SAY_MS = 250;
/** A cursor that leaves the shown stretch while playing stands here in the next one. */
const TURN_SHARE = 0.08;

export class Timeline {
  element;
  #replay;
  #painter = new LanePainter();
  #names = h("div", { class: "lane-names" });
  #area = h("div", { class: "lane-area" });
  #scroll;
  #cursor = h("div", { class: "lane-cursor" });
  #selection = h("div", { class: "lane-selection", hidden: true });
  #strip = h("div", { class: "lane-strip", role: "slider", tabindex: "0", "aria-label": t("review.scrubber") });
  #canvases = { density: canvas(), ruler: canvas(), rows: canvas(), shared: canvas() };
  #stale = true;
  #said_ms = -Infinity;
  #width = 0;

  /**
   * @param {import("./replay.js").Replay} replay
   * @param {import("../kit/store.js").Scope} scope
   */
  constructor(replay, scope) {
    this.#replay = replay;
    const { density, ruler, rows, shared } = this.#canvases;
    this.#strip.append(density, ruler);
    this.#area.append(rows);
    this.#scroll = h("div", { class: "lane-scroll" }, this.#names, this.#area);
    const names = SHARED.map((lane) => h("div", { class: "lane-name dim" }, t(`review.lane.${lane}`)));
    const sharedRow = h("div", { class: "lane-shared" }, h("div", {}, names), shared);
    const over = h("div", { class: "lane-over" }, this.#selection, this.#cursor);
    const corner = h("div", { class: "lane-corner dim" }, t("review.lanes"));
    this.element = h("section", { class: "lanes", "aria-label": t("review.lanes") }, corner, this.#strip, this.#scroll, sharedRow, over);
    const redraw = () => (this.#stale = true);
    scope.read(theme, () => (this.#painter.restyle(), redraw()));
    for (const store of [replay.view, replay.moments, replay.clock.loop])
      scope.read(/** @type {import("../kit/store.js").Store<any>} */ (store), redraw);
    scope.read(replay.tracks, () => (this.#name(), redraw()));
    scope.read(replay.chosen, () => this.#mark());
    scope.listen(this.#scroll, "scroll", redraw, { passive: true });
    const observer = new ResizeObserver(redraw);
    observer.observe(this.element);
    scope.onClose(() => observer.disconnect());
    answerAxis(this, { strip: this.#strip, lanes: [rows, shared] }, replay, scope);
  }

  /** What the lanes show. @returns {Span} */
  get shown() {
    return kept(this.#replay.view.value.lane ?? this.#replay.range, this.#replay.range) ?? this.#replay.range;
  }

  get scale() {
    return new Scale(this.shown, this.#width);
  }

  /** @param {number} factor below 1 closer @param {number} [at_ms] */
  zoom(factor, at_ms = this.#replay.clock.now_ms) {
    this.#replay.change({ lane: zoomed(this.shown, this.#replay.range, factor, at_ms) });
  }

  /** @param {number} ms */
  pan(ms) {
    const { from_ms, to_ms } = this.shown;
    this.#replay.change({ lane: kept({ from_ms: from_ms + ms, to_ms: to_ms + ms }, this.#replay.range) });
  }

  /** So much around the clock; the whole range for Infinity. @param {number} length_ms */
  show(length_ms) {
    this.#replay.change({ lane: around(this.#replay.clock.now_ms, length_ms, this.#replay.range) });
  }

  /** One frame. @param {number} told_ms steady */
  draw(told_ms) {
    this.#turn();
    if (this.#stale) this.#redraw();
    const x = this.scale.x(this.#replay.clock.now_ms);
    this.#cursor.hidden = x < 0 || x > this.#width;
    this.#cursor.style.setProperty("transform", `translateX(${x.toFixed(1)}px)`);
    if (told_ms - this.#said_ms < SAY_MS) return;
    this.#said_ms = told_ms;
    this.#say();
  }

  /** Go on to the next stretch when the clock leaves this one by itself. */
  #turn() {
    const { clock: time, view } = this.#replay;
    const { from_ms, to_ms } = this.shown;
    if (!view.value.lane || !time.playing || (time.now_ms >= from_ms && time.now_ms <= to_ms)) return;
    const length = to_ms - from_ms;
    const first = time.now_ms - length * (time.rate > 0 ? TURN_SHARE : 1 - TURN_SHARE);
    view.set({ ...view.value, lane: kept({ from_ms: first, to_ms: first + length }, this.#replay.range) });
  }

  #redraw() {
    this.#stale = false;
    this.#width = Math.max(1, this.#strip.clientWidth);
    const { tracks, moments, range } = this.#replay;
    const { density, ruler, rows, shared } = this.#canvases;
    const scale = this.scale;
    const strip = fit(density, this.#width, DENSITY_PX);
    const key = moments.value.filter(isKey);
    this.#painter.density(strip, tracks.value, key, new Scale(range, this.#width), this.shown, DENSITY_PX);
    drawRuler(fit(ruler, this.#width, RULER_PX), scale);
    const height = Math.min(this.#scroll.clientHeight, tracks.value.length * ROW_PX);
    this.#drawRows(fit(rows, this.#width, height), scale);
    const colours = new Map(tracks.value.map((track) => [track.key, track.colour]));
    this.#painter.shared(fit(shared, this.#width, SHARED_PX * SHARED.length), moments.value, (one) => colours.get(one) ?? "", scale);
    this.#select(scale);
  }

  /** @param {CanvasRenderingContext2D} context @param {Scale} scale */
  #drawRows(context, scale) {
    const { tracks, moments } = this.#replay;
    const recordings = moments.value.filter(({ kind }) => kind === "recording");
    const { scrollTop, clientHeight } = this.#scroll;
    tracks.value.forEach((track, i) => {
      const y = i * ROW_PX - scrollTop;
      if (y <= -ROW_PX || y >= clientHeight) return;
      const own = recordings.filter(({ subject }) => subject === track.key);
      this.#painter.row(context, track, own, scale, y);
    });
  }

  /** @param {Scale} scale */
  #select(scale) {
    const loop = this.#replay.clock.loop.value;
    this.#selection.hidden = loop === null;
    if (loop) this.outline(scale.x(loop.from_ms), scale.x(loop.to_ms));
  }

  /** Show which stretch is meant. @param {number} x0 pixels @param {number} x1 */
  outline(x0, x1) {
    this.#selection.hidden = false;
    this.#selection.style.setProperty("left", `${Math.max(0, Math.min(x0, x1))}px`);
    this.#selection.style.setProperty("width", `${Math.abs(x1 - x0)}px`);
  }

  #name() {
    const rows = this.#replay.tracks.value.map((track) => {
      const swatch = h("i", { class: "swatch", style: { background: track.colour } });
      const state = h("small", { class: "dim ellipsis" });
      const choose = () => this.#replay.chosen.set(track.key);
      return h("button", { class: "lane-name", "data-key": track.key, onclick: choose }, swatch, h("span", { class: "ellipsis" }, track.title), state);
    });
    fill(this.#names, rows);
    this.#said_ms = -Infinity;
    this.#mark();
  }

  #mark() {
    const main = this.#replay.main?.key;
    for (const row of this.#names.children) row.setAttribute("aria-pressed", String(row instanceof HTMLElement && row.dataset["key"] === main));
  }

  /** What the picture shows, in words. */
  #say() {
    const { clock: time, tracks, range } = this.#replay;
    [...this.#names.children].forEach((row, i) => {
      const words = t(`review.state.${tracks.value[i]?.stateAt(time.now_ms)?.state ?? "unworn"}`);
      const state = row.lastElementChild;
      if (state && state.textContent !== words) state.textContent = words;
    });
    this.#strip.setAttribute("aria-valuemin", String(Math.round(range.from_ms / 1000)));
    this.#strip.setAttribute("aria-valuemax", String(Math.round(range.to_ms / 1000)));
    this.#strip.setAttribute("aria-valuenow", String(Math.round(time.now_ms / 1000)));
    this.#strip.setAttribute("aria-valuetext", when(time.now_ms));
    this.#cursor.dataset["time"] = clock(time.now_ms);
  }
}

function canvas() {
  return h("canvas", { "aria-hidden": "true" });
}

/** A canvas of a size, empty. @param {HTMLCanvasElement} sheet @param {number} width @param {number} height */
function fit(sheet, width, height) {
  const ratio = devicePixelRatio || 1;
  const context = /** @type {CanvasRenderingContext2D} */ (sheet.getContext("2d"));
  sheet.width = Math.round(width * ratio);
  sheet.height = Math.round(height * ratio);
  sheet.style.setProperty("width", `${width}px`);
  sheet.style.setProperty("height", `${height}px`);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

/** @param {CanvasRenderingContext2D} context @param {Scale} scale */
function drawRuler(context, scale) {
  const [line, dim, text] = ["--edge", "--dim", "--text"].map(token);
  context.font = `11px ${token("--font")}`;
  context.textBaseline = "middle";
  for (const { ms, label, strong } of ticks(scale, scale.width)) {
    const x = scale.x(ms);
    context.fillStyle = line ?? "";
    context.fillRect(Math.round(x), RULER_PX - 6, 1, 6);
    context.fillStyle = (strong ? text : dim) ?? "";
    context.fillText(label, x + 4, RULER_PX / 2 - 1);
  }
}
