/**
 * The camera of this telephone, watched like a recorder's: opened when somebody asks for a picture, closed when nobody
 * watches any more, and closed by the officer at any time. A picture that the officer closed is not opened again before the
 * officer says so, or calls for help.
 */

import { t } from "../kit/i18n.js";
import { Store } from "../kit/store.js";
import { Problem } from "../net/http.js";
import { WhipSession } from "./whip.js";

const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 8_000;
/** A relay that is silent for so long is given up. */
const GIVE_UP_MS = 120_000;

/** Arguments of `live_start`. @typedef {{whip: string, token: string, by?: string, bitrate_bps_max: number, height_max: number, fps_max: number, audio: boolean}} LiveStart */

/** @typedef {{phase: "idle" | "opening" | "live" | "closed", by: string}} Standing `closed` is the officer's own word */

/** @type {Standing} */
const IDLE = { phase: "idle", by: "" };

export class Camera {
  /** @type {Store<Standing>} */
  standing = new Store(IDLE);
  /** What it sees, for the officer. @type {Store<MediaStream | null>} */
  media = new Store(/** @type {MediaStream | null} */ (null));
  /** The request in force. @type {LiveStart | null} */
  #request = null;
  /** @type {WhipSession | null} */
  #session = null;

  /** Whether the officer lets it be opened. */
  get willing() {
    return this.standing.value.phase !== "closed";
  }

  /**
   * Publish; returns when the relay has taken it. Asked again for the same place, it goes on with the fresh token.
   * @param {LiveStart} request
   * @throws {Problem}
   */
  async start(request) {
    const running = this.#request?.whip === request.whip && this.#session !== null;
    this.#request = request;
    if (running) return;
    this.#drop();
    this.standing.set({ phase: "opening", by: request.by ?? "" });
    try {
      const media = await captured(request);
      if (this.#request !== request) return stopAll(media);
      this.media.set(media);
      for (const track of media.getTracks()) track.onended = () => this.stop();
      await this.#publish(request);
    } catch (problem) {
      if (this.#request === request) this.stop();
      throw problem;
    }
  }

  /** Nobody is to watch any more. */
  stop() {
    this.#request = null;
    this.#drop();
    if (this.willing) this.standing.set(IDLE);
  }

  /** The officer closes it. */
  refuse() {
    this.standing.set({ phase: "closed", by: "" });
    this.stop();
  }

  /** The officer lets it be opened again. */
  allow() {
    if (!this.willing) this.standing.set(IDLE);
  }

  /** @param {LiveStart} request */
  async #publish(request) {
    const media = this.media.value;
    if (!media) return;
    const session = new WhipSession(media, request.token);
    this.#session = session;
    session.onLost = () => session === this.#session && void this.#comeBack();
    await session.publish(request.whip, request);
    if (session === this.#session) this.standing.set({ phase: "live", by: request.by ?? "" });
  }

  /** The way was lost, or nobody watches: the relay says which when it is asked again. */
  async #comeBack() {
    const since_ms = Date.now();
    this.#session = null;
    for (let wait_ms = RETRY_MIN_MS; this.#request; wait_ms = Math.min(RETRY_MAX_MS, wait_ms * 2)) {
      try {
        return await this.#publish(this.#request);
      } catch (problem) {
        this.#session = null;
        const final = problem instanceof Problem && problem.status >= 400 && problem.status < 500 && ![408, 425, 429].includes(problem.status);
        if (final || Date.now() - since_ms > GIVE_UP_MS) return this.stop();
      }
      await new Promise((resolve) => setTimeout(resolve, wait_ms * (0.5 + Math.random())));
      if (this.#session) return;
    }
  }

  #drop() {
    const session = this.#session;
    this.#session = null;
    session?.close();
    if (this.media.value) stopAll(this.media.value);
    this.media.set(null);
  }
}

/** @param {MediaStream} media */
function stopAll(media) {
  for (const track of media.getTracks()) {
    track.onended = null;
    track.stop();
  }
}

/**
 * The camera that looks away from the officer. A microphone that fails leaves the picture.
 * @param {LiveStart} request
 */
async function captured({ height_max, fps_max, audio }) {
  const video = { facingMode: "environment", height: { ideal: height_max }, frameRate: { ideal: fps_max } };
  if (!navigator.mediaDevices) throw new Problem(0, t("phone.camera.insecure"), "");
  try {
    return await navigator.mediaDevices.getUserMedia({ video, audio }).catch((error) => {
      if (!audio) throw error;
      return navigator.mediaDevices.getUserMedia({ video });
    });
  } catch (error) {
    const denied = error instanceof DOMException && error.name === "NotAllowedError";
    throw new Problem(0, t(denied ? "phone.camera.denied" : "phone.camera.none"), "");
  }
}
