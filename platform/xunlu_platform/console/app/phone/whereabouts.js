/**
 * Where this telephone is, while the page is open: every fix is shown, and reported as often as the officer moves. The rates
 * are a recorder's.
 */

import { distance_m } from "../kit/format.js";
import { Store } from "../kit/store.js";

const STILL_S = 15;
const MOVING_S = 5;
const SOS_S = 1;
const MOVING_MPS = 1;
/** Standing is left at once when the officer leaves this circle, and entered after a while: jitter is no walk. */
const STILL_RADIUS_M = 20;
const STILL_AFTER_MS = 30_000;
/** A fix that comes this much early is not worth another period of waiting. */
const EARLY_MS = 250;
const LOOK_MS = 1_000;
const FIX_TIMEOUT_MS = 15_000;

/** @typedef {"" | "denied" | "none" | "insecure"} Trouble why there is no fix */

export class Whereabouts {
  /** @type {Store<GeolocationPosition | null>} */
  fix = new Store(/** @type {GeolocationPosition | null} */ (null));
  /** @type {Store<Trouble>} */
  trouble = new Store(/** @type {Trouble} */ (""));
  /** Whether an SOS is on. */
  sos = false;
  /** Asked for by `track_interval`: seconds, until when. @type {{interval_s: number, until_ms: number} | null} */
  asked = null;
  #report;
  #watch = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #looking;
  /** When the last fix was reported, and its own time: browsers may tell the same fix twice. */
  #reported_ms = 0;
  #reportedFix_ms = 0;
  #looked_ms = 0;
  /** Where the officer stands, or began to walk. @type {GeolocationCoordinates | null} */
  #anchor = null;
  #moved_ms = 0;

  /** @param {(fix: GeolocationPosition) => void} report */
  constructor(report) {
    this.#report = report;
    if (!navigator.geolocation || !isSecureContext) {
      this.trouble.set("insecure");
      return;
    }
    const options = { enableHighAccuracy: true, maximumAge: 0 };
    this.#watch = navigator.geolocation.watchPosition((fix) => this.#take(fix), this.#fail, options);
    this.#looking = setInterval(() => this.#look(), LOOK_MS);
  }

  close() {
    clearInterval(this.#looking);
    if (this.#watch) navigator.geolocation.clearWatch(this.#watch);
  }

  /**
   * A fix of now, which is reported whatever the rate.
   * @returns {Promise<GeolocationPosition>}
   * @throws {GeolocationPositionError}
   */
  async now() {
    const fix = await current();
    this.#reported_ms = this.#reportedFix_ms = 0;
    this.#take(fix);
    return fix;
  }

  get interval_s() {
    if (this.asked && this.asked.until_ms < Date.now()) this.asked = null;
    if (this.sos) return Math.min(SOS_S, this.asked?.interval_s ?? SOS_S);
    return this.asked?.interval_s ?? (Date.now() - this.#moved_ms < STILL_AFTER_MS ? MOVING_S : STILL_S);
  }

  /** @param {GeolocationPosition} fix */
  #take(fix) {
    this.trouble.set("");
    this.fix.set(fix);
    this.#watchMotion(fix);
    const now_ms = Date.now();
    if (now_ms - this.#reported_ms < this.interval_s * 1000 - EARLY_MS || fix.timestamp <= this.#reportedFix_ms) return;
    this.#reported_ms = now_ms;
    this.#reportedFix_ms = fix.timestamp;
    this.#report(fix);
  }

  /** @param {GeolocationPosition} fix */
  #watchMotion({ coords }) {
    const from = this.#anchor;
    const left = from && distance_m(from.latitude, from.longitude, coords.latitude, coords.longitude) > Math.max(STILL_RADIUS_M, coords.accuracy);
    if (from && !left && (coords.speed ?? 0) < MOVING_MPS) return;
    this.#anchor = coords;
    if (from) this.#moved_ms = Date.now();
  }

  /** A watch tells changes only: who stands still is asked, so that the map knows that the fix still holds. */
  #look() {
    const now_ms = Date.now();
    const quiet_ms = now_ms - Math.max(this.#reported_ms, this.#looked_ms);
    if (quiet_ms < this.interval_s * 1000 || this.trouble.value === "denied") return;
    this.#looked_ms = now_ms;
    void current().then((fix) => this.#take(fix), this.#fail);
  }

  /** @param {GeolocationPositionError} error */
  #fail = (error) => {
    // A fix that takes its time is no trouble as long as the last one is there to be seen, with its age.
    if (error.code === error.PERMISSION_DENIED) this.trouble.set("denied");
    else if (!this.fix.value) this.trouble.set("none");
  };
}

/** @returns {Promise<GeolocationPosition>} */
function current() {
  const options = { enableHighAccuracy: true, maximumAge: 0, timeout: FIX_TIMEOUT_MS };
  return new Promise((resolve, reject) => navigator.geolocation.getCurrentPosition(resolve, reject, options));
}

/** A fix in the words of the protocol. @param {GeolocationPosition} fix */
export function locationOf({ coords }) {
  return Object.fromEntries(
    Object.entries({
      _type: "location",
      lat: coords.latitude,
      lon: coords.longitude,
      acc: coords.accuracy,
      alt: coords.altitude,
      vac: coords.altitudeAccuracy,
      vel: coords.speed === null ? null : coords.speed * 3.6,
      cog: coords.heading,
    }).filter(([, value]) => typeof value === "string" || Number.isFinite(value)),
  );
}
