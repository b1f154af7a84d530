/** The microphone of this desk: opened with the first press, closed when it was not used for a while. */

import { t } from "../kit/i18n.js";
import { Problem } from "./http.js";

/** How long it stays open for the next press: opening costs some 200 ms of the first word. */
const IDLE_MS = 300_000;
/** Mean square of a voice close to the microphone: a full meter. */
const LOUD = 0.04;

export class Microphone {
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {AnalyserNode | null} */
  #meter = null;
  #samples = new Float32Array(512);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #closing;

  /**
   * Its track; the person may be asked for leave.
   * @returns {Promise<MediaStreamTrack>}
   * @throws {Problem}
   */
  async open() {
    clearTimeout(this.#closing);
    this.#closing = setTimeout(() => this.close(), IDLE_MS);
    const ready = this.track;
    if (ready) return ready;
    if (!navigator.mediaDevices) throw new Problem(0, t("talk.mic.insecure"), t("talk.mic.insecure.do"));
    const audio = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ audio });
    } catch (error) {
      const denied = error instanceof DOMException && error.name === "NotAllowedError";
      throw new Problem(0, t(denied ? "talk.mic.denied" : "talk.mic.none"), t(denied ? "talk.mic.denied.do" : "talk.mic.none.do"));
    }
    this.#listen(this.#stream);
    const track = this.track;
    if (!track) throw new Problem(0, t("talk.mic.none"), t("talk.mic.none.do"));
    return track;
  }

  /** The track of an open microphone that still delivers. */
  get track() {
    return this.#stream?.getAudioTracks().find(({ readyState }) => readyState === "live") ?? null;
  }

  /** How loud it is now, 0…1. */
  get level() {
    if (!this.#meter) return 0;
    this.#meter.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length;
    return Math.min(1, Math.sqrt(power / LOUD));
  }

  close() {
    clearTimeout(this.#closing);
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    void this.#context?.close();
    this.#stream = this.#context = this.#meter = null;
  }

  /** @param {MediaStream} stream */
  #listen(stream) {
    void this.#context?.close();
    this.#context = new AudioContext();
    this.#meter = new AnalyserNode(this.#context, { fftSize: this.#samples.length });
    this.#context.createMediaStreamSource(stream).connect(this.#meter);
  }
}
