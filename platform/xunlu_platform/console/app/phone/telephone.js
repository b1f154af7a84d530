/**
 * This telephone as a device, while the page is open: where it is, its SOS key, its camera, and what the dispatch asks of
 * it. Everything that must not be lost goes through the outbox; the line says it, and says it again until it is confirmed.
 */

import { SavedStore, Store } from "../kit/store.js";
import { may, me } from "../net/session.js";
import { Camera } from "./camera.js";
import { Commands } from "./commands.js";
import { telemetry } from "./condition.js";
import { PhoneLine } from "./line.js";
import { keyOf, Outbox } from "./outbox.js";
import { locationOf, Whereabouts } from "./whereabouts.js";

const TELL_MS = 1_000;
const TELEMETRY_MS = 60_000;
/** What was said and is not confirmed is said again. */
const REPEAT_MS = 15_000;
/** Younger fixes are the present; older ones are filled in. */
const PRESENT_MS = 30_000;
const LOCATIONS_PER_MESSAGE = 50;
/** So much is under way at once: a long dead spot is filled in without crowding the present out. */
const UNDER_WAY_MAX = 200;

/** The SOS that is on, by account. @typedef {{who: string, at_ms: number, sid: number, seq: number}} Sos */
/** @type {SavedStore<Sos | null>} */
const savedSos = new SavedStore("phone.sos", /** @type {Sos | null} */ (null));
const lastSession = new SavedStore("phone.session", 0);

/** @type {Store<Telephone | null>} */
export const telephone = new Store(/** @type {Telephone | null} */ (null));

/** The telephone of whoever is signed in; a second call changes nothing. */
export function startTelephone() {
  const who = me.value?.username;
  if (telephone.value || !who || !may("talk")) return;
  const phone = new Telephone(who);
  telephone.set(phone);
  void phone.open();
}

export function stopTelephone() {
  telephone.value?.close();
  telephone.set(null);
}

/** See `startTelephone`. */
export class Telephone {
  camera = new Camera();
  /** @type {Store<Sos | null>} */
  sos = new Store(/** @type {Sos | null} */ (null));
  commands = new Commands(this);
  outbox;
  whereabouts;
  line;
  #who;
  #sid;
  /** When each entry was said last. @type {Map<string, number>} */
  #said_ms = new Map();
  /** @type {ReturnType<typeof setInterval>[]} */
  #timers = [];
  #closed = false;

  /** @param {string} who account */
  constructor(who) {
    this.#who = who;
    this.#sid = Math.max(Date.now(), lastSession.value + 1);
    lastSession.set(this.#sid);
    this.outbox = new Outbox(who, this.#sid);
    this.line = new PhoneLine({ caps: capabilities(), model: model() }, (message) => this.#hear(message));
    this.whereabouts = new Whereabouts((fix) => this.#report(fix));
    if (savedSos.value?.who === who) this.#setSos(savedSos.value);
  }

  async open() {
    await this.outbox.open();
    if (this.#closed) return this.outbox.close();
    this.#timers = [setInterval(() => this.tell(), TELL_MS), setInterval(() => void this.#tellCondition(), TELEMETRY_MS)];
    this.tell();
  }

  close() {
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.camera.stop();
    this.commands.words.set("");
    this.whereabouts.close();
    this.line.close();
    this.outbox.close();
  }

  /** UTC milliseconds of the platform: what it asks for expires by its clock. */
  now_ms() {
    return Date.now() + this.line.skew_ms;
  }

  // -- SOS ------------------------------------------------------------------------------------------------------------

  /** Call for help: with the last fix where there is one, without where there is none. */
  raiseSos() {
    const at_ms = Date.now();
    const { sid, seq } = this.#addEvent("sos", at_ms);
    this.camera.allow();
    if (this.line.standing.value.state === "off") this.line.join();
    this.#setSos({ who: this.#who, at_ms, sid, seq });
    navigator.vibrate?.([200, 100, 200]);
  }

  /** It was a mistake, or is over. */
  cancelSos() {
    this.#addEvent("sos_cancel", Date.now());
    this.#setSos(null);
  }

  /** @param {Sos | null} sos */
  #setSos(sos) {
    savedSos.set(sos);
    this.whereabouts.sos = sos !== null;
    this.sos.set(sos);
  }

  /** @param {string} type @param {number} at_ms */
  #addEvent(type, at_ms) {
    const fix = this.whereabouts.fix.value;
    const place = fix && {
      lat: fix.coords.latitude,
      lon: fix.coords.longitude,
      acc: fix.coords.accuracy,
      fix_tst: Math.floor(fix.timestamp / 1000),
    };
    const entry = this.outbox.add("evt", type, at_ms, { ...place });
    this.tell();
    return entry;
  }

  // -- reports --------------------------------------------------------------------------------------------------------

  /** @param {GeolocationPosition} fix */
  #report(fix) {
    // Whoever has no line to come back to, such as a page that was opened elsewhere, is not the officer's telephone now.
    if (this.line.standing.value.state === "off") return;
    this.outbox.add("loc", null, fix.timestamp, locationOf(fix));
    this.tell();
  }

  /** Say what was not said, or not confirmed for a while: events first, then the present, then the past. */
  tell() {
    if (this.line.standing.value.state !== "open") return;
    const now_ms = Date.now();
    const isDue = (/** @type {import("./outbox.js").Entry} */ entry) => now_ms - (this.#said_ms.get(keyOf(entry)) ?? 0) > REPEAT_MS;
    const entries = this.outbox.entries();
    const due = entries.filter(isDue);
    for (const event of due.filter(({ channel }) => channel === "evt")) this.#say("evt", event.tail, event.body, [event]);
    const fixes = due.filter(({ channel }) => channel === "loc");
    this.#sayFixes("loc", fixes.filter(({ tms }) => now_ms - tms < PRESENT_MS));
    const room = UNDER_WAY_MAX - (entries.length - due.length);
    if (room > 0) this.#sayFixes("loc/hist", fixes.filter(({ tms }) => now_ms - tms >= PRESENT_MS).slice(0, room));
  }

  /** @param {"loc" | "loc/hist"} channel @param {import("./outbox.js").Entry[]} fixes */
  #sayFixes(channel, fixes) {
    for (let start = 0; start < fixes.length; start += LOCATIONS_PER_MESSAGE) {
      const part = fixes.slice(start, start + LOCATIONS_PER_MESSAGE);
      this.#say(channel, null, part.map(({ body }) => body), part);
    }
  }

  /**
   * @param {string} channel
   * @param {string | null} tail
   * @param {unknown} payload
   * @param {import("./outbox.js").Entry[]} entries what it holds
   */
  #say(channel, tail, payload, entries) {
    if (!this.line.say({ t: "report", channel, tail, payload })) return;
    for (const entry of entries) this.#said_ms.set(keyOf(entry), Date.now());
  }

  async #tellCondition() {
    const payload = await telemetry(this.#sid, this.outbox.waiting.value, -this.line.skew_ms);
    this.line.say({ t: "report", channel: "tele", payload });
  }

  // -- what the platform says -----------------------------------------------------------------------------------------

  /** @param {any} message */
  #hear(message) {
    if (message.t === "welcome") {
      this.#said_ms.clear();
      this.commands.repeat();
      this.tell();
      void this.#tellCondition();
    } else if (message.t === "ack") {
      this.outbox.confirm(message.ack);
      for (const key of this.#said_ms.keys()) if (!this.outbox.holds(key)) this.#said_ms.delete(key);
      this.tell();
    } else if (message.t === "ask") void this.commands.take(message.ask);
  }
}

/** What this browser can do. */
function capabilities() {
  const caps = ["track_interval"];
  if ("speechSynthesis" in window) caps.push("say_text");
  if (navigator.mediaDevices && "RTCPeerConnection" in window) caps.push("live");
  return caps;
}

/** What the browser calls itself, in short. */
function model() {
  const brands = /** @type {any} */ (navigator).userAgentData?.brands ?? [];
  const named = brands.map((/** @type {{brand: string, version: string}} */ { brand, version }) => `${brand} ${version}`);
  return (named.find((/** @type {string} */ name) => !/not.?a.?brand|chromium/i.test(name)) ?? navigator.userAgent).slice(0, 64);
}
