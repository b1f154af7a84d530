/** What the dispatch asks of this telephone, answered step by step as a recorder does; what it cannot do, it rejects. */

import { t } from "../kit/i18n.js";
import { Store } from "../kit/store.js";
import { tell } from "./voice.js";

/** Reasons of the protocol. */
const UNSUPPORTED = 1;
const EXPIRED = 3;
const BUSY = 4;
const HARDWARE = 5;
/** Commands that are remembered: the same `rid` twice is one command. */
const KNOWN_MAX = 200;
const ANSWERS_MAX = 100;
const WHY_CHARACTERS = 500;

/** @typedef {{rid: string, name: string, args: any, exp: number}} Ask `exp` in UTC seconds of the platform */

export class Commands {
  /** What was to be read aloud, for the eye as well; empty once it was seen. */
  words = new Store("");
  #phone;
  /** @type {string[]} */
  #known = [];
  /** What nobody heard. @type {Record<string, unknown>[]} */
  #unheard = [];

  /** @param {import("./telephone.js").Telephone} phone */
  constructor(phone) {
    this.#phone = phone;
  }

  /** @param {Ask} ask */
  async take(ask) {
    if (this.#known.includes(ask.rid)) return;
    this.#known = [...this.#known, ask.rid].slice(-KNOWN_MAX);
    this.#answer(ask, "delivered");
    const act = this.#acts[ask.name];
    if (!act) return this.#answer(ask, "rejected", { code: UNSUPPORTED });
    if (ask.exp * 1000 < this.#phone.now_ms()) return this.#answer(ask, "rejected", { code: EXPIRED });
    if (ask.name === "live_start" && !this.#phone.camera.willing) return this.#answer(ask, "rejected", { code: BUSY });
    this.#answer(ask, "accepted");
    this.#answer(ask, "running");
    try {
      await act(ask.args);
      this.#answer(ask, "done");
    } catch (error) {
      const why = error instanceof Error || error instanceof GeolocationPositionError ? error.message : String(error);
      this.#answer(ask, "failed", { code: HARDWARE, why: why.slice(0, WHY_CHARACTERS) });
    }
  }

  /** Say what was not heard: the line stands again. */
  repeat() {
    for (const report of this.#unheard.splice(0)) this.#say(report);
  }

  /** @type {Record<string, (args: any) => Promise<unknown>>} */
  #acts = {
    locate_now: () => this.#phone.whereabouts.now(),
    track_interval: async ({ interval_s, duration_s = 3600 }) => {
      const asked = { interval_s, until_ms: Date.now() + duration_s * 1000 };
      this.#phone.whereabouts.asked = interval_s > 0 ? asked : null;
    },
    say_text: async ({ text }) => {
      this.words.set(text);
      if (!(await tell(text, () => this.words.value === text))) throw new Error(t("phone.aloud.not"));
    },
    live_start: (request) => this.#phone.camera.start(request),
    live_stop: async () => this.#phone.camera.stop(),
  };

  /** @param {Ask} ask @param {string} st @param {{code?: number, why?: string}} [more] */
  #answer({ rid }, st, more = {}) {
    const payload = { st, tst: Math.floor(this.#phone.now_ms() / 1000), ...more };
    this.#say({ t: "report", channel: "rpc", tail: rid, payload });
  }

  /** @param {Record<string, unknown>} report */
  #say(report) {
    if (!this.#phone.line.say(report)) this.#unheard = [...this.#unheard, report].slice(-ANSWERS_MAX);
  }
}
