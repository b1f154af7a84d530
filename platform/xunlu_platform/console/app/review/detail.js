/** Every fix around the clock, with what was rejected and why: for whoever looks closely. Asked for in pieces of half an hour. */

import { Store } from "../kit/store.js";
import { get } from "../net/http.js";
import { complain } from "../view/notice.js";
import { questionOf } from "./replay.js";
import { pieceOf } from "./track.js";

/** @typedef {import("./track.js").Piece & {flags: (string | null)[], accuracy_m: (number | null)[]}} DetailPiece */
/** @typedef {import("./types").Span & {pieces: Map<string, DetailPiece[]>, cut: boolean}} Detail */

const WINDOW_MS = 1_800_000;
/** Pages of 20,000 fixes: 50 officers at one fix a second are 90,000. */
const PAGES_MAX = 5;
/** From so close on single fixes can be told apart, metres of a pixel. */
const CLOSE_M = 0.7;
/** A clock that leaves its window faster than this is not followed: rate. */
const RATE_MAX = 16;
const WAIT_MS = 300;
/** Half hours that are kept: the one around the clock and those beside it. */
const KEPT_MAX = 3;
/** Reasons for which a fix is marked and still believed; every other one rejects it. */
const BELIEVED = new Set(["still", "low_confidence", "estimated", "manual", "simulated"]);

/** @param {string | null | undefined} flag */
export const isRejected = (flag) => flag !== null && flag !== undefined && !BELIEVED.has(flag);

export class DetailLoader {
  /** What the map shows of them. */
  detail = new Store(/** @type {Detail | null} */ (null));
  #replay;
  #scope;
  /** By whom and from when, here or on their way; the latest asked for last. @type {Map<string, Promise<Detail | null>>} */
  #kept = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #waiting;

  /**
   * @param {import("./replay.js").Replay} replay
   * @param {import("../kit/store.js").Scope} scope
   */
  constructor(replay, scope) {
    this.#replay = replay;
    this.#scope = scope;
    scope.read(replay.standing, ({ phase }) => (phase === "ready" ? this.settle() : this.#forget()));
    scope.read(replay.view, () => this.settle());
    scope.read(replay.clock.time, () => this.#outside() && this.settle());
    // A hand that drags asks once it rests; a clock that runs would never rest.
    scope.read(replay.clock.jumps, () => (this.#rest(), this.settle()));
    scope.onClose(() => this.#rest());
  }

  /** Show what is wanted now, soon. */
  settle() {
    if (!this.#wanted) return this.detail.set(null);
    this.#waiting ??= setTimeout(() => (this.#rest(), void this.#show().catch(complain)), WAIT_MS);
  }

  #rest() {
    clearTimeout(this.#waiting);
    this.#waiting = undefined;
  }

  #forget() {
    this.#kept.clear();
    this.detail.set(null);
  }

  async #show() {
    const { now_ms } = this.#replay.clock;
    const detail = this.#wanted ? await this.at(now_ms) : null;
    if (!detail || !this.#wanted) return;
    this.detail.set(detail);
    if (this.#outside()) this.settle();
  }

  /**
   * Every fix of the half hour that holds a moment.
   * @param {number} ms
   * @returns {Promise<Detail | null>} null out of the time that is looked at, and when nobody waits for it any more
   */
  at(ms) {
    const { subjects } = this.#replay.view.value;
    const span = this.#windowOf(ms);
    const name = `${subjects} ${span.from_ms}`;
    const known = this.#kept.get(name);
    if (known) return known;
    if (!subjects.length || span.to_ms <= span.from_ms) return Promise.resolve(null);
    const awaited = () => !this.#scope.closed && this.#kept.get(name) === asked;
    const asked = this.#pages(subjects, span, awaited).catch((problem) => {
      if (awaited()) this.#kept.delete(name);
      throw problem;
    });
    this.#kept.set(name, asked);
    for (const old of [...this.#kept.keys()].slice(0, -KEPT_MAX)) this.#kept.delete(old);
    return asked;
  }

  /** @param {number} ms @returns {import("./types").Span} */
  #windowOf(ms) {
    const { from_ms, to_ms } = this.#replay.range;
    const begin_ms = Math.floor(ms / WINDOW_MS) * WINDOW_MS;
    return { from_ms: Math.max(from_ms, begin_ms), to_ms: Math.min(to_ms, begin_ms + WINDOW_MS) };
  }

  /**
   * @param {string[]} subjects
   * @param {import("./types").Span} span
   * @param {() => boolean} awaited
   * @returns {Promise<Detail | null>}
   */
  async #pages(subjects, span, awaited) {
    /** @type {Detail} */
    const detail = { ...span, pieces: new Map(), cut: false };
    let after = null;
    for (let page = 0; page < PAGES_MAX; page++) {
      const more = after ? `&after=${encodeURIComponent(after)}` : "";
      /** @type {import("./types").TracksAnswer} */
      const answer = await get(`/review/tracks${questionOf(subjects, span)}&tolerance_m=0&raw=true${more}`);
      if (!awaited()) return null;
      collect(detail, answer);
      after = answer.next;
      if (!after) return detail;
    }
    return { ...detail, cut: true };
  }

  get #wanted() {
    const { clean, on } = this.#replay.view.value;
    const close = this.#replay.metresPerPixel !== null && this.#replay.metresPerPixel < CLOSE_M;
    return this.#replay.tracks.value.length > 0 && Math.abs(this.#replay.clock.rate) <= RATE_MAX && (!clean || on.has("accuracy") || close);
  }

  #outside() {
    const { value } = this.detail;
    const { now_ms } = this.#replay.clock;
    return value !== null && (now_ms < value.from_ms || now_ms >= value.to_ms);
  }
}

/** @param {Detail} detail @param {import("./types").TracksAnswer} answer */
function collect(detail, answer) {
  const base_ms = Date.parse(answer.from);
  for (const { subject, pieces } of answer.subjects) {
    const told = pieces.map((piece) => ({ ...pieceOf(piece, base_ms), flags: piece.flags ?? [], accuracy_m: piece.accuracy_m ?? [] }));
    detail.pieces.set(subject, [...(detail.pieces.get(subject) ?? []), ...told]);
  }
}
