/** What was said, in order; who speaks at the time of the clock is marked, and heard when it runs as fast as speech. */

import { fill, h, icon } from "../kit/dom.js";
import { clock, span } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { SavedStore } from "../kit/store.js";
import { lastBefore } from "./clock.js";
import { Follower } from "./media.js";
import { groupOf, talkerOf } from "./moments.js";

/** @typedef {import("./types").Moment} Moment */

/** Faster nobody understands a word. */
const RATE_MAX = 2;
const SHOWN = 40;
const VOICES_MAX = 3;

export class Voices {
  element;
  #replay;
  #list = h("ol", { class: "events voices" });
  #note = h("p", { class: "dim" });
  #wanted = new SavedStore("review.voices", true);
  /** @type {Map<string, Follower>} */
  #speaking = new Map();
  #missing = new Set();
  /** @type {Moment[]} */
  #bursts = [];
  #told = "";

  /**
   * @param {import("./replay.js").Replay} replay
   * @param {import("../kit/store.js").Scope} scope
   */
  constructor(replay, scope) {
    this.#replay = replay;
    const button = h("button", { class: "quiet", onclick: () => this.#wanted.set(!this.#wanted.value) });
    scope.read(this.#wanted, (on) => {
      fill(button, icon(on ? "volume-2" : "volume-x"), t("review.voices.play"));
      button.setAttribute("aria-pressed", String(on));
    });
    this.element = h("section", { class: "voice-panel", "aria-label": t("bursts") }, h("h3", {}, t("bursts"), button), this.#note, this.#list);
    scope.read(replay.moments, (moments) => {
      this.#bursts = moments.filter(({ kind }) => kind === "burst");
      this.#told = "";
    });
    scope.read(replay.tracks, () => (this.#told = ""));
    scope.onClose(() => this.#speaking.forEach((voice) => voice.close()));
  }

  /** One frame. */
  draw() {
    const { clock: time } = this.#replay;
    const now_ms = time.now_ms;
    const speaking = this.#bursts.filter(({ at_ms, until_ms }) => at_ms <= now_ms && now_ms < until_ms);
    this.#mark(now_ms, speaking);
    const heard = this.#wanted.value && time.playing && time.rate > 0 && time.rate <= RATE_MAX ? speaking.slice(0, VOICES_MAX) : [];
    for (const [id, voice] of this.#speaking)
      if (!heard.some((burst) => burst.id === id)) {
        voice.close();
        this.#speaking.delete(id);
      }
    for (const burst of heard) this.#hear(burst).follow(time);
  }

  /** @param {Moment} burst */
  #hear(burst) {
    const known = this.#speaking.get(burst.id);
    if (known) return known;
    const sound = h("audio", { preload: "auto", src: burst.detail["url"] });
    const voice = new Follower(sound, burst.at_ms, RATE_MAX);
    sound.addEventListener("error", () => {
      if (!sound.hasAttribute("src")) return;
      this.#missing.add(burst.id);
      this.#told = "";
    });
    this.#speaking.set(burst.id, voice);
    return voice;
  }

  /** @param {number} now_ms @param {Moment[]} speaking */
  #mark(now_ms, speaking) {
    const last = lastBefore(this.#bursts.length, (i) => (this.#bursts[i]?.at_ms ?? 0) <= now_ms);
    const told = `${last} ${speaking.map(({ id }) => id)} ${this.#replay.clock.rate > RATE_MAX}`;
    if (told === this.#told) return;
    this.#told = told;
    const first = Math.max(0, Math.min(last - SHOWN / 2, this.#bursts.length - SHOWN));
    const rows = this.#bursts.slice(first, first + SHOWN).map((burst) => this.#row(burst, speaking.includes(burst)));
    fill(this.#list, rows);
    const none = this.#bursts.length === 0;
    this.#note.hidden = !none && this.#replay.clock.rate <= RATE_MAX;
    this.#note.textContent = none ? t("review.voices.none") : t("review.voices.fast", { rate: RATE_MAX });
    this.#list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }

  /** @param {Moment} burst @param {boolean} now */
  #row(burst, now) {
    const track = this.#replay.track(burst.subject);
    const length = span((burst.until_ms - burst.at_ms) / 1000);
    const missing = this.#missing.has(burst.id) ? h("span", { class: "tag warn" }, t("review.voices.missing")) : null;
    const emergency = burst.detail["urgency"] === 2 ? h("span", { class: "tag bad" }, t("talk.emergency")) : null;
    const open = h(
      "button",
      { class: "moment", "aria-current": now ? "true" : null, title: `SHA-256 ${burst.detail["sha256"]}`, onclick: () => this.#replay.clock.seek(burst.at_ms) },
      h("time", { class: "num faint" }, clock(burst.at_ms)),
      now ? icon("volume-2") : h("i", { class: "swatch", style: { background: track?.colour ?? "" } }),
      h("span", { class: "ellipsis" }, track?.title ?? talkerOf(burst) ?? burst.subject),
      h("span", { class: "dim ellipsis grow" }, `${groupOf(burst)} · ${length}`),
      emergency,
      missing,
    );
    return h("li", {}, open);
  }
}
