/**
 * The way to the radio net: one WebSocket to the talk server and one Opus session, negotiated once; what is heard of all
 * groups comes in one stream. Lost, it comes back by itself, with jittered back-off, tuned as before. What is said on it:
 * docs/protocol.md, `/ptt`.
 */

import { Store } from "../kit/store.js";
import { knows, t } from "../kit/i18n.js";
import { post, Problem } from "./http.js";
import { showAtOnce } from "./whep.js";

/** Five seconds: a killed server is back by then, and until then nobody is there whom knocking could burden. */
const QUICK_TRIES = 20;
const QUICK_MS = 250;
/** Afterwards, and for whoever was turned away by a server that is there. */
const RETRY_MIN_MS = 2000;
const RETRY_MAX_MS = 15_000;
const JOIN_TIMEOUT_MS = 10_000;
const PING_MS = 4_000;
const SILENCE_MS = 10_000;
/** Shorter breaks of the media mend themselves: the next STUN check finds the way again. */
const BROKEN_MS = 3_000;
/** A token is asked for again when it has less than this left. */
const TOKEN_MARGIN_MS = 60_000;
/** The server lets nobody stay with a token that ended: a fresh one goes out from half of its life on, tried so often. */
const RENEWAL_RETRY_MS = 60_000;
/** Another window of the same account took the radio over: fighting for it would help nobody. */
const REPLACED = "replaced";
const REFUSED = new Set([401, 403, 404, 409]);
/** Of the closing handshake (RFC 6455 §7.4.1). */
const FAREWELL = 1000;

/**
 * @typedef {object} Standing
 * @property {"joining" | "ready" | "lost" | "off"} state `off` needs a person to join again
 * @property {string} why words, where there are some
 */

/** @typedef {{main: string | null, scan: string[]}} Tuning */

/** What the talk server complains of, in our words where we have some. @param {string} slug @param {string} detail */
export function problemWords(slug, detail) {
  const own = `talk.problem.${slug}`;
  return knows(own) ? t(own) : detail;
}

export class TalkLink {
  /** @type {Store<Standing>} */
  standing = new Store(/** @type {Standing} */ ({ state: "off", why: "" }));
  speaker = new Audio();
  #tuning;
  #receive;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {RTCPeerConnection | null} */
  #peer = null;
  /** @type {import("../types").TalkLeave | null} */
  #leave = null;
  #leaveEnds_ms = 0;
  #renewal_ms = 0;
  #retry_ms = RETRY_MIN_MS;
  #quickTries = QUICK_TRIES;
  #heard_ms = 0;
  #pings = 0;
  /** Grows when a connection is given up: what is still under way for an older one changes nothing. */
  #attempt = 0;
  #welcome = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #due;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #breaking;
  #pinging;

  /**
   * @param {() => Tuning} tuning what to listen to, asked with every join
   * @param {(message: any) => void} receive gets every message but `pong`
   */
  constructor(tuning, receive) {
    this.#tuning = tuning;
    this.#receive = receive;
    this.#pinging = setInterval(() => this.#ping(), PING_MS);
    this.speaker.autoplay = true;
  }

  /** Begin, or try again at once. */
  join() {
    clearTimeout(this.#due);
    this.#drop();
    this.standing.set({ state: "joining", why: "" });
    this.#due = setTimeout(() => this.#lose(t("talk.lost.media")), JOIN_TIMEOUT_MS);
    const attempt = this.#attempt;
    void this.#join(attempt).catch((problem) => attempt === this.#attempt && this.#fail(problem));
  }

  close() {
    clearTimeout(this.#due);
    clearInterval(this.#pinging);
    this.#drop(FAREWELL);
    this.standing.set({ state: "off", why: "" });
  }

  /** The group that the platform finds best for this desk, and who it is on the net. */
  get suggested() {
    return this.#leave?.main ?? null;
  }

  get me() {
    return this.#leave?.me ?? null;
  }

  /** @param {Record<string, unknown>} message */
  send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** What is sent; nothing at all without a track. @param {MediaStreamTrack | null} track */
  async speak(track) {
    await this.#peer?.getSenders()[0]?.replaceTrack(track);
  }

  /** @param {number} attempt */
  async #join(attempt) {
    const leave = await this.#askLeave();
    if (attempt !== this.#attempt) return;
    const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    this.#peer = peer;
    const { receiver } = peer.addTransceiver("audio", { direction: "sendrecv" });
    showAtOnce(receiver);
    this.speaker.srcObject = new MediaStream([receiver.track]);
    peer.onconnectionstatechange = () => this.#judge(peer);
    await peer.setLocalDescription();
    if (attempt !== this.#attempt) return;
    const socket = new WebSocket(leave.url);
    this.#socket = socket;
    this.#heard_ms = Date.now();
    socket.onopen = () =>
      this.send({ t: "hello", token: (this.#leave ?? leave).token, sdp: peer.localDescription?.sdp ?? "", ...this.#tuning() });
    socket.onmessage = (event) => void this.#take(peer, String(event.data)).catch((problem) => peer === this.#peer && this.#fail(problem));
    socket.onclose = () => void (socket === this.#socket && this.#lose(""));
  }

  async #askLeave() {
    return this.#leave && Date.now() < this.#leaveEnds_ms ? this.#leave : this.#freshLeave();
  }

  async #freshLeave() {
    /** @type {import("../types").TalkLeave} */
    const leave = await post("/talk/session");
    const life_ms = leave.expires_s * 1000;
    this.#leaveEnds_ms = Date.now() + life_ms - TOKEN_MARGIN_MS;
    this.#renewal_ms = Date.now() + life_ms / 2;
    return (this.#leave = leave);
  }

  /** Stay on the net; whoever may not join any more leaves it. */
  async #renew() {
    this.#renewal_ms = Date.now() + RENEWAL_RETRY_MS;
    try {
      const { token } = await this.#freshLeave();
      this.send({ t: "renew", token });
    } catch (problem) {
      if (problem instanceof Problem && REFUSED.has(problem.status)) this.#stop(problem.message);
    }
  }

  /**
   * @param {RTCPeerConnection} peer
   * @param {string} text
   */
  async #take(peer, text) {
    if (peer !== this.#peer) return;
    const message = JSON.parse(text);
    this.#heard_ms = Date.now();
    if (message.t === "pong") return;
    if (message.t === "problem" && message.final) return this.#refuse(message);
    this.#receive(message);
    if (message.t !== "welcome") return;
    await peer.setRemoteDescription({ type: "answer", sdp: message.sdp });
    this.#welcome = true;
    this.#judge(peer);
  }

  /** @param {{slug: string, detail: string}} problem after which the server hangs up */
  #refuse({ slug, detail }) {
    this.#leave = null;
    this.#quickTries = 0;
    if (slug === REPLACED) this.#stop(t("talk.replaced"));
    else this.#lose(problemWords(slug, detail));
  }

  /** @param {RTCPeerConnection} peer */
  #judge(peer) {
    if (peer !== this.#peer) return;
    const state = peer.connectionState;
    clearTimeout(this.#breaking);
    if (state === "failed" || state === "closed") this.#lose(t("talk.lost.media"));
    else if (state === "disconnected") this.#breaking = setTimeout(() => this.#lose(""), BROKEN_MS);
    else if (state === "connected" && this.#welcome && this.standing.value.state === "joining") this.#arrive();
  }

  #arrive() {
    clearTimeout(this.#due);
    this.#retry_ms = RETRY_MIN_MS;
    this.#quickTries = QUICK_TRIES;
    this.standing.set({ state: "ready", why: "" });
  }

  #ping() {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    if (Date.now() - this.#heard_ms > SILENCE_MS) return this.#lose("");
    this.send({ t: "ping", n: ++this.#pings });
    if (this.#welcome && Date.now() > this.#renewal_ms) void this.#renew();
  }

  /** @param {unknown} problem of the way in */
  #fail(problem) {
    if (problem instanceof Problem && REFUSED.has(problem.status)) this.#stop(problem.message);
    else this.#lose(problem instanceof Problem ? problem.message : t("problem.unknown"));
  }

  /** @param {string} why */
  #stop(why) {
    clearTimeout(this.#due);
    this.#drop();
    this.standing.set({ state: "off", why });
  }

  /** @param {string} why */
  #lose(why) {
    clearTimeout(this.#due);
    this.#drop();
    this.standing.set({ state: "lost", why });
    const quick = this.#quickTries-- > 0;
    this.#due = setTimeout(() => this.join(), (quick ? QUICK_MS : this.#retry_ms) * (0.5 + Math.random()));
    if (!quick) this.#retry_ms = Math.min(RETRY_MAX_MS, this.#retry_ms * 2);
  }

  /** @param {number} [code] a farewell; without one the server keeps our place for a moment */
  #drop(code) {
    this.#attempt += 1;
    clearTimeout(this.#breaking);
    const [socket, peer] = [this.#socket, this.#peer];
    this.#socket = this.#peer = null;
    this.#welcome = false;
    socket?.close(code);
    peer?.close();
  }
}
