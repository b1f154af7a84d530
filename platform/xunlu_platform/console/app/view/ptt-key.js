/** Every way to hold the key: the button, the space bar, a pedal. Whatever takes the page's attention lets it go. */

import { t } from "../kit/i18n.js";
import { claimKey } from "../kit/keys.js";
import { isHeld, pedal, press, release, unlockSpeaker } from "../state/talk.js";
import { toast } from "./notice.js";
import { EMERGENCY } from "./ptt-words.js";

export const NORMAL = 0;
/** An emergency by the button is a long press: nobody calls one by a slip. */
export const LONG_PRESS_MS = 700;

/**
 * Make a button one to hold. One that must be held for a while says so when it is let go too soon.
 * @param {HTMLButtonElement} button
 * @param {object} [options]
 * @param {() => 0 | 2} [options.urgency] asked with each press
 * @param {number} [options.after_ms] how long it must be held before it counts
 * @param {() => boolean} [options.when] whether it is a key now
 */
export function holdToTalk(button, { urgency = () => NORMAL, after_ms = 0, when = () => true } = {}) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  /** Only what this button pressed does it let go: a foot may be on the pedal meanwhile. */
  let holding = false;
  let own = false;
  const begin = (/** @type {0 | 2} */ wanted) => {
    waiting = undefined;
    own ||= !isHeld();
    void press(wanted);
  };
  const down = (/** @type {0 | 2} */ wanted) => {
    if (holding) return;
    holding = true;
    if (after_ms) waiting = setTimeout(() => begin(wanted), after_ms);
    else begin(wanted);
    button.classList.toggle("pressing", after_ms > 0);
  };
  const up = () => {
    if (!holding) return;
    holding = false;
    if (waiting !== undefined) toast(t("talk.hold", { s: after_ms / 1000 }));
    clearTimeout(waiting);
    waiting = undefined;
    button.classList.remove("pressing");
    if (own) release();
    own = false;
  };
  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !when()) return;
    button.setPointerCapture(event.pointerId);
    down(urgency());
  });
  for (const type of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) button.addEventListener(type, up);
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  const holds = (/** @type {KeyboardEvent} */ event) => event.key === " " || event.key === "Enter";
  button.addEventListener("keydown", (event) => {
    if (holding && waiting === undefined && event.key === "Shift") begin(EMERGENCY);
    if (!holds(event) || !when()) return;
    event.preventDefault();
    if (!event.repeat) down(event.shiftKey ? EMERGENCY : urgency());
  });
  button.addEventListener("keyup", (event) => void (holds(event) && up()));
}

/** The key of the page gets the focus, or gets it back from the dialog that opens next: the space bar then talks. */
export function focusKey() {
  /** @type {HTMLElement | null} */ (document.querySelector(".ptt-key"))?.focus();
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
