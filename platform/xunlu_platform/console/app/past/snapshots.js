/** The fleet as it was, asked of the server: a few answers are kept, what nobody waits for any more is cancelled. */

import { get, query } from "../net/http.js";

/** An answer about ten thousand devices takes some megabytes. */
const KEPT_MAX = 6;

/**
 * @typedef {object} Snapshot
 * @property {number} at_ms
 * @property {Map<string, import("../types").Live>} devices
 * @property {import("../types").Alarm[]} alarms that were open
 */

export class Snapshots {
  /** By moment, the latest asked for last. @type {Map<number, Snapshot | Promise<Snapshot>>} */
  #kept = new Map();
  #asking = new AbortController();

  /** The fleet of a moment. @param {number} at_ms whole seconds @returns {Promise<Snapshot>} */
  async at(at_ms) {
    const known = this.#kept.get(at_ms);
    if (known) return known;
    const asked = this.#ask(at_ms, this.#asking.signal);
    this.#kept.set(at_ms, asked);
    for (const old of [...this.#kept.keys()].slice(0, -KEPT_MAX)) this.#kept.delete(old);
    try {
      const snapshot = await asked;
      if (this.#kept.get(at_ms) === asked) this.#kept.set(at_ms, snapshot);
      return snapshot;
    } catch (problem) {
      if (this.#kept.get(at_ms) === asked) this.#kept.delete(at_ms);
      throw problem;
    }
  }

  /** The same when it is here already. @param {number} at_ms */
  here(at_ms) {
    const known = this.#kept.get(at_ms);
    return known instanceof Promise ? undefined : known;
  }

  /** Nobody waits any more for what has not come yet. */
  cancel() {
    this.#asking.abort();
    this.#asking = new AbortController();
    for (const [at_ms, known] of this.#kept) if (known instanceof Promise) this.#kept.delete(at_ms);
  }

  /** @param {number} at_ms @param {AbortSignal} signal @returns {Promise<Snapshot>} */
  async #ask(at_ms, signal) {
    const answer = await get(`/fleet/at${query({ at: new Date(at_ms).toISOString() })}`, signal);
    const devices = new Map(answer.devices.map((/** @type {import("../types").Live} */ device) => [device.did, device]));
    return { at_ms, devices, alarms: answer.alarms };
  }
}
