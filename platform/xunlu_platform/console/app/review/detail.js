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
/** Reasons for which a fix is marked and still believed; every other one rejects it. */
const BELIEVED = new Set(["still", "low_confidence", "estimated", "manual", "simulated"]);

/** @param {string | null | undefined} flag */
export const isRejected = (flag) => flag !== null && flag !== undefined && !BELIEVED.has(flag);

export class DetailLoader {
  detail = new Store(/** @type {Detail | null} */ (null));
  #replay;
  #scope;
  #asked = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #waiting;

  /**
   * @param {import("./replay.js").Replay} replay
   * @param {import("../kit/store.js").Scope} scope
   */
  constructor(replay, scope) {
    this.#replay = replay;
    this.#scope = scope;
    scope.read(replay.tracks, () => this.forget());
    scope.read(replay.view, () => this.settle());
    scope.read(replay.clock.time, () => this.#outside() && this.settle());
    scope.onClose(() => clearTimeout(this.#waiting));
  }

  /** Load what is wanted now, soon. */
  settle() {
    clearTimeout(this.#waiting);
    if (this.#wanted) this.#waiting = setTimeout(() => void this.load().catch(complain), WAIT_MS);
    else this.detail.set(null);
  }

  forget() {
    this.#asked = "";
    this.detail.set(null);
    this.settle();
  }

  /** Every fix of the half hour around the clock. @returns {Promise<Detail | null>} null when another is asked for meanwhile */
  async load() {
    const { now_ms } = this.#replay.clock;
    const { subjects } = this.#replay.view.value;
    const { from_ms, to_ms } = this.#replay.range;
    const begin_ms = Math.max(from_ms, Math.floor(now_ms / WINDOW_MS) * WINDOW_MS);
    const span = { from_ms: begin_ms, to_ms: Math.min(to_ms, Math.floor(now_ms / WINDOW_MS + 1) * WINDOW_MS) };
    const asked = `${subjects} ${span.from_ms}`;
    if (asked === this.#asked || !subjects.length || span.to_ms <= span.from_ms) return this.detail.value;
    this.#asked = asked;
    const detail = await this.#pages(subjects, span, asked).catch((problem) => {
      this.#asked = "";
      throw problem;
    });
    if (detail) this.detail.set(detail);
    return detail;
  }

  /**
   * @param {string[]} subjects
   * @param {import("./types").Span} span
   * @param {string} asked
   * @returns {Promise<Detail | null>}
   */
  async #pages(subjects, span, asked) {
    /** @type {Detail} */
    const detail = { ...span, pieces: new Map(), cut: false };
    let after = null;
    for (let page = 0; page < PAGES_MAX; page++) {
      const more = after ? `&after=${encodeURIComponent(after)}` : "";
      /** @type {import("./types").TracksAnswer} */
      const answer = await get(`/review/tracks${questionOf(subjects, span)}&tolerance_m=0&raw=true${more}`);
      if (this.#scope.closed || asked !== this.#asked) return null;
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
