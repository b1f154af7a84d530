/**
 * What this telephone reports and the platform has not confirmed. It lies in the browser's own database, so that neither a
 * dead spot nor a page that is closed loses it; only a confirmation of what the platform's database holds empties it.
 */

import { Store } from "../kit/store.js";

const DATABASE = "xunlu-phone";
const ENTRIES = "entries";
/** Two days of a fix every ten seconds. */
const ENTRIES_MAX = 20_000;
/** So many fixes are given up at once when it is full: the oldest. */
const THINNED = 500;

/**
 * @typedef {object} Entry
 * @property {string} who whose report it is: the account
 * @property {number} sid session of the page
 * @property {number} seq counts within the session, from 1
 * @property {"loc" | "evt"} channel
 * @property {string | null} tail type of an event
 * @property {number} tms UTC milliseconds of the fix or event
 * @property {Record<string, unknown>} body a message of the protocol
 */

/** @typedef {{sid: number, upto: number, missing?: [number, number][]}} Confirmation */

export class Outbox {
  /** How much is not confirmed. */
  waiting = new Store(0);
  /** Whether it outlives the page; a browser that keeps nothing for us says no. */
  lasting = new Store(true);
  /** Oldest first. @type {Map<string, Entry>} */
  #entries = new Map();
  #seq = 0;
  #who;
  #sid;
  /** @type {IDBDatabase | null} */
  #database = null;

  /**
   * @param {string} who account
   * @param {number} sid larger than that of every page before
   */
  constructor(who, sid) {
    this.#who = who;
    this.#sid = sid;
  }

  /** Take over what pages before this one left. */
  async open() {
    try {
      this.#database = await opened();
      const all = await done(this.#store("readonly").getAll(IDBKeyRange.bound([this.#who], [this.#who, []])));
      const young = this.entries();
      this.#entries = new Map([...all, ...young].map((entry) => [keyOf(entry), entry]));
      this.#write((store) => young.forEach((entry) => store.put(entry)));
    } catch {
      this.lasting.set(false);
    }
    this.waiting.set(this.#entries.size);
    void navigator.storage?.persist?.().catch(() => undefined);
  }

  close() {
    this.#database?.close();
    this.#database = null;
  }

  /**
   * Keep something until it is confirmed.
   * @param {"loc" | "evt"} channel
   * @param {string | null} tail
   * @param {number} tms
   * @param {Record<string, unknown>} body without its numbers
   */
  add(channel, tail, tms, body) {
    if (this.#entries.size >= ENTRIES_MAX) this.#thin();
    const seq = ++this.#seq;
    const numbered = { ...body, tst: Math.floor(tms / 1000), tms: Math.round(tms), sid: this.#sid, seq };
    /** @type {Entry} */
    const entry = { who: this.#who, sid: this.#sid, seq, channel, tail, tms, body: numbered };
    this.#entries.set(keyOf(entry), entry);
    this.#write((store) => store.put(entry));
    this.waiting.set(this.#entries.size);
    return entry;
  }

  /** Everything that waits, oldest first. */
  entries() {
    return [...this.#entries.values()];
  }

  /** Whether it still waits. @param {string} key of an entry */
  holds(key) {
    return this.#entries.has(key);
  }

  /** Let go of what the platform holds. @param {Confirmation} confirmation */
  confirm({ sid, upto, missing = [] }) {
    const isHeld = (/** @type {number} */ seq) => seq <= upto && !missing.some(([first, last]) => first <= seq && seq <= last);
    this.#drop(this.entries().filter((entry) => entry.sid === sid && isHeld(entry.seq)));
  }

  /** Full: the oldest fixes go, and the platform is told which, so that it does not wait for them. Events stay. */
  #thin() {
    const gone = this.entries().filter(({ channel }) => channel === "loc").slice(0, THINNED);
    this.#drop(gone);
    for (const sid of new Set(gone.map((entry) => entry.sid))) {
      const thinned = ranges(gone.filter((entry) => entry.sid === sid).map(({ seq }) => seq));
      this.add("evt", "storage", Date.now(), { thinned, thinned_sid: sid });
    }
  }

  /** @param {Entry[]} entries */
  #drop(entries) {
    if (!entries.length) return;
    for (const entry of entries) this.#entries.delete(keyOf(entry));
    this.#write((store) => entries.forEach(({ who, sid, seq }) => store.delete([who, sid, seq])));
    this.waiting.set(this.#entries.size);
  }

  /** @param {(store: IDBObjectStore) => void} act */
  #write(act) {
    try {
      if (this.#database) act(this.#store("readwrite"));
    } catch {
      // A full disk, or a database that the browser closed: the page goes on from memory, and says so.
      this.lasting.set(false);
    }
  }

  /** @param {IDBTransactionMode} mode */
  #store(mode) {
    if (!this.#database) throw new Error("closed");
    const transaction = this.#database.transaction(ENTRIES, mode);
    transaction.onabort = () => this.lasting.set(false);
    return transaction.objectStore(ENTRIES);
  }
}

/** An entry's name within its account. @param {{sid: number, seq: number}} entry */
export const keyOf = ({ sid, seq }) => `${sid}.${seq}`;

/** Ascending numbers as ranges. @param {number[]} numbers */
function ranges(numbers) {
  /** @type {{first: number, last: number}[]} */
  const found = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last && last.last + 1 === number) last.last = number;
    else found.push({ first: number, last: number });
  }
  return found;
}

/** @returns {Promise<IDBDatabase>} */
function opened() {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(ENTRIES, { keyPath: ["who", "sid", "seq"] });
  return done(request);
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
