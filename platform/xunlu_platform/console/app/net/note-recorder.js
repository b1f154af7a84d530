/** Records a voice note: Opus as this browser writes it, a minute at most. */

import { Microphone } from "./microphone.js";

export const NOTE_S_MAX = 60;
/** Speech; a minute is a third of what the server takes. */
const BITRATE_BPS = 24_000;
const TYPES = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus"];

/** What this browser can record that the server takes, null when it cannot. */
export function noteType() {
  return TYPES.find((type) => globalThis.MediaRecorder?.isTypeSupported(type)) ?? null;
}

export class NoteRecorder {
  #microphone;
  /** @type {MediaRecorder | null} */
  #recorder = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #ending;
  #began_ms = 0;
  /** Counts beginnings and ends, so that leave that is given too late opens no microphone behind a closed dialog. */
  #turns = 0;

  /** @param {(problem: Error) => void} lost told when the microphone is gone; what was said until then is kept */
  constructor(lost) {
    this.#microphone = new Microphone((problem) => (this.stop(), lost(problem)));
  }

  /**
   * Begin; the person may be asked for leave.
   * @param {(sound: Blob) => void} done gets what was recorded when it ends, by `stop` or after a minute
   * @throws {import("./http.js").Problem}
   */
  async start(done) {
    const mine = ++this.#turns;
    const track = await this.#microphone.open();
    if (mine !== this.#turns) return this.#microphone.close();
    const recorder = new MediaRecorder(new MediaStream([track]), { mimeType: noteType() ?? "", audioBitsPerSecond: BITRATE_BPS });
    /** @type {Blob[]} */
    const parts = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.onstop = () => done(new Blob(parts, { type: recorder.mimeType }));
    recorder.start();
    this.#recorder = recorder;
    this.#began_ms = performance.now();
    this.#ending = setTimeout(() => this.stop(), NOTE_S_MAX * 1000);
  }

  stop() {
    this.#turns += 1;
    clearTimeout(this.#ending);
    if (this.#recorder?.state === "recording") this.#recorder.stop();
    this.#recorder = null;
    this.#microphone.close();
  }

  /** How long it has recorded, seconds; null while it does not. */
  get length_s() {
    return this.#recorder ? (performance.now() - this.#began_ms) / 1000 : null;
  }

  /** How loud it is now, 0…1. */
  get level() {
    return this.#microphone.level;
  }
}
