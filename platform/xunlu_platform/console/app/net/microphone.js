/** The microphone of this desk: opened with the first press, closed when it was not used for a while. */

import { t } from "../kit/i18n.js";
import { Problem } from "./http.js";

/** How long it stays open for the next press: opening costs some 200 ms of the first word. */
const IDLE_MS = 300_000;
/** Mean square of a voice close to the microphone: a full meter. */
const LOUD = 0.04;

/** What a refusal of the browser means (Media Capture and Streams, 10.2). @type {Record<string, string>} */
const REFUSALS = { NotAllowedError: "denied", NotReadableError: "busy" };

/** @param {string} why @returns {Problem} */
const problem = (why) => new Problem(0, t(`talk.mic.${why}`), t(`talk.mic.${why}.do`));

export class Microphone {
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {AnalyserNode | null} */
  #meter = null;
  #samples = new Float32Array(512);
  /** One question at a time: who presses again meanwhile waits for the same answer. @type {Promise<MediaStreamTrack> | null} */
  #opening = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #closing;
  #lost;

  /** @param {(problem: Problem) => void} lost told when an open one is unplugged, or its leave is taken back */
  constructor(lost) {
    this.#lost = lost;
  }

  /**
   * Its track; the person may be asked for leave.
   * @returns {Promise<MediaStreamTrack>}
   * @throws {Problem}
   */
  async open() {
    clearTimeout(this.#closing);
    if (this.track) return this.track;
    this.#opening ??= this.#ask().finally(() => (this.#opening = null));
    return this.#opening;
  }

  async #ask() {
    if (!navigator.mediaDevices) throw problem("insecure");
    const audio = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ audio });
    } catch (error) {
      throw problem((error instanceof DOMException && REFUSALS[error.name]) || "none");
    }
    const [track] = this.#stream.getAudioTracks();
    if (!track) throw problem("none");
    this.#listen(this.#stream);
    track.onended = () => this.#lost(problem("lost"));
    return track;
  }

  /** It is not needed now, and perhaps soon again. */
  rest() {
    clearTimeout(this.#closing);
    this.#closing = setTimeout(() => this.close(), IDLE_MS);
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
