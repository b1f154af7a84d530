/** One fix after the other: what a person presses when a second matters. */

import { complain } from "../view/notice.js";
import { besideIn } from "./track.js";

export class Stepper {
  #replay;
  #loader;
  /** Steps are taken one after the other, however fast they are asked for. @type {Promise<void>} */
  #taken = Promise.resolve();

  /**
   * @param {import("./replay.js").Replay} replay
   * @param {import("./detail.js").DetailLoader} loader
   */
  constructor(replay, loader) {
    this.#replay = replay;
    this.#loader = loader;
  }

  /** To the fix beside of whom it concerns: to every one of them, where they are known, else to the next that is drawn. @param {1 | -1} direction */
  step(direction) {
    this.#replay.clock.pause();
    this.#taken = this.#taken.then(() => this.#step(direction));
  }

  /** @param {1 | -1} direction */
  async #step(direction) {
    const { clock, main } = this.#replay;
    if (!main) return;
    const { now_ms } = clock;
    const next_ms = (await this.#closeBeside(main.key, now_ms, direction).catch(complain)) ?? main.fixBeside(now_ms, direction);
    // Whoever went elsewhere meanwhile stays there.
    if (next_ms !== null && clock.now_ms === now_ms) clock.seek(next_ms);
  }

  /**
   * The fix beside among all of them. What is drawn keeps both ends of every piece: where the half hour after the edge has no
   * fix, the next that is drawn is the next of all.
   * @param {string} key
   * @param {number} ms
   * @param {1 | -1} direction
   * @returns {Promise<number | null>}
   */
  async #closeBeside(key, ms, direction) {
    const here = await this.#loader.at(direction > 0 ? ms : ms - 1);
    const found = besideIn(here?.pieces.get(key) ?? [], ms, direction);
    if (!here || found !== null) return found;
    const there = await this.#loader.at(direction > 0 ? here.to_ms : here.from_ms - 1);
    return besideIn(there?.pieces.get(key) ?? [], ms, direction);
  }
}
