/** The pictures of the time of the clock: recordings that cover it, each on the clock; beside them somebody's live picture. */

import { fill, h, icon } from "../kit/dom.js";
import { ago, clock, span, when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { Picture } from "../live/picture.js";
import { Watermark } from "../live/watermark.js";
import { may } from "../net/session.js";
import { fleet } from "../state/fleet.js";
import { notice } from "../view/notice.js";
import { spanAt } from "./clock.js";
import { Follower, PLAY_RATE_MAX } from "./media.js";
import { gapsOf } from "./moments.js";

/** @typedef {import("./types").Moment} Moment */
/** @typedef {import("./types").Span} Span */

/** So many are decoded at once; the others are named. */
const TILES_MAX = 4;
/** A file is opened so long before the clock is there, milliseconds of the wall. */
const AHEAD_MS = 1500;
const HASH_DIGITS = 12;

/** One recording. */
class Tile {
  element = h("figure", { class: "film", "data-theme": "dark" });
  follower;
  moment;
  #mark;
  #at = h("time", { class: "num" });
  #words = h("figcaption", { class: "words", role: "status" });
  #title = h("b", { class: "ellipsis" });
  #sound;
  #told = "";

  /** @param {Moment} moment @param {() => void} listen */
  constructor(moment, listen) {
    this.moment = moment;
    const video = h("video", { playsinline: true, preload: "auto", disablepictureinpicture: true, src: moment.detail["url"] });
    video.muted = true;
    this.follower = new Follower(video, moment.at_ms);
    const hash = String(moment.detail["sha256"] ?? "");
    this.#sound = h("button", { class: "quiet", onclick: listen, "aria-label": t("review.sound"), title: t("review.sound") }, icon("volume-x"));
    const top = h("div", { class: "over top" }, this.#title, h("span", { class: "soft" }, moment.id.slice(0, 8)), h("span", { class: "grow" }), this.#sound);
    const proof = h("span", { class: "mono ellipsis soft", title: `SHA-256 ${hash}` }, `SHA-256 ${hash.slice(0, HASH_DIGITS)}…`);
    this.element.append(video, this.#words);
    this.#mark = new Watermark(this.element);
    this.element.append(top, h("div", { class: "over bottom" }, proof, h("span", { class: "grow" }), this.#at));
    this.#words.hidden = true;
    this.element.dataset["recording"] = moment.id;
  }

  /** @param {import("./clock.js").Clock} time */
  follow(time) {
    this.follower.follow(time);
    const { element } = this.follower;
    const gap = spanAt(gapsOf(this.moment), time.now_ms);
    const told = gap ? this.#age(gap, time.now_ms) : this.#time(time);
    if (this.#at.textContent !== told) this.#at.textContent = told;
    this.#say(gap);
    this.element.dataset["drift"] = String(Math.round(this.follower.drift_ms(time.now_ms)));
    this.#mark.keep();
  }

  /** @param {string} title whose it is */
  name(title) {
    this.#title.textContent = title;
  }

  /** @param {boolean} heard */
  hear(heard) {
    const { element } = this.follower;
    element.muted = !heard;
    fill(this.#sound, icon(heard ? "volume-2" : "volume-x"));
    this.#sound.setAttribute("aria-pressed", String(heard));
  }

  /** When the picture was taken. @param {import("./clock.js").Clock} time */
  #time({ playing, rate }) {
    const stills = playing && (rate < 0 || rate > PLAY_RATE_MAX);
    return clock(this.moment.at_ms + this.follower.element.currentTime * 1000) + (stills ? ` · ${t("review.stills")}` : "");
  }

  /** The last picture stands. @param {Span} gap @param {number} now_ms */
  #age({ from_ms }, now_ms) {
    return `${clock(from_ms)} · ${ago((now_ms - from_ms) / 1000)}`;
  }

  /** Why there is no picture. @param {Span | null} gap */
  #say(gap) {
    const broken = this.follower.element.error !== null;
    const told = broken ? "missing" : gap ? String(gap.from_ms) : "";
    if (told === this.#told) return;
    this.#told = told;
    this.element.classList.toggle("unseen", !broken && gap !== null);
    this.#words.hidden = !told;
    if (broken) fill(this.#words, reason("review.film.missing", t("review.film.missing.do")));
    else fill(this.#words, gap && reason("review.film.unseen", span((gap.to_ms - gap.from_ms) / 1000)));
  }
}

/** @param {string} title @param {string} text */
const reason = (title, text) => h("div", { class: "say" }, icon("triangle-alert"), h("b", {}, t(title)), h("span", {}, text));

/** @param {Moment} film @param {number} now_ms */
const covers = ({ at_ms, until_ms }, now_ms) => at_ms <= now_ms && now_ms < until_ms;

export class Videos {
  element = h("section", { class: "films", "aria-label": t("recordings") });
  #replay;
  #live = h("div", { class: "live-beside", hidden: true });
  #list = h("div", { class: "film-list" });
  #none = h("div", { class: "film-none" });
  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  /** The recording that is heard. @type {string | null} */
  #heard = null;
  /** @type {Moment[]} */
  #films = [];
  #told = "";

  /**
   * @param {import("./replay.js").Replay} replay
   * @param {import("../kit/store.js").Scope} scope
   */
  constructor(replay, scope) {
    this.#replay = replay;
    this.element.append(this.#live, this.#list, this.#none);
    let inner = scope.inner();
    let shown = "";
    const beside = () => {
      const wanted = replay.view.value.on.has("live") ? `live ${replay.main?.key ?? ""} ${fleet.loaded.value}` : "";
      if (wanted === shown) return;
      shown = wanted;
      inner.close();
      inner = scope.inner();
      this.#live.hidden = !wanted;
      fill(this.#live, wanted ? this.#livePicture(inner) : null);
    };
    for (const store of [replay.view, replay.chosen, replay.tracks, fleet.loaded])
      scope.read(/** @type {import("../kit/store.js").Store<any>} */ (store), beside);
    scope.read(replay.moments, (moments) => {
      this.#films = moments.filter(({ kind }) => kind === "recording");
    });
    scope.read(replay.tracks, () => this.#tiles.forEach((tile) => tile.name(this.#titleOf(tile.moment))));
    scope.onClose(() => this.#tiles.forEach(({ follower }) => follower.close()));
  }

  /** One frame. */
  draw() {
    const { clock: time } = this.#replay;
    const lead_ms = time.playing ? AHEAD_MS * time.rate : 0;
    const [from_ms, to_ms] = [time.now_ms + Math.min(0, lead_ms), time.now_ms + Math.max(0, lead_ms)];
    const films = this.#films.filter(({ at_ms, until_ms }) => at_ms <= to_ms && from_ms < until_ms);
    const main = this.#replay.main?.key;
    const rank = (/** @type {Moment} */ one) => Number(covers(one, time.now_ms)) * 2 + Number(one.subject === main);
    films.sort((a, b) => rank(b) - rank(a));
    this.#settle(films.slice(0, TILES_MAX));
    this.#say(films.filter((film) => covers(film, time.now_ms)));
    for (const tile of this.#tiles.values()) {
      tile.element.hidden = !covers(tile.moment, time.now_ms);
      tile.follow(time);
    }
  }

  /** Open what is wanted and close the rest. @param {Moment[]} wanted */
  #settle(wanted) {
    for (const [id, tile] of this.#tiles) {
      if (wanted.some((film) => film.id === id)) continue;
      tile.follower.close();
      tile.element.remove();
      this.#tiles.delete(id);
    }
    for (const moment of wanted) if (!this.#tiles.has(moment.id)) this.#open(moment);
    // A film that is moved in the page stops: they change places by their style alone.
    wanted.forEach(({ id }, place) => this.#tiles.get(id)?.element.style.setProperty("order", String(place)));
  }

  /** @param {Moment} moment */
  #open(moment) {
    const listen = () => {
      this.#heard = this.#heard === moment.id ? null : moment.id;
      for (const [id, tile] of this.#tiles) tile.hear(id === this.#heard);
    };
    const tile = new Tile(moment, listen);
    tile.name(this.#titleOf(moment));
    tile.hear(this.#heard === moment.id);
    this.#tiles.set(moment.id, tile);
    this.#list.append(tile.element);
  }

  /** @param {Moment} moment */
  #titleOf({ subject, did }) {
    return this.#replay.track(subject)?.title ?? did ?? "";
  }

  /** Whose is not shown, and where the next picture is. @param {Moment[]} films that cover the clock */
  #say(films) {
    const { clock: time, tracks } = this.#replay;
    const next = films.length ? undefined : this.#films.find(({ at_ms }) => at_ms > time.now_ms);
    const others = films.slice(TILES_MAX);
    const told = `${films.length > 0} ${others.map(({ id }) => id)} ${next?.id ?? ""} ${tracks.value.map(({ key }) => key)}`;
    if (told === this.#told) return;
    this.#told = told;
    if (films.length) return void fill(this.#none, others.length ? this.#others(others) : null);
    if (!tracks.value.length) return void fill(this.#none);
    if (!may("recordings")) return void fill(this.#none, notice(t("denied"), t("review.film.denied"), "lock"));
    const box = notice(t("review.film.none"), t(next ? "review.film.none.next" : "review.film.none.do"), "video");
    const go = next && h("button", { onclick: () => time.seek(next.at_ms) }, icon("step-forward"), when(next.at_ms));
    if (go) box.lastElementChild?.append(h("div", {}, go));
    fill(this.#none, box);
  }

  /** For whom there was no room: whoever is chosen comes first. @param {Moment[]} films */
  #others(films) {
    const names = films.map((film) => h("button", { class: "quiet", onclick: () => this.#replay.chosen.set(film.subject) }, this.#titleOf(film)));
    return h("div", { class: "row wrap" }, h("span", { class: "dim" }, t("review.film.more", { n: films.length })), names);
  }

  /** Who is chosen, as they are now. @param {import("../kit/store.js").Scope} scope */
  #livePicture(scope) {
    const main = this.#replay.main;
    const device = fleet.order.find(({ did, num, kind }) => (main?.officer ? num === main.officer.number && kind !== "station" : did === main?.key.slice(1)));
    if (!may("live")) return notice(t("live.denied"), t("live.denied.do"), "lock");
    if (!device) return notice(t("review.live.none"), t("review.live.none.do"), "video");
    return new Picture(device.did, scope).element;
  }
}
