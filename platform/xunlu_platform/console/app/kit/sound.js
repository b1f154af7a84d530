/** The alarm tone, synthesized: no file, no codec. Browsers demand a gesture first: signing in, or any click, arms it. */

import { SavedStore, Store } from "./store.js";

const HIGH_HZ = 988;
const LOW_HZ = 740;
const BEEP_S = 0.16;
const LOOP_MS = 1400;

/** Whether the person wants to hear alarms. */
export const soundWanted = new SavedStore("sound", true);
/** Whether the browser lets us. */
export const soundArmed = new Store(false);

/** @type {AudioContext | null} */
let context = null;
/** @type {ReturnType<typeof setInterval> | null} */
let loop = null;

/** Call from a gesture's handler. */
export function armSound() {
  context ??= new AudioContext();
  context.onstatechange = () => soundArmed.set(context?.state === "running");
  void context.resume().then(() => soundArmed.set(context?.state === "running"));
}

document.addEventListener("pointerdown", armSound, { once: true });
document.addEventListener("keydown", armSound, { once: true });

/**
 * @param {number} frequency_hz
 * @param {number} delay_s
 */
function beep(frequency_hz, delay_s) {
  if (!context || context.state !== "running") return;
  const tone = new OscillatorNode(context, { type: "triangle", frequency: frequency_hz });
  const volume = new GainNode(context, { gain: 0 });
  const start = context.currentTime + delay_s;
  volume.gain.setValueAtTime(0, start);
  volume.gain.linearRampToValueAtTime(0.25, start + 0.01);
  volume.gain.setValueAtTime(0.25, start + BEEP_S - 0.02);
  volume.gain.linearRampToValueAtTime(0, start + BEEP_S);
  tone.connect(volume).connect(context.destination);
  tone.start(start);
  tone.stop(start + BEEP_S);
}

function ring() {
  if (!soundWanted.value) return;
  [HIGH_HZ, LOW_HZ, HIGH_HZ, LOW_HZ].forEach((hz, i) => beep(hz, i * BEEP_S));
}

/** Ring until told otherwise. @param {boolean} on */
export function setRinging(on) {
  if (on === (loop !== null)) return;
  if (loop !== null) clearInterval(loop);
  loop = on ? setInterval(ring, LOOP_MS) : null;
  if (on) ring();
}
