/** The tones, synthesized: no file, no codec. Browsers demand a gesture first: signing in, or any click, arms them. */

import { SavedStore, Store } from "./store.js";

const HIGH_HZ = 988;
const LOW_HZ = 740;
const BEEP_S = 0.16;
const LOOP_MS = 1400;
/** Of push-to-talk and of orders: pairs of hertz and seconds. They are heard whether or not alarms are. */
const TONES = /** @type {const} */ ({
  permit: [[1047, 0.06], [1568, 0.08]],
  deny: [[330, 0.14], [262, 0.2]],
  revoked: [[1047, 0.08], [740, 0.08], [523, 0.16]],
  call: [[659, 0.1], [880, 0.1], [659, 0.1], [880, 0.1], [659, 0.1], [880, 0.1]],
  order: [[784, 0.12], [988, 0.12], [784, 0.12], [988, 0.2]],
});

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
 * @param {number} [length_s]
 */
function beep(frequency_hz, delay_s, length_s = BEEP_S) {
  if (!context || context.state !== "running") return;
  const tone = new OscillatorNode(context, { type: "triangle", frequency: frequency_hz });
  const volume = new GainNode(context, { gain: 0 });
  const start = context.currentTime + delay_s;
  volume.gain.setValueAtTime(0, start);
  volume.gain.linearRampToValueAtTime(0.25, start + 0.01);
  volume.gain.setValueAtTime(0.25, start + length_s - 0.02);
  volume.gain.linearRampToValueAtTime(0, start + length_s);
  tone.connect(volume).connect(context.destination);
  tone.start(start);
  tone.stop(start + length_s);
}

/** Say how it stands with the key that was pressed, or that a call or an order is there. @param {keyof typeof TONES} name */
export function playTone(name) {
  let delay_s = 0;
  for (const [hz, length_s] of TONES[name]) {
    beep(hz, delay_s, length_s);
    delay_s += length_s;
  }
}

/** Ring once. */
export function ringOnce() {
  if (!soundWanted.value) return;
  [HIGH_HZ, LOW_HZ, HIGH_HZ, LOW_HZ].forEach((hz, i) => beep(hz, i * BEEP_S));
}

/** Ring until told otherwise. @param {boolean} on */
export function setRinging(on) {
  if (on === (loop !== null)) return;
  if (loop !== null) clearInterval(loop);
  loop = on ? setInterval(ringOnce, LOOP_MS) : null;
  if (on) ringOnce();
}
