/** One look back: whom and when, what came of it, and the clock. It owns the address of the view. */

import { Store } from "../kit/store.js";
import { get, Problem } from "../net/http.js";
import { route } from "../router.js";
import { complain } from "../view/notice.js";
import { addressOf, goToView, isoLocal, readView, SUBJECTS_MAX, withIncident } from "./address.js";
import { Clock, lastBefore } from "./clock.js";
import { momentOf } from "./moments.js";
import { quietTimes } from "./quiet.js";
import { Track } from "./track.js";

/** @typedef {import("./address.js").View} View */
/** @typedef {import("./types").Moment} Moment */
/** @typedef {{phase: "empty" | "loading" | "ready" | "failed", problem: unknown}} Standing */

/** How far what is left out may lie off, metres: the levels that the server keeps. */
const LEVELS_M = [5, 20, 80, 320];
/** So many days of a subject come in one answer on each level, and quickly. */
const LEVEL_DAYS = [12, 80, 400, Infinity];
const DAY_MS = 86_400_000;
/** An address is written when nothing has changed for so long. */
const WRITE_MS = 400;

export class Replay {
  clock = new Clock();
  /** @type {Store<View>} */
  view = new Store(readView(route.value.query));
  tracks = new Store(/** @type {Track[]} */ ([]));
  moments = new Store(/** @type {Moment[]} */ ([]));
  /** Whether there were more moments than are told at once. */
  more = false;
  standing = new Store(/** @type {Standing} */ ({ phase: "empty", problem: null }));
  /** What it is the look back at, once that is known. @type {Store<import("../incidents/types").WholeIncident | null>} */
  incident = new Store(/** @type {import("../incidents/types").WholeIncident | null} */ (null));
  /** Whom keys and steps concern. @type {Store<string | null>} */
  chosen = new Store(/** @type {string | null} */ (null));
  /** Metres of a pixel of the map; null until there is one. @type {number | null} */
  metresPerPixel = null;
  /** The finest shape that was asked for: what is on its way, or was refused, is not asked for again. */
  #finest_m = 0;
  /** How exact what is shown is. */
  #level_m = Infinity;
  #asked = 0;
  #loaded = "";
  /** The incident that was asked for. @type {number | null} */
  #met = null;
  #scope;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #writing;

  /** @param {import("../kit/store.js").Scope} scope */
  constructor(scope) {
    this.#scope = scope;
    scope.read(route, ({ path, query }) => path === "/review" && this.#open(query));
    scope.read(this.clock.jumps, () => this.#write());
    scope.read(this.clock.pace, () => this.#write());
    scope.read(this.clock.loop, () => this.#write());
    scope.onClose(() => clearTimeout(this.#writing));
  }

  get range() {
    return this.clock.range.value;
  }

  /** @param {string} key */
  track(key) {
    return this.tracks.value.find((track) => track.key === key) ?? null;
  }

  /** The subject that is meant when none is named. */
  get main() {
    return this.track(this.chosen.value ?? "") ?? this.track(this.view.value.follow ?? "") ?? this.tracks.value[0] ?? null;
  }

  /**
   * Show something else; what, whom and when is a step of the back key, everything else is not.
   * @param {Partial<View>} change
   */
  change(change) {
    const step = "incident" in change || "subjects" in change || "from_ms" in change;
    const view = { ...this.view.value, t_ms: this.clock.now_ms, loop: this.clock.loop.value, ...change };
    view.t_ms = Math.min(Math.max(view.t_ms, view.from_ms), view.to_ms);
    if (view.follow && !view.subjects.includes(view.follow)) view.follow = null;
    clearTimeout(this.#writing);
    if (step) return goToView(view, "push");
    this.view.set(view);
    this.#settle();
    this.#write();
  }

  /** @param {import("./address.js").Switch} name */
  toggle(name) {
    const on = new Set(this.view.value.on);
    if (!on.delete(name)) on.add(name);
    this.change({ on });
  }

  /** @param {string} key */
  add(key) {
    const { subjects } = this.view.value;
    if (!subjects.includes(key) && subjects.length < SUBJECTS_MAX) this.change({ subjects: [...subjects, key] });
    this.chosen.set(key);
  }

  /** @param {string} key */
  remove(key) {
    if (this.chosen.value === key) this.chosen.set(null);
    this.change({ subjects: this.view.value.subjects.filter((one) => one !== key) });
  }

  /** Go to what happened next, or before. @param {1 | -1} step */
  toMoment(step) {
    const told = this.moments.value.filter(({ kind }) => kind !== "viewing");
    const now_ms = this.clock.now_ms;
    const before = lastBefore(told.length, (i) => (told[i]?.at_ms ?? 0) <= now_ms);
    const next = step > 0 ? told[before + 1] : told[lastBefore(told.length, (i) => (told[i]?.at_ms ?? 0) < now_ms - 1)];
    if (next) this.clock.seek(next.at_ms);
    return next ?? null;
  }

  /** Ask again. */
  reload() {
    this.#loaded = "";
    if (this.view.value.subjects.length) return this.#settle();
    this.#met = null;
    this.#open(route.value.query);
  }

  /** Ask again what happened: somebody has just written of it. */
  reloadMoments() {
    void this.#loadMoments(this.#asked);
  }

  /** The map shows more or less of the ground: a finer or coarser shape may be wanted. @param {number} metresPerPixel */
  zoomed(metresPerPixel) {
    this.metresPerPixel = metresPerPixel;
    this.#refine();
  }

  #refine() {
    const wanted = this.#wantedLevel();
    if (this.standing.value.phase !== "ready" || wanted >= this.#finest_m) return;
    this.#finest_m = wanted;
    void this.#loadTracks(this.#asked, wanted, true);
  }

  /** Show what an address names. @param {URLSearchParams} query */
  #open(query) {
    const view = readView(query);
    if (view.incident !== this.#met) void this.#meet(view.incident);
    if (view.incident === null || view.subjects.length) return this.#read(view);
    if (this.incident.value) goToView(readView(withIncident(query, this.incident.value)), "replace");
    else this.#wait(view);
  }

  /** Learn which incident it is about. @param {number | null} id */
  async #meet(id) {
    this.#met = id;
    this.incident.set(null);
    if (id === null) return;
    try {
      const incident = await get(`/incidents/${id}`);
      if (id !== this.#met || this.#scope.closed) return;
      this.incident.set(incident);
      if (route.value.path === "/review") this.#open(route.value.query);
    } catch (problem) {
      if (id !== this.#met || this.#scope.closed) return;
      if (this.view.value.subjects.length) complain(problem);
      else this.standing.set({ phase: "failed", problem });
    }
  }

  /** Nobody knows yet whom it is about. @param {View} view */
  #wait(view) {
    this.view.set(view);
    this.clock.setRange({ from_ms: view.from_ms, to_ms: view.to_ms }, view.t_ms);
    this.#loaded = "";
    this.#asked += 1;
    this.tracks.set([]);
    this.moments.set([]);
    this.standing.set({ phase: "loading", problem: null });
  }

  /** @param {View} view of the address */
  #read(view) {
    if (this.#loaded && addressOf(view) === addressOf(this.view.value)) return;
    const before = this.view.value;
    this.view.set(view);
    const { from_ms, to_ms } = this.range;
    if (from_ms !== view.from_ms || to_ms !== view.to_ms) this.clock.setRange({ from_ms: view.from_ms, to_ms: view.to_ms }, view.t_ms);
    else if (view.t_ms !== before.t_ms || !this.#loaded) this.clock.seek(view.t_ms);
    this.clock.setRate(view.rate);
    this.clock.setLoop(view.loop);
    this.#settle();
  }

  /** Load what is shown and not there. */
  #settle() {
    const { subjects, from_ms, to_ms, on } = this.view.value;
    this.clock.skipped = on.has("skip") ? quietTimes(this.tracks.value, this.range) : [];
    const wanted = `${subjects.join(",")} ${from_ms} ${to_ms}`;
    if (wanted === this.#loaded) return;
    this.#loaded = wanted;
    const asked = ++this.#asked;
    if (!subjects.length) {
      this.tracks.set([]);
      this.moments.set([]);
      this.standing.set({ phase: "empty", problem: null });
      return;
    }
    this.standing.set({ phase: "loading", problem: null });
    this.#finest_m = this.#wantedLevel();
    void this.#loadTracks(asked, this.#finest_m, false);
    void this.#loadMoments(asked);
  }

  #wantedLevel() {
    const { subjects, from_ms, to_ms } = this.view.value;
    const days = (subjects.length * (to_ms - from_ms)) / DAY_MS;
    const affordable = LEVELS_M[LEVEL_DAYS.findIndex((most) => days <= most)] ?? 320;
    const visible = LEVELS_M.findLast((level) => level <= (this.metresPerPixel ?? 0)) ?? 5;
    return Math.max(affordable, visible);
  }

  get #question() {
    const { subjects, from_ms, to_ms } = this.view.value;
    return questionOf(subjects, { from_ms, to_ms });
  }

  /**
   * @param {number} asked
   * @param {number} level_m
   * @param {boolean} refining what is shown stays when it fails
   * @returns {Promise<void>}
   */
  async #loadTracks(asked, level_m, refining) {
    try {
      /** @type {import("./types").TracksAnswer} */
      const answer = await get(`/review/tracks${this.#question}&tolerance_m=${level_m}`);
      if (asked !== this.#asked || this.#scope.closed || (refining && level_m >= this.#level_m)) return;
      const base_ms = Date.parse(answer.from);
      this.#level_m = level_m;
      this.tracks.set(answer.subjects.map((record, index) => new Track(record, base_ms, index)));
      this.standing.set({ phase: "ready", problem: null });
      this.#settle();
      this.#refine();
    } catch (problem) {
      if (asked !== this.#asked || this.#scope.closed) return;
      const refused = problem instanceof Problem && problem.slug === "too-much";
      if (refining) return void (refused || (this.#finest_m = this.#level_m));
      const coarser = LEVELS_M.find((level) => level > level_m);
      if (refused && coarser) return this.#loadTracks(asked, coarser, false);
      this.tracks.set([]);
      this.standing.set({ phase: "failed", problem });
    }
  }

  /** @param {number} asked */
  async #loadMoments(asked) {
    try {
      const { moments, more } = await get(`/review/moments${this.#question}`);
      if (asked !== this.#asked || this.#scope.closed) return;
      this.more = more;
      this.moments.set(moments.map(momentOf));
    } catch (problem) {
      if (asked !== this.#asked || this.#scope.closed) return;
      this.moments.set([]);
      if (this.standing.value.phase !== "failed") complain(problem);
    }
  }

  /** Write the address once it has come to rest; a clock that runs writes none. */
  #write() {
    clearTimeout(this.#writing);
    this.#writing = setTimeout(() => {
      const { incident, subjects } = this.view.value;
      if (route.value.path !== "/review" || (incident && !subjects.length)) return;
      const { now_ms, rate, loop } = this.clock;
      this.view.set({ ...this.view.value, t_ms: now_ms, rate, loop: loop.value });
      goToView(this.view.value, "replace");
    }, WRITE_MS);
  }
}

/** Whom and when, as the interface asks it. @param {string[]} subjects @param {import("./types").Span} span */
export function questionOf(subjects, { from_ms, to_ms }) {
  const search = new URLSearchParams(subjects.map((subject) => ["subject", subject]));
  search.set("from", isoLocal(from_ms));
  search.set("to", isoLocal(to_ms));
  return `?${search}`;
}
