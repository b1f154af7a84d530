/**
 * Every device of this desk's scope. Records for the lists; typed arrays for the map, so that ten thousand movers cost
 * one pass over numbers a frame. World coordinates: Web Mercator, 0…1, computed once per fix.
 */

import { Store } from "../kit/store.js";
import { link } from "../net/stream.js";
import { isFresh, stateOf, STATES, warningsOf } from "./display.js";
import { past, shownNow } from "./moment.js";

/** A glide between two fixes never lasts longer: the drawing must not lag behind the truth. */
const GLIDE_MS_MAX = 2000;
/** Farther than this is a new place, not a walk: about 600 m at Shanghai's latitude. */
const GLIDE_WORLD_MAX = 1.8e-5;
const LINK_GRACE_MS = 10_000;

/** @typedef {import("../types").Live & {index: number, state: import("./display.js").State, warnings: import("./display.js").Warning[], search: string}} Device */

/** @param {number} lon degrees */
export const worldX = (lon) => (lon + 180) / 360;

/** @param {number} lat degrees, within ±85.05 */
export function worldY(lat) {
  const s = Math.sin((lat * Math.PI) / 180);
  return 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI);
}

/** @type {import("../types").Live} */
const BLANK = {
  did: "",
  kind: "recorder",
  num: null,
  name: null,
  py: null,
  unit: null,
  serial: "",
  lat: null,
  lon: null,
  tms: null,
  acc: null,
  spd: null,
  cog: null,
  sat: null,
  bds: null,
  st: null,
  st_ms: null,
  why: null,
  batt: null,
  rec: null,
  sos: null,
  interval_s: null,
  tele: null,
  live: null,
  srec: false,
  talk: null,
};

export class Fleet {
  /** @type {Map<string, Device>} */
  devices = new Map();
  /** By index of the arrays. @type {Device[]} */
  order = [];
  x = new Float64Array(256);
  y = new Float64Array(256);
  fromX = new Float64Array(256);
  fromY = new Float64Array(256);
  /** When the last glide began, `performance.now()`. */
  since = new Float64Array(256);
  glide_ms = new Float32Array(256);
  /** Radians from north, clockwise; NaN when unknown. */
  course = new Float32Array(256);
  /** Index into `STATES`. */
  state = new Uint8Array(256);
  /** Bits: 1 placed, 2 fresh fix, 4 warning, 8 filtered out, 16 watched live, 32 recorded by the server, 64 talks. */
  flags = new Uint8Array(256);
  /** Counts of positions that moved; the map draws when it grew. */
  moved = new Store(0);
  /** Counts of state changes, arrivals and leavings; lists are rebuilt when it grew. */
  changed = new Store(0);
  loaded = new Store(false);
  /** Told of every new fix. @type {Set<(device: Device) => void>} */
  onFix = new Set();

  /** @param {import("../types").Live[]} devices everything that there is */
  replace(devices) {
    const known = new Set(devices.map((device) => device.did));
    for (const did of [...this.devices.keys()]) if (!known.has(did)) this.#drop(did);
    this.merge(devices);
    this.loaded.set(true);
    this.changed.set(this.changed.value + 1);
  }

  /** Forget everything: the login ended. */
  clear() {
    this.replace([]);
    this.loaded.set(false);
  }

  /**
   * @param {(Partial<import("../types").Live> & {did: string})[]} parts
   * @param {string[]} [gone]
   */
  merge(parts, gone = []) {
    let restated = gone.length > 0;
    const now_ms = shownNow();
    const clock = performance.now();
    for (const part of parts) restated = this.#take(part, now_ms, clock) || restated;
    for (const did of gone) this.#drop(did);
    this.moved.set(this.moved.value + 1);
    if (restated) this.changed.set(this.changed.value + 1);
  }

  /** Fixes age without any message: call once a second. */
  age() {
    const now_ms = shownNow();
    let restated = false;
    for (const device of this.order) restated = this.#restate(device, now_ms) || restated;
    this.moved.set(this.moved.value + 1);
    if (restated) this.changed.set(this.changed.value + 1);
  }

  /** @param {(device: Device) => boolean} shown decides what map and lists show */
  filter(shown) {
    for (const device of this.order)
      this.flags[device.index] = shown(device) ? (this.flags[device.index] ?? 0) & ~8 : (this.flags[device.index] ?? 0) | 8;
    this.moved.set(this.moved.value + 1);
  }

  /**
   * @param {Partial<import("../types").Live> & {did: string}} part
   * @param {number} now_ms
   * @param {number} clock
   */
  #take(part, now_ms, clock) {
    let device = this.devices.get(part.did);
    const fresh = !device;
    if (!device) device = this.#add(part.did);
    const before_ms = device.tms;
    const renamed = part.name !== undefined || part.num !== undefined || part.unit !== undefined;
    // Who goes back in time wants the older fix.
    const older = !past.value && part.tms !== undefined && part.tms !== null && before_ms !== null && part.tms < before_ms;
    Object.assign(device, older ? { ...part, lat: device.lat, lon: device.lon, tms: before_ms } : part);
    if (fresh || renamed) device.search = searchText(device);
    if ((part.lat !== undefined || part.lon !== undefined) && !older) this.#place(device, before_ms, clock);
    if (part.cog !== undefined) this.course[device.index] = device.cog === null ? NaN : (device.cog * Math.PI) / 180;
    return this.#restate(device, now_ms) || fresh || renamed;
  }

  /**
   * @param {Device} device
   * @param {number | null} before_ms time of the fix before
   * @param {number} clock
   */
  #place(device, before_ms, clock) {
    const i = device.index;
    if (device.lat === null || device.lon === null) return void (this.flags[i] = (this.flags[i] ?? 0) & ~1);
    const x = worldX(device.lon);
    const y = worldY(device.lat);
    const placed = ((this.flags[i] ?? 0) & 1) !== 0;
    const f = placed ? this.progress(i, clock) : 1;
    const fromX = placed ? lerp(this.fromX[i], this.x[i], f) : x;
    const fromY = placed ? lerp(this.fromY[i], this.y[i], f) : y;
    // The past is drawn where somebody was: who shows it has put every place between two fixes already.
    const walk = !past.value && placed && Math.hypot(x - fromX, y - fromY) < GLIDE_WORLD_MAX;
    const gap_ms = before_ms === null || device.tms === null ? 0 : device.tms - before_ms;
    const interval_ms = (device.interval_s ?? 1) * 1000;
    this.fromX[i] = walk ? fromX : x;
    this.fromY[i] = walk ? fromY : y;
    this.x[i] = x;
    this.y[i] = y;
    this.since[i] = clock;
    this.glide_ms[i] = Math.max(1, Math.min(GLIDE_MS_MAX, interval_ms, gap_ms));
    this.flags[i] = (this.flags[i] ?? 0) | 1;
    for (const told of this.onFix) told(device);
  }

  /**
   * How far a glide has come, 0…1; never beyond the fix.
   * @param {number} i
   * @param {number} clock `performance.now()`
   */
  progress(i, clock) {
    const f = (clock - (this.since[i] ?? 0)) / (this.glide_ms[i] ?? 1);
    return f < 0 ? 0 : f > 1 ? 1 : f;
  }

  /**
   * @param {Device} device
   * @param {number} now_ms
   */
  #restate(device, now_ms) {
    const linked =
      past.value || link.value.state === "open" || link.value.state === "forbidden" || Date.now() - link.value.since_ms < LINK_GRACE_MS;
    const state = stateOf(device, now_ms, linked);
    const warnings = warningsOf(device);
    const i = device.index;
    const before = this.flags[i] ?? 0;
    const fresh = linked && isFresh(device, now_ms) ? 2 : 0;
    const media = (device.live ? 16 : 0) | (device.srec ? 32 : 0) | (device.talk ? 64 : 0);
    const flags = (before & ~118) | fresh | (warnings.length ? 4 : 0) | media;
    const restated =
      state !== device.state || warnings.join() !== device.warnings.join() || ((before ^ flags) & 112) !== 0;
    this.flags[i] = flags;
    this.state[i] = STATES.indexOf(state);
    device.state = state;
    device.warnings = warnings;
    return restated;
  }

  /** @param {string} did */
  #add(did) {
    const index = this.order.length;
    if (index >= this.x.length) this.#grow();
    /** @type {Device} */
    const device = { ...BLANK, did, index, state: "unknown", warnings: [], search: "" };
    this.devices.set(did, device);
    this.order.push(device);
    this.flags[index] = 0;
    this.course[index] = NaN;
    return device;
  }

  /** Keep the arrays dense: the last one takes the place. @param {string} did */
  #drop(did) {
    const device = this.devices.get(did);
    if (!device) return;
    this.devices.delete(did);
    const last = this.order.pop();
    if (!last || last === device) return;
    for (const array of this.#arrays()) array[device.index] = array[last.index] ?? 0;
    last.index = device.index;
    this.order[device.index] = last;
  }

  #arrays() {
    return [this.x, this.y, this.fromX, this.fromY, this.since, this.glide_ms, this.course, this.state, this.flags];
  }

  #grow() {
    const larger = (/** @type {any} */ array) => {
      const copy = new array.constructor(array.length * 2);
      copy.set(array);
      return copy;
    };
    this.x = larger(this.x);
    this.y = larger(this.y);
    this.fromX = larger(this.fromX);
    this.fromY = larger(this.fromY);
    this.since = larger(this.since);
    this.glide_ms = larger(this.glide_ms);
    this.course = larger(this.course);
    this.state = larger(this.state);
    this.flags = larger(this.flags);
  }
}

/**
 * @param {number | undefined} a
 * @param {number | undefined} b
 * @param {number} f
 */
function lerp(a = 0, b = 0, f) {
  return a + (b - a) * f;
}

/** Name, number, pinyin with initials, device. @param {import("../types").Live} live */
function searchText(live) {
  return [live.name, live.num, live.py, live.did, live.serial].filter(Boolean).join(" ").toLowerCase();
}

export const fleet = new Fleet();
