/**
 * What this telephone says to the officer. Only a voice of its own speaks: one of the network would carry every order to a
 * stranger. Browsers let a page be heard, and shake, only after a gesture.
 */

import { playTone } from "../kit/sound.js";
import { SavedStore, Store } from "../kit/store.js";

const SPOKEN_MAX_MS = 60_000;
const SHAKE_MS = [200, 100, 200];
/** Languages as telephones spell them: `zh-CN`, `zh_CN_#Hans`, `cmn-Hans-CN`. */
const CHINESE = /^(zh|cmn)($|[-_](hans|cn))/i;
const ENGLISH = /^en/i;

/** Whether the officer lets orders be read aloud. */
export const aloud = new SavedStore("phone.aloud", false);
/** Whether the browser lets this page be heard. */
export const touched = new Store(navigator.userActivation?.hasBeenActive ?? false);
/** Voices of this telephone; browsers find them late. @type {Store<SpeechSynthesisVoice[]>} */
export const voices = new Store(/** @type {SpeechSynthesisVoice[]} */ ([]));

for (const gesture of ["pointerup", "keydown"]) addEventListener(gesture, () => touched.set(true), { once: true, capture: true });

if ("speechSynthesis" in window) {
  const look = () => voices.set(speechSynthesis.getVoices().filter(({ localService }) => localService));
  speechSynthesis.addEventListener("voiceschanged", look);
  look();
}

/** Who can read it aloud. @param {string} text */
export function voiceFor(text) {
  const spoken = /\p{Script=Han}/u.test(text) ? CHINESE : ENGLISH;
  return voices.value.find(({ lang }) => spoken.test(lang)) ?? null;
}

/**
 * Read aloud.
 * @param {string} text
 * @returns {Promise<boolean>} whether it was spoken to its end
 */
export function speak(text) {
  const voice = voiceFor(text);
  if (!voice) return Promise.resolve(false);
  return new Promise((resolve) => {
    const words = new SpeechSynthesisUtterance(text);
    words.voice = voice;
    words.lang = voice.lang;
    const end = (/** @type {boolean} */ spoken) => {
      clearTimeout(silence);
      resolve(spoken);
    };
    const silence = setTimeout(() => {
      end(false);
      speechSynthesis.cancel();
    }, SPOKEN_MAX_MS);
    words.onend = () => end(true);
    words.onerror = () => end(false);
    speechSynthesis.speak(words);
  });
}

/** What is told now; the next one waits for it. @type {Promise<unknown>} */
let telling = Promise.resolve();

/**
 * Tell the officer something: read aloud where that is allowed and there is a voice, else a tone and a shake ask for the eyes.
 * @param {string} text
 * @param {() => boolean} isDue whether it is still to be told when its turn comes
 * @returns {Promise<boolean>} whether it was spoken to its end
 */
export function tell(text, isDue) {
  const told = telling.then(() => tellNow(text, isDue));
  telling = told;
  return told;
}

/** @param {string} text @param {() => boolean} isDue */
async function tellNow(text, isDue) {
  if (aloud.value && voiceFor(text)) {
    await gesture();
    if (isDue() && (await speak(text))) return true;
  }
  if (!isDue()) return false;
  playTone("order");
  navigator.vibrate?.(SHAKE_MS);
  return false;
}

/** Settles with the first gesture. @returns {Promise<void>} */
function gesture() {
  return new Promise((resolve) => void touched.read((is) => is && resolve()));
}
