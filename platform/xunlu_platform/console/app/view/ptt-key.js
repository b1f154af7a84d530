/** Every way to hold the key: the button, the space bar, a pedal. Whatever takes the page's attention lets it go. */

import { claimKey } from "../kit/keys.js";
import { pedal, press, release, unlockSpeaker } from "../state/talk.js";

/** Urgencies of the floor. */
export const NORMAL = 0;
export const EMERGENCY = 2;
/** An emergency by the button is a long press: nobody calls one by a slip. */
export const LONG_PRESS_MS = 700;

/**
 * Make a button one to hold.
 * @param {HTMLButtonElement} button
 * @param {0 | 2} [urgency]
 * @param {number} [after_ms] how long it must be held before it counts
 */
export function holdToTalk(button, urgency = NORMAL, after_ms = 0) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  const down = (/** @type {0 | 2} */ wanted) => {
    clearTimeout(waiting);
    if (after_ms) waiting = setTimeout(() => void press(wanted), after_ms);
    else void press(wanted);
    button.classList.toggle("pressing", after_ms > 0);
  };
  const up = () => {
    clearTimeout(waiting);
    button.classList.remove("pressing");
    release();
  };
  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    button.setPointerCapture(event.pointerId);
    down(urgency);
  });
  for (const type of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) button.addEventListener(type, up);
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  const holds = (/** @type {KeyboardEvent} */ event) => event.key === " " || event.key === "Enter";
  button.addEventListener("keydown", (event) => {
    if (!holds(event)) return;
    event.preventDefault();
    if (!event.repeat) down(event.shiftKey ? EMERGENCY : urgency);
  });
  button.addEventListener("keyup", (event) => void (holds(event) && up()));
}

/** The keys, and what ends every hold. @param {import("../kit/store.js").Scope} scope */
export function claimTalkKeys(scope) {
  claimKey(scope, "Space", "key.talk", () => void press(NORMAL), release);
  claimKey(scope, "Shift+Space", "key.talk.emergency", () => void press(EMERGENCY), release);
  let inner = scope.inner();
  scope.read(pedal, (name) => {
    inner.close();
    inner = scope.inner();
    if (name) claimKey(inner, name, "key.talk.pedal", () => void press(NORMAL), release);
  });
  letGoWithThePage(scope);
}

/** A page that is left or hidden holds no key; the first gesture lets the loudspeaker speak. @param {import("../kit/store.js").Scope} scope */
export function letGoWithThePage(scope) {
  scope.listen(window, "blur", release);
  scope.listen(document, "visibilitychange", () => document.hidden && release());
  for (const gesture of ["pointerdown", "keydown"]) scope.listen(document, gesture, unlockSpeaker, { passive: true });
}
