/**
 * The one clock of a look back: map, lanes, pictures and voices follow it, and never each other. It knows no page: whoever
 * shows it tells it that time passed.
 */

import { Store } from "../kit/store.js";

/** @typedef {import("./types").Span} Span */

export const RATE_MAX = 64;
/** What passes at most between two frames: a page that was hidden goes on where it was. */
const STEP_MAX_MS = 250;

/** @param {number} value @param {number} low @param {number} high */
const within = (value, low, high) => Math.min(high, Math.max(low, value));

/** Rates from the fastest backwards to the fastest forwards: powers of two. */
const RATES = [-64, -32, -16, -8, -4, -2, -1, 1, 2, 4, 8, 16, 32, 64];

export class Clock {
  /** UTC milliseconds. */
  time = new Store(0);
  /** How many seconds pass in one, below zero backwards; it stands while `playing` is false. */
  pace = new Store({ playing: false, rate: 1 });
  /** The time that can be looked at. @type {Store<Span>} */
  range = new Store({ from_ms: 0, to_ms: 0 });
  /** What is played over and over. @type {Store<Span | null>} */
  loop = new Store(/** @type {Span | null} */ (null));
  /** How often somebody set the time by hand: players go there at once instead of catching up. */
  jumps = new Store(0);
  /** What is passed over while playing, in order of time. @type {Span[]} */
  skipped = [];
  /** @type {number | null} */
  #told_ms = null;

  get now_ms() {
    return this.time.value;
  }

  get playing() {
    return this.pace.value.playing;
  }

  get rate() {
    return this.pace.value.rate;
  }

  /** Look at another time. @param {Span} range @param {number} [now_ms] */
  setRange(range, now_ms = this.now_ms) {
    this.range.set(range);
    this.loop.set(null);
    this.seek(now_ms);
  }

  /** @param {number} ms */
  seek(ms) {
    const { from_ms, to_ms } = this.range.value;
    this.time.set(within(ms, from_ms, to_ms));
    this.jumps.set(this.jumps.value + 1);
  }

  /** @param {number} ms */
  step(ms) {
    this.seek(this.now_ms + ms);
  }

  /** Play; from the other end when this one is reached. */
  play() {
    const { from_ms, to_ms } = this.loop.value ?? this.range.value;
    const ahead = this.rate > 0;
    if (this.now_ms >= to_ms && ahead) this.seek(from_ms);
    else if (this.now_ms <= from_ms && !ahead) this.seek(to_ms);
    this.#told_ms = null;
    this.#setPace(true, this.rate);
  }

  pause() {
    this.#setPace(false, this.rate);
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  /** @param {number} rate -64 … 64, rounded to the next power of two */
  setRate(rate) {
    const nearest = RATES.reduce((best, one) => (Math.abs(one - rate) < Math.abs(best - rate) ? one : best), 1);
    this.#setPace(this.playing, nearest);
  }

  /** Twice or half as fast in the same direction. @param {1 | -1} step */
  shift(step) {
    const size = within(Math.abs(this.rate) * 2 ** step, 1, RATE_MAX);
    this.#setPace(this.playing, Math.sign(this.rate) * size);
  }

  /** As J and L of an editing desk: each press goes faster that way, or turns. @param {1 | -1} direction */
  shuttle(direction) {
    const same = this.playing && Math.sign(this.rate) === direction;
    const size = same ? within(Math.abs(this.rate) * 2, 1, RATE_MAX) : 1;
    this.#setPace(this.playing, direction * size);
    if (!this.playing) this.play();
  }

  /** Play a stretch over and over. @param {Span | null} span */
  setLoop(span) {
    this.loop.set(span && span.to_ms > span.from_ms ? span : null);
    const loop = this.loop.value;
    if (loop && (this.now_ms < loop.from_ms || this.now_ms > loop.to_ms)) this.seek(loop.from_ms);
  }

  /** The stretch begins now; it ends where it did, else with the range. */
  loopFrom() {
    const end_ms = this.loop.value?.to_ms ?? -Infinity;
    this.setLoop({ from_ms: this.now_ms, to_ms: end_ms > this.now_ms ? end_ms : this.range.value.to_ms });
  }

  /** The stretch ends now; it begins where it did, else with the range. */
  loopTo() {
    const begin_ms = this.loop.value?.from_ms ?? Infinity;
    this.setLoop({ from_ms: begin_ms < this.now_ms ? begin_ms : this.range.value.from_ms, to_ms: this.now_ms });
  }

  /**
   * Time passed.
   * @param {number} told_ms any steady clock, such as `performance.now()`
   */
  advance(told_ms) {
    const passed_ms = this.#told_ms === null ? 0 : within(told_ms - this.#told_ms, 0, STEP_MAX_MS);
    this.#told_ms = told_ms;
    if (!this.playing || !passed_ms) return;
    const { from_ms, to_ms } = this.loop.value ?? this.range.value;
    const next_ms = this.#past(this.now_ms + passed_ms * this.rate);
    if (next_ms >= from_ms && next_ms <= to_ms) this.time.set(next_ms);
    else this.#end(this.rate > 0 ? to_ms : from_ms, this.rate > 0 ? from_ms : to_ms);
  }

  /** @param {number} end_ms @param {number} other_ms the other end */
  #end(end_ms, other_ms) {
    if (this.loop.value) return this.seek(other_ms);
    this.time.set(end_ms);
    this.pause();
  }

  /** Where to go on when a moment lies in what is passed over. @param {number} ms */
  #past(ms) {
    const span = spanAt(this.skipped, ms);
    return span ? (this.rate > 0 ? span.to_ms : span.from_ms - 1) : ms;
  }

  /** @param {boolean} playing @param {number} rate */
  #setPace(playing, rate) {
    const { value } = this.pace;
    if (value.playing !== playing || value.rate !== rate) this.pace.set({ playing, rate });
  }
}

/**
 * The span that holds a moment.
 * @template {Span} S
 * @param {readonly S[]} spans in order of time, none over another
 * @param {number} ms
 * @returns {S | null}
 */
export function spanAt(spans, ms) {
  const span = spans[lastBefore(spans.length, (i) => (spans[i]?.from_ms ?? 0) <= ms)];
  return span && ms < span.to_ms ? span : null;
}

/**
 * The last index for which something holds, of those for which it holds up to one; -1 when for none.
 * @param {number} count
 * @param {(index: number) => boolean} holds
 */
export function lastBefore(count, holds) {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
