/**
 * What our own key does: it asks for the floor, and sends the voice only while the floor is ours. Whatever takes the floor,
 * the group or the microphone away ends the voice too; the key says why until it is let go.
 */

import { t } from "../kit/i18n.js";
import { playTone } from "../kit/sound.js";
import { Store } from "../kit/store.js";
import { Microphone } from "../net/microphone.js";
import { serverNow } from "../net/stream.js";

/**
 * @typedef {object} Key
 * @property {"idle" | "asking" | "queued" | "talking" | "refused"} phase
 * @property {string | null} gid
 * @property {number} position in the queue, from 1
 * @property {number | null} ends_ms server time at which the floor is taken from us at the latest
 * @property {string} cause of `refused`: a cause of the server, `microphone`, `no_group` or `ended`
 *
 * @typedef {object} Line the way to the radio net
 * @property {() => boolean} ready
 * @property {() => import("../types").TalkGroup | null} group that the key talks in
 * @property {(message: Record<string, unknown>) => void} send
 * @property {(track: MediaStreamTrack | null) => void} speak
 */

/** @type {Key} */
const IDLE = { phase: "idle", gid: null, position: 0, ends_ms: null, cause: "" };
const WAITS = new Set(["asking", "queued", "talking"]);

export class TalkKey {
  /** @type {Store<Key>} */
  standing = new Store(IDLE);
  /** What went wrong with the microphone, to be told once. @type {Store<unknown>} */
  complaint = new Store(/** @type {unknown} */ (null));
  microphone = new Microphone((problem) => this.#loseMicrophone(problem));
  #line;
  /** Runs while a floor that was revoked still lets us be heard. @type {ReturnType<typeof setTimeout> | undefined} */
  #closing;
  /** Counts presses, so that a microphone that opens late serves no later one. */
  #presses = 0;
  #held = false;
  /** Of the press. @type {0 | 1 | 2} */
  #urgency = 0;
  /** Whether both may talk at once in the group that it talks in: then it stays open until it is pressed again. */
  #duplex = false;

  /** @param {Line} line */
  constructor(line) {
    this.#line = line;
  }

  get #phase() {
    return this.standing.value.phase;
  }

  get held() {
    return this.#held;
  }

  /** Held already, it counts when it is more urgent. @param {0 | 1 | 2} urgency 2 is an emergency */
  async press(urgency) {
    if (this.#held && urgency <= this.#urgency) return;
    if (!this.#line.ready()) return playTone("deny");
    const waits = WAITS.has(this.#phase);
    if (this.#duplex && waits) return this.#held ? undefined : this.end();
    this.#urgency = urgency;
    if (this.#held && waits) return this.microphone.track ? this.#request() : undefined;
    this.#held = true;
    await this.#ask();
  }

  async #ask() {
    const group = this.#line.group();
    if (!group || group.may_talk === false) return this.#refuse(group ? "receive_only" : "no_group");
    const mine = ++this.#presses;
    this.#duplex = group.duplex === true;
    this.standing.set({ ...IDLE, phase: "asking", gid: group.gid });
    try {
      await this.microphone.open();
    } catch (problem) {
      this.complaint.set(problem);
      return mine === this.#presses && this.#refuse("microphone");
    }
    if (mine !== this.#presses || this.#phase !== "asking") return;
    this.#request();
  }

  #request() {
    this.#line.send({ t: "request", gid: this.standing.value.gid, urgency: this.#urgency, wait: true });
  }

  release() {
    if (!this.#held) return;
    this.#held = false;
    if (!this.#duplex || !WAITS.has(this.#phase)) this.end();
  }

  /** Nothing is asked for or sent any more. */
  end() {
    const { phase, gid } = this.standing.value;
    const lasts = WAITS.has(phase) || this.#closing !== undefined;
    this.#presses += 1;
    this.#silence();
    if (lasts) this.#line.send({ t: "release", gid });
    this.standing.set(IDLE);
  }

  /** The connection is gone, and with it what the key had. */
  forget() {
    if (WAITS.has(this.#phase)) this.#drop("ended");
  }

  /** @param {any} message of the talk server to us: `granted`, `position`, `deny` or `revoke` */
  hear(message) {
    const { gid } = this.standing.value;
    if (message.t === "granted") this.#grant(message);
    else if (message.gid !== gid) return;
    else if (message.t === "deny") this.#refuse(message.cause);
    else if (message.t === "revoke") this.#revoke(message.cause, message.left_s ?? 0);
    else if (this.#held) this.standing.set({ ...this.standing.value, phase: "queued", position: message.position });
  }

  /** A group has another talker, or none. @param {string} gid @param {boolean} mine @param {string} cause */
  see(gid, mine, cause) {
    const ours = this.#phase === "talking" && this.standing.value.gid === gid && !this.#duplex;
    if (ours && !mine) this.#revoke(cause, 0);
  }

  /** Other groups are over. @param {(gid: string) => boolean} known */
  keepTo(known) {
    const { gid, phase } = this.standing.value;
    if (gid !== null && WAITS.has(phase) && !known(gid)) this.#drop("ended");
  }

  /**
   * The floor is ours; after an interruption perhaps still, or no more wanted. In a two-way call it is our own gate, which
   * stays open until we let go or somebody takes the call down (`revoke`).
   * @param {{gid: string, left_s: number}} message
   */
  #grant({ gid, left_s }) {
    const wanted = this.#held || (this.#duplex && WAITS.has(this.#phase));
    if (wanted && gid === this.#line.group()?.gid) this.#talk(gid, this.#duplex ? null : left_s);
    else this.#line.send({ t: "release", gid });
  }

  /**
   * @param {string} gid
   * @param {number | null} left_s how long the floor is ours; null without end
   */
  #talk(gid, left_s) {
    this.#stopClosing();
    this.#line.speak(this.microphone.track);
    this.standing.set({ ...IDLE, phase: "talking", gid, ends_ms: left_s === null ? null : serverNow() + left_s * 1000 });
    playTone("permit");
  }

  #silence() {
    this.#stopClosing();
    this.#line.speak(null);
    this.microphone.rest();
  }

  #stopClosing() {
    clearTimeout(this.#closing);
    this.#closing = undefined;
  }

  /** @param {string} cause */
  #refuse(cause) {
    this.standing.set({ ...this.standing.value, phase: "refused", cause });
    playTone("deny");
  }

  /**
   * The floor is gone; what is on the lips may still go out for a moment.
   * @param {string} cause
   * @param {number} left_s
   */
  #revoke(cause, left_s) {
    this.#stopClosing();
    if (left_s > 0) this.#closing = setTimeout(() => this.#silence(), left_s * 1000);
    else this.#silence();
    playTone("revoked");
    // The key of a two-way call is not held: nobody lets it go, and it is ready at once.
    if (!this.#held) this.complaint.set(new Error(t(`talk.cause.${cause}`)));
    this.standing.set(this.#held ? { ...this.standing.value, phase: "refused", cause } : IDLE);
  }

  /** It was unplugged, or its leave was taken back. @param {unknown} problem */
  #loseMicrophone(problem) {
    if (!WAITS.has(this.#phase)) return;
    this.complaint.set(problem);
    this.#drop("microphone");
  }

  /** @param {string} cause why it cannot go on */
  #drop(cause) {
    this.end();
    if (this.#held) this.standing.set({ ...IDLE, phase: "refused", cause });
    playTone("revoked");
  }
}
