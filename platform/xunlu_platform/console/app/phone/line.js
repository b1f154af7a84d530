/**
 * The line of this telephone to the platform: one WebSocket, over which it is a device. Lost, it comes back by itself with
 * jittered back-off, at once when the network is there again. What is said on it: docs/protocol.md, "Duty telephones".
 */

import { knows, t } from "../kit/i18n.js";
import { Store } from "../kit/store.js";
import { fetchMe } from "../net/session.js";

const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 15_000;
const PING_MS = 5_000;
const SILENCE_MS = 15_000;
const LOGIN_ENDED = 4401;
/** Coming back by itself would change nothing: a role, a missing officer, or the page is open elsewhere. */
const FINAL = new Set([4403, 4404, 4409]);
/** Of the closing handshake (RFC 6455 §7.4.1): the telephone is laid down, not lost. */
const FAREWELL = 1000;

/** @typedef {{state: "joining" | "open" | "lost" | "off", why: string}} Standing `off` needs a person */

export class PhoneLine {
  /** @type {Store<Standing>} */
  standing = new Store(/** @type {Standing} */ ({ state: "joining", why: "" }));
  /** How far the platform's clock is ahead of ours, milliseconds. */
  skew_ms = 0;
  #hello;
  #receive;
  /** @type {WebSocket | null} */
  #socket = null;
  #retry_ms = RETRY_MIN_MS;
  /** When the oldest ping without an answer was sent; 0 when all were answered. A hidden page may ping once a minute only. */
  #asked_ms = 0;
  #pings = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #due;
  #pinging;

  /**
   * @param {{caps: string[], model: string}} hello
   * @param {(message: any) => void} receive gets every message but `pong`
   */
  constructor(hello, receive) {
    this.#hello = hello;
    this.#receive = receive;
    this.#pinging = setInterval(() => this.#ping(), PING_MS);
    addEventListener("online", this.#hurry);
    this.join();
  }

  /** Begin, or begin anew. */
  join() {
    clearTimeout(this.#due);
    this.#drop();
    this.standing.set({ state: "joining", why: "" });
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/api/v1/phone`);
    this.#socket = socket;
    this.#asked_ms = Date.now();
    socket.onopen = () => this.#send({ t: "hello", ...this.#hello });
    socket.onmessage = (event) => socket === this.#socket && this.#take(JSON.parse(String(event.data)));
    socket.onclose = ({ code }) => socket === this.#socket && this.#lose(code);
  }

  /** Say something; false when nobody hears it. @param {Record<string, unknown>} message */
  say(message) {
    return this.standing.value.state === "open" && this.#send(message);
  }

  close() {
    clearTimeout(this.#due);
    clearInterval(this.#pinging);
    removeEventListener("online", this.#hurry);
    this.#drop();
    this.standing.set({ state: "off", why: "" });
  }

  #hurry = () => {
    if (this.standing.value.state === "lost") this.join();
  };

  /** @param {Record<string, unknown>} message */
  #send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** @param {any} message */
  #take(message) {
    this.#asked_ms = 0;
    if (typeof message.now_ms === "number") this.skew_ms = message.now_ms - Date.now();
    if (message.t === "pong") return;
    if (message.t === "welcome") {
      this.#retry_ms = RETRY_MIN_MS;
      this.standing.set({ state: "open", why: "" });
    }
    this.#receive(message);
  }

  #ping() {
    if (!this.#socket) return;
    const now_ms = Date.now();
    if (this.#asked_ms && now_ms - this.#asked_ms > SILENCE_MS) return this.#lose(0);
    if (this.say({ t: "ping", n: ++this.#pings })) this.#asked_ms ||= now_ms;
  }

  /** @param {number} code of the close, 0 for silence */
  #lose(code) {
    this.#drop();
    const why = knows(`phone.line.${code}`) ? t(`phone.line.${code}`) : "";
    if (FINAL.has(code)) return this.standing.set({ state: "off", why });
    // Asking who we are finds out that the login ended, and shows the door.
    if (code === LOGIN_ENDED) void fetchMe().catch(() => undefined);
    this.standing.set({ state: "lost", why });
    this.#due = setTimeout(() => this.join(), this.#retry_ms * (0.5 + Math.random()));
    this.#retry_ms = Math.min(RETRY_MAX_MS, this.#retry_ms * 2);
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(FAREWELL);
  }
}
