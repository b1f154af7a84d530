/** One fix after the other: what a person presses when a second matters. */

import { complain } from "../view/notice.js";
import { besideIn } from "./track.js";

export class Stepper {
  #replay;
  #loader;

  /**
   * @param {import("./replay.js").Replay} replay
   * @param {import("./detail.js").DetailLoader} loader
   */
  constructor(replay, loader) {
    this.#replay = replay;
    this.#loader = loader;
  }

  /** To the fix beside of whom it concerns: to every one of them, where they are known, else to the next that is drawn. @param {1 | -1} direction */
  async step(direction) {
    const { clock, main } = this.#replay;
    if (!main) return;
    clock.pause();
    const now_ms = clock.now_ms;
    const detail = await this.#loader.load().catch(complain);
    const close = detail ? besideIn(detail.pieces.get(main.key) ?? [], now_ms, direction) : null;
    const next_ms = close ?? main.fixBeside(now_ms, direction);
    if (next_ms !== null) clock.seek(next_ms);
  }
}
