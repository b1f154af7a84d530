/**
 * The event stream: snapshot, deltas with a cursor, silent resume. One WebSocket, reconnected with jittered back-off;
 * what was missed comes as a delta, so nothing is reloaded.
 */

import { Store } from "../kit/store.js";

const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 15_000;
const PING_MS = 5_000;
const SILENCE_MS = 16_000;

/**
 * @typedef {object} Link
 * @property {"connecting" | "open" | "lost" | "crowded" | "forbidden"} state
 * @property {number} since_ms local time since when
 * @property {number | null} latency_ms round trip of the last ping
 * @property {number} bytes received since the page was opened
 */

/** @type {Store<Link>} */
export const link = new Store(
  /** @type {Link} */ ({ state: "connecting", since_ms: Date.now(), latency_ms: null, bytes: 0 }),
);

const LOGIN_ENDED = 4401;
const ROLE_MAY_NOT_SEE = 4403;
const TOO_MANY = 4429;

/** @type {() => void} */
let refused = () => undefined;

/** What to do when the server says that the login ended. @param {() => void} handler */
export function onStreamRefused(handler) {
  refused = handler;
}

/** How far the server's clock is ahead of ours, milliseconds. */
let skew_ms = 0;

/** The server's time, UTC milliseconds: ages are counted against it, whatever this desk's clock says. */
export function serverNow() {
  return Date.now() + skew_ms;
}

export class Stream {
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {string | null} */
  #cursor = null;
  /** @type {string | null} */
  #view = null;
  #retry_ms = RETRY_MIN_MS;
  #heard_ms = 0;
  #closed = false;
  /** @type {ReturnType<typeof setInterval>} */
  #timer;
  #receive;

  /** @param {(message: any) => void} receive gets every message but `pong` */
  constructor(receive) {
    this.#receive = receive;
    this.#timer = setInterval(() => this.#ping(), PING_MS);
    this.#connect();
  }

  /**
   * Say what this desk looks at; the server thins the rest.
   * @param {{bbox: number[], zoom: number, selected: string[]}} view
   */
  look(view) {
    const text = JSON.stringify({ type: "view", ...view });
    if (text === this.#view) return;
    this.#view = text;
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  close() {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#socket?.close();
  }

  #connect() {
    if (this.#closed) return;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const since = this.#cursor === null ? "" : `?since=${encodeURIComponent(this.#cursor)}`;
    const socket = new WebSocket(`${scheme}//${location.host}/api/v1/events/stream${since}`);
    this.#socket = socket;
    this.#heard_ms = Date.now();
    socket.onopen = () => {
      if (this.#view) socket.send(this.#view);
      this.#ping();
    };
    socket.onmessage = (event) => this.#take(String(event.data));
    socket.onclose = (event) => this.#lost(socket, event.code);
  }

  /** @param {string} text */
  #take(text) {
    const message = JSON.parse(text);
    this.#heard_ms = Date.now();
    this.#retry_ms = RETRY_MIN_MS;
    if (typeof message.now_ms === "number") skew_ms = message.now_ms - Date.now();
    if (typeof message.cursor === "string" || typeof message.cursor === "number") this.#cursor = String(message.cursor);
    const bytes = link.value.bytes + text.length;
    const latency_ms = message.type === "pong" ? Math.max(0, Date.now() - message.t) : link.value.latency_ms;
    const since_ms = link.value.state === "open" ? link.value.since_ms : Date.now();
    link.set({ state: "open", since_ms, latency_ms, bytes });
    if (message.type !== "pong") this.#receive(message);
  }

  #ping() {
    if (this.#socket?.readyState === WebSocket.OPEN) {
      if (Date.now() - this.#heard_ms > SILENCE_MS) this.#socket.close();
      else this.#socket.send(JSON.stringify({ type: "ping", t: Date.now() }));
    }
  }

  /**
   * @param {WebSocket} socket
   * @param {number} code of the closing handshake
   */
  #lost(socket, code) {
    if (socket !== this.#socket || this.#closed) return;
    if (code === LOGIN_ENDED) return refused();
    if (code === ROLE_MAY_NOT_SEE)
      return link.set({ ...link.value, state: "forbidden", since_ms: Date.now(), latency_ms: null });
    const state = code === TOO_MANY ? "crowded" : "lost";
    if (link.value.state !== state) link.set({ ...link.value, state, since_ms: Date.now(), latency_ms: null });
    const wait_ms = this.#retry_ms * (0.5 + Math.random());
    this.#retry_ms = Math.min(RETRY_MAX_MS, this.#retry_ms * 2);
    setTimeout(() => this.#connect(), wait_ms);
  }
}
