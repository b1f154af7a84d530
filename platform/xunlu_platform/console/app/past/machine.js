/**
 * The time machine of the command view: it puts the fleet of a moment that is over in the place of today's, and plays on from
 * there until the present is reached. The desk goes on to hear the present (`../state/feed.js`): alarms ring as ever.
 */

import { Store } from "../kit/store.js";
import { serverNow } from "../net/stream.js";
import { Clock } from "../review/clock.js";
import { fleet } from "../state/fleet.js";
import { past, showMoment } from "../state/moment.js";
import { forgetTrails } from "../state/trails.js";
import { alarmsAt, between } from "./between.js";
import { Snapshots } from "./snapshots.js";

/** @typedef {import("./snapshots.js").Snapshot} Snapshot */

const DAY_MS = 86_400_000;
const TICK_MS = 100;
/** A hand that drags asks once it rests. */
const REST_MS = 150;
/** So near to the present the present itself is shown. */
const NEAR_MS = 1500;
/** Between two snapshots while playing; at most one of them is asked for in a second. */
const STEP_MIN_MS = 10_000;
const STEP_MAX_MS = 60_000;

/** The local day of a moment, as far as it has come. @param {number} ms @returns {import("../review/types").Span} */
export function dayOf(ms) {
  const midnight = new Date(ms);
  midnight.setHours(0, 0, 0, 0);
  return { from_ms: midnight.getTime(), to_ms: Math.min(midnight.getTime() + DAY_MS, serverNow()) };
}

export class TimeMachine {
  clock = new Clock();
  /** Whether a moment is on its way, and what went wrong. @type {Store<{waiting: boolean, problem: unknown}>} */
  standing = new Store(/** @type {{waiting: boolean, problem: unknown}} */ ({ waiting: false, problem: null }));
  /** Those that were open in the moment shown. @type {Store<import("../types").Alarm[]>} */
  alarms = new Store(/** @type {import("../types").Alarm[]} */ ([]));
  #snapshots = new Snapshots();
  /** What is shown, and what it is played towards. @type {Snapshot | null} */
  #before = null;
  #after_ms = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #resting;

  /** @param {import("../kit/store.js").Scope} scope */
  constructor(scope) {
    const now_ms = serverNow();
    this.clock.setRange(dayOf(now_ms), now_ms);
    scope.every(TICK_MS, () => this.#tick());
    let was = false;
    scope.read(past, (on) => {
      if (was && !on) this.#rest();
      was = on;
    });
    scope.onClose(() => showMoment(null));
  }

  /** Go to a moment; to the present when it is not over. @param {number} ms */
  seek(ms) {
    if (Number.isNaN(ms)) return;
    if (ms > serverNow() - NEAR_MS) return showMoment(null);
    if (!past.value) this.#empty(ms);
    this.clock.setRange(dayOf(ms), Math.floor(ms / 1000) * 1000);
    this.standing.set({ waiting: true, problem: null });
    this.#before = null;
    this.#snapshots.cancel();
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => void this.#arrive(this.clock.now_ms), REST_MS);
  }

  /** @param {number} ms forward, or below zero back */
  step(ms) {
    this.seek((past.value ? this.clock.now_ms : serverNow()) + ms);
  }

  toggle() {
    if (past.value) this.clock.toggle();
  }

  /** Of a moment nothing is known: what stood there belongs to another one. @param {number} ms */
  #empty(ms) {
    showMoment(ms);
    fleet.clear();
    this.alarms.set([]);
    forgetTrails();
  }

  /** The present is shown again. */
  #rest() {
    clearTimeout(this.#resting);
    this.#snapshots.cancel();
    this.#before = null;
    this.clock.pause();
    const now_ms = serverNow();
    this.clock.setRange(dayOf(now_ms), now_ms);
    this.standing.set({ waiting: false, problem: null });
    this.alarms.set([]);
    forgetTrails();
  }

  /** @param {number} ms */
  async #arrive(ms) {
    try {
      const found = await this.#snapshots.at(ms);
      if (!past.value || this.clock.now_ms !== ms) return;
      forgetTrails();
      this.#show(found);
      this.standing.set({ waiting: false, problem: null });
    } catch (problem) {
      if (!past.value || this.clock.now_ms !== ms) return;
      this.clock.pause();
      this.#empty(ms);
      this.standing.set({ waiting: false, problem });
    }
  }

  /** @param {Snapshot} found */
  #show(found) {
    this.#before = found;
    this.#after_ms = Math.min(found.at_ms + this.#step_ms, Math.floor(serverNow() / 1000) * 1000);
    showMoment(found.at_ms);
    fleet.replace([...found.devices.values()]);
    this.alarms.set(found.alarms);
  }

  #tick() {
    if (!past.value) return this.#keepPace();
    const before = this.#before;
    if (!this.clock.playing || !before) return;
    if (before.at_ms > serverNow() - NEAR_MS) return showMoment(null);
    const after = this.#next();
    if (!after) return;
    this.clock.advance(performance.now());
    const ms = this.clock.now_ms;
    if (ms >= after.at_ms) this.#show(after);
    else {
      showMoment(ms);
      fleet.merge(between(before, after, ms));
      this.alarms.set(alarmsAt(before, after, ms));
    }
    this.#reachEnd();
  }

  /** The snapshot that is played towards, when it is here; the one behind it is asked for meanwhile. */
  #next() {
    for (const at_ms of [this.#after_ms, this.#after_ms + this.#step_ms])
      if (at_ms < serverNow()) void this.#snapshots.at(at_ms).catch((problem) => this.#fail(problem));
    const after = this.#snapshots.here(this.#after_ms);
    if (this.standing.value.waiting === Boolean(after)) this.standing.set({ waiting: !after, problem: null });
    return after;
  }

  get #step_ms() {
    return Math.min(STEP_MAX_MS, Math.max(STEP_MIN_MS, this.clock.rate * 1000));
  }

  /** @param {unknown} problem */
  #fail(problem) {
    if (!past.value || !this.clock.playing || (problem instanceof DOMException && problem.name === "AbortError")) return;
    this.clock.pause();
    this.standing.set({ waiting: false, problem });
  }

  /** A day that is over is followed by the next. */
  #reachEnd() {
    const { to_ms } = this.clock.range.value;
    if (this.clock.now_ms < to_ms) return;
    this.clock.setRange(dayOf(to_ms + 1), to_ms);
    this.clock.play();
  }

  /** The slider stands at the present, which goes on. */
  #keepPace() {
    const now_ms = serverNow();
    if (now_ms - this.clock.now_ms > 1000) this.clock.setRange(dayOf(now_ms), now_ms);
  }
}
