/**
 * One picture from click to end: asks the platform, plays from the relay, sees by the frames themselves whether the
 * picture lives, and comes back by itself when it was only the network. The state says what is true now:
 *
 * idle → asking → connecting → waiting (for the recorder) → live ⇄ stalled; away when it is tried again by itself; ended or
 * refused until somebody asks again.
 */

import { h } from "../kit/dom.js";
import { t, word } from "../kit/i18n.js";
import { Store } from "../kit/store.js";
import { post, Problem } from "../net/http.js";
import { WhepSession } from "../net/whep.js";
import { figuresOf } from "./stats.js";

/** Without a new frame for this long, a picture no longer stands for the present. */
const STALL_MS = 1_000;
const WATCH_MS = 250;
const STATS_MS = 1_000;
/** A session that brings nothing for this long is asked for again: the recorder may need a new command. */
const PATIENCE_MS = 20_000;
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 15_000;
const REFUSALS = new Set(["rejected", "failed", "expired"]);
const HAS_FRAME_CALLBACK = "requestVideoFrameCallback" in HTMLVideoElement.prototype;

/**
 * @typedef {"idle" | "asking" | "connecting" | "waiting" | "live" | "stalled" | "away" | "ended" | "refused"} Phase
 * @typedef {object} Standing
 * @property {Phase} phase
 * @property {number} since_ms `performance.now()`
 * @property {string} title why it is so, for people; empty where the phase says it all
 * @property {string} detail what to do
 * @property {string} slug of the problem, for `refused`
 */

/** @param {Phase} phase @param {string} [title] @param {string} [detail] @param {string} [slug] @returns {Standing} */
const standing = (phase, title = "", detail = "", slug = "") => ({ phase, title, detail, slug, since_ms: performance.now() });

export class Player {
  video = h("video", { autoplay: true, playsinline: true, disablepictureinpicture: true, disableremoteplayback: true });
  standing = new Store(standing("idle"));
  /** @type {Store<import("./stats.js").Figures | null>} */
  figures = new Store(/** @type {import("./stats.js").Figures | null} */ (null));
  /** The browser wants a gesture before it plays. */
  blocked = new Store(false);
  did;
  /** When the newest frame was shown, `performance.now()`; 0 before the first. */
  frame_ms = 0;
  /** @type {WhepSession | null} */
  #session = null;
  /** The command that asked the recorder, while its answer matters. @type {string | null} */
  #command = null;
  #turn = 0;
  #retry_ms = RETRY_MIN_MS;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  /** @type {ReturnType<typeof setInterval>[]} */
  #timers = [];

  /** @param {string} did */
  constructor(did) {
    this.did = did;
    this.video.muted = true;
  }

  get phase() {
    return this.standing.value.phase;
  }

  /** Whether it plays or tries to. */
  get active() {
    return this.#timers.length > 0;
  }

  /** Age of the picture, seconds; null before the first frame. */
  get age_s() {
    return this.frame_ms ? (performance.now() - this.frame_ms) / 1000 : null;
  }

  /** Begin, or begin anew: a person asked. */
  play() {
    this.#stop();
    this.#retry_ms = RETRY_MIN_MS;
    this.#timers = [setInterval(() => this.#watch(), WATCH_MS), setInterval(() => void this.#count(), STATS_MS)];
    void this.#ask();
  }

  /** Nobody looks: no session, no traffic; the last frame may stay. */
  pause() {
    this.#stop();
    this.standing.set(standing("idle"));
  }

  close() {
    this.pause();
    this.video.srcObject = null;
  }

  /** A step of a command: it may say that this picture will not come, or shall end. @param {import("../types").Command} command */
  hear(command) {
    if (command.did !== this.did || !this.active) return;
    if (command.name === "live_stop" && command.state === "done")
      this.#finish(standing("ended", t("live.stopped"), t("live.stopped.do")));
    if (command.id !== this.#command || this.phase !== "waiting") return;
    if (!REFUSALS.has(command.state))
      return this.standing.set({ ...this.standing.value, title: t("live.command", { step: t(`step.${command.state}`) }) });
    const reason = command.code ? word("code", String(command.code)) : (command.why ?? "");
    const said = [t(`step.${command.state}`), reason].filter(Boolean).join(" · ");
    this.#finish(standing("refused", t("live.recorder-refused", { said }), t("live.recorder-refused.do"), "recorder-refused"));
  }

  /** The person allowed it by a gesture. */
  async unblock() {
    this.blocked.set(!(await played(this.video)));
  }

  async #ask() {
    const turn = ++this.#turn;
    if (HAS_FRAME_CALLBACK) this.#listen(turn);
    this.standing.set(standing("asking"));
    try {
      /** @type {import("../types").LiveGrant} */
      const grant = await post(`/live/${encodeURIComponent(this.did)}`);
      if (turn !== this.#turn) return;
      this.#command = grant.command;
      this.standing.set(standing("connecting"));
      await this.#open(grant, turn);
      if (turn !== this.#turn) return;
      if (this.phase === "connecting") this.standing.set(standing("waiting"));
      await this.unblock();
    } catch (problem) {
      if (turn === this.#turn) this.#fail(problem);
    }
  }

  /**
   * @param {import("../types").LiveGrant} grant
   * @param {number} turn
   */
  async #open(grant, turn) {
    const session = new WhepSession(grant);
    this.#session = session;
    session.onLost = () => turn === this.#turn && this.#again(this.#nextDelay());
    this.video.srcObject = session.media;
    await session.play();
  }

  /** @param {unknown} problem */
  #fail(problem) {
    this.#drop();
    if (!(problem instanceof Problem)) return this.#finish(standing("refused", t("problem.unknown"), String(problem)));
    const { status, title, detail, slug, retry_s } = problem;
    const passing = status === 0 || status === 401 || status === 429 || status >= 500;
    if (passing) this.#again(retry_s === null ? this.#nextDelay() : retry_s * 1000, title, detail);
    else this.#finish(standing("refused", title, detail, slug));
  }

  /**
   * Ask once more after a while.
   * @param {number} delay_ms
   * @param {string} [title]
   * @param {string} [detail]
   */
  #again(delay_ms, title = t("live.interrupted"), detail = t("live.interrupted.do")) {
    this.#drop();
    this.standing.set(standing("away", title, detail));
    this.#retry = setTimeout(() => void this.#ask(), delay_ms);
  }

  #nextDelay() {
    const delay_ms = this.#retry_ms * (0.5 + Math.random());
    this.#retry_ms = Math.min(RETRY_MAX_MS, this.#retry_ms * 2);
    return delay_ms;
  }

  /** @param {Standing} last what stays until somebody asks again */
  #finish(last) {
    this.#stop();
    this.standing.set(last);
  }

  #stop() {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    this.#drop();
    this.figures.set(null);
  }

  /** Leave the session, whatever it was doing. */
  #drop() {
    this.#turn += 1;
    clearTimeout(this.#retry);
    this.#session?.close();
    this.#session = null;
    this.#command = null;
  }

  /** Hear of every frame that is shown. @param {number} turn */
  #listen(turn) {
    this.video.requestVideoFrameCallback(() => {
      if (turn !== this.#turn) return;
      this.#see();
      this.#listen(turn);
    });
  }

  /** A frame is on the screen. */
  #see() {
    this.frame_ms = performance.now();
    if (this.phase === "live" || !this.#session) return;
    this.#retry_ms = RETRY_MIN_MS;
    this.standing.set(standing("live"));
  }

  #watch() {
    const { phase, since_ms } = this.standing.value;
    const now = performance.now();
    if (phase === "live" && now - this.frame_ms > STALL_MS) this.standing.set(standing("stalled"));
    const idle = (phase === "waiting" || phase === "stalled") && this.#session !== null;
    if (idle && now - since_ms > PATIENCE_MS) this.#again(this.#nextDelay(), t("live.silent"), t("live.silent.do"));
  }

  async #count() {
    const session = this.#session;
    const before = this.figures.value;
    const report = await session?.stats().catch(() => undefined);
    if (!report || session !== this.#session) return;
    const figures = figuresOf(report, before);
    if (!HAS_FRAME_CALLBACK && before && figures.frames > before.frames) this.#see();
    this.figures.set(figures);
  }
}

/** Whether the browser lets it play; without that right it waits for a gesture. @param {HTMLVideoElement} video */
async function played(video) {
  try {
    await video.play();
    return true;
  } catch (error) {
    return !(error instanceof DOMException && error.name === "NotAllowedError");
  }
}
