/** Pictures and voices follow the clock: a file that plays is held to it, one that cannot keep up is shown in stills. */

/** More than this is mended at once, by going there; less by playing a little faster or slower. Milliseconds. */
export const DRIFT_MAX_MS = 200;
/** So fast a browser still decodes every picture. */
export const PLAY_RATE_MAX = 4;
/** A paused picture shows exactly what the clock says, to a frame. */
const STILL_MS = 40;
/** How strongly a drift is leaned against: of one second in one second. */
const LEAN = 0.8;
const LEAN_MAX = 0.25;
/** Rates that a browser takes. */
const RATE_LIMITS = /** @type {const} */ ([0.0625, 16]);

/** A file on the clock. */
export class Follower {
  element;
  #from_ms;
  #rate_max;
  #jumps = -1;
  /** How long a leap takes, seconds: while one leads to another, the clock moves on. */
  #leap_s = 0.08;
  #leapt_ms = 0;

  /**
   * @param {HTMLMediaElement} element
   * @param {number} from_ms UTC milliseconds of its first frame
   * @param {number} [rate_max] above it, and backwards, there are stills
   */
  constructor(element, from_ms, rate_max = PLAY_RATE_MAX) {
    this.element = element;
    this.#from_ms = from_ms;
    this.#rate_max = rate_max;
    element.addEventListener("seeked", () => (this.#leap_s = 0.7 * this.#leap_s + (0.3 * (performance.now() - this.#leapt_ms)) / 1000));
  }

  /** How far it is from the clock, milliseconds; above zero it is ahead. @param {number} now_ms */
  drift_ms(now_ms) {
    return this.element.currentTime * 1000 - (now_ms - this.#from_ms);
  }

  /** One frame. @param {import("./clock.js").Clock} clock */
  follow(clock) {
    const { element } = this;
    if (element.readyState < HTMLMediaElement.HAVE_METADATA || element.error) return;
    const { playing, rate, now_ms } = clock;
    const jumped = clock.jumps.value !== this.#jumps;
    this.#jumps = clock.jumps.value;
    const target_s = Math.min(Math.max(0, (now_ms - this.#from_ms) / 1000), element.duration || Infinity);
    if (playing && rate > 0 && rate <= this.#rate_max) this.#keepUp(target_s, rate, jumped);
    else this.#still(target_s, playing ? DRIFT_MAX_MS : STILL_MS);
  }

  /** @param {number} target_s @param {number} rate @param {boolean} jumped */
  #keepUp(target_s, rate, jumped) {
    const { element } = this;
    const drift_s = element.currentTime - target_s;
    if (element.paused && !element.ended) void element.play().catch(() => undefined);
    if (element.seeking) return;
    if (jumped || Math.abs(drift_s) * 1000 > DRIFT_MAX_MS) {
      element.playbackRate = rate;
      return this.#leap(Math.min(target_s + (element.paused ? 0 : this.#leap_s * rate), element.duration || Infinity));
    }
    const lean = Math.min(LEAN_MAX, Math.max(-LEAN_MAX, (drift_s / rate) * LEAN));
    const wanted = Math.min(RATE_LIMITS[1], Math.max(RATE_LIMITS[0], rate * (1 - lean)));
    if (Math.abs(element.playbackRate - wanted) > 0.01 * rate) element.playbackRate = wanted;
  }

  /** One picture after the other, each asked for when the one before has come. @param {number} target_s @param {number} near_ms */
  #still(target_s, near_ms) {
    const { element } = this;
    if (!element.paused) element.pause();
    if (!element.seeking && Math.abs(element.currentTime - target_s) * 1000 > near_ms) this.#leap(target_s);
  }

  /** @param {number} target_s */
  #leap(target_s) {
    this.#leapt_ms = performance.now();
    this.element.currentTime = target_s;
  }

  /** Let go of the file. */
  close() {
    this.element.pause();
    this.element.removeAttribute("src");
    this.element.load();
  }
}
