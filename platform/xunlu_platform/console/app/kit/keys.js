/** Keyboard: one registry feeds the keys and the page that lists them. */

import { SavedStore } from "./store.js";

/**
 * @typedef {object} Shortcut
 * @property {string} key as the event spells it, `Space`, `Shift+Space`, `Ctrl+K` for chords
 * @property {string} label key of the words that say what it does
 * @property {() => void} run
 * @property {(() => void) | undefined} end when the key is let go, of a key that is held
 */

/** Single keys can be switched off (WCAG 2.1.4); Escape and Ctrl chords always work. */
export const keysEnabled = new SavedStore("keys", true);

/** What Enter and the space bar set off by themselves. */
const CONTROLS = "button, a[href], summary, audio, video, [role='button'], [role='row'], [role='treeitem'], [role^='menuitem'], [role='option']";

/** Chords that a text field knows as its own. */
const OF_TEXT = new Set(["Ctrl+Z", "Ctrl+Y"]);

/** @type {Map<string, Shortcut[]>} */
const shortcuts = new Map();
/** The key that is held down, with what ends when it is let go. @type {{name: string, code: string, end: () => void} | null} */
let held = null;

/**
 * Claim a key until the scope closes; the latest claim wins.
 * @param {import("./store.js").Scope} scope
 * @param {string} key
 * @param {string} label key of the words that say what it does
 * @param {() => void} run
 * @param {() => void} [end] makes it a key to hold: told when it is let go, and when the page loses the keyboard
 */
export function claimKey(scope, key, label, run, end) {
  const shortcut = { key, label, run, end };
  const claims = shortcuts.get(key) ?? [];
  shortcuts.set(key, [...claims, shortcut]);
  scope.onClose(() =>
    shortcuts.set(
      key,
      (shortcuts.get(key) ?? []).filter((claim) => claim !== shortcut),
    ),
  );
}

/** What works right now, for the page of keys. */
export function activeShortcuts() {
  return [...shortcuts.values()].flatMap((claims) => claims.slice(-1));
}

/** @param {KeyboardEvent} event */
function nameOf(event) {
  if (event.key === " ") return event.shiftKey ? "Shift+Space" : "Space";
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  return event.ctrlKey || event.metaKey ? `Ctrl+${key}` : key;
}

/** @param {EventTarget | null} target */
function isTextField(target) {
  return target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
}

/** @param {string} name @param {EventTarget | null} target */
function isOfControl(name, target) {
  const sets = name === "Enter" || name.endsWith("Space");
  return sets && target instanceof HTMLElement && target.matches(CONTROLS);
}

/** Keys that no text field and no dialog needs: a pedal types one of them. @param {string} name */
const isFunctionKey = (name) => /^F\d+$/.test(name);

/** @param {KeyboardEvent} event @param {string} name */
function isMeantElsewhere(event, name) {
  if (name.startsWith("Ctrl+")) return OF_TEXT.has(name) && isTextField(event.target);
  if (name === "Escape") return document.querySelector("dialog[open]") !== null;
  if (isFunctionKey(name)) return false;
  if (!keysEnabled.value || isTextField(event.target)) return true;
  return document.querySelector("dialog[open]") !== null || isOfControl(name, event.target);
}

function letGo() {
  held?.end();
  held = null;
}

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.isComposing || event.defaultPrevented) return;
  // Shift counts behind its key, too: whoever holds the one and then thinks of the other need not let go first.
  if (event.key === "Shift" && held) return shortcuts.get(`Shift+${held.name}`)?.at(-1)?.run();
  const name = nameOf(event);
  if (isMeantElsewhere(event, name)) return;
  const shortcut = shortcuts.get(name)?.at(-1);
  if (!shortcut) return;
  event.preventDefault();
  if (shortcut.end && (event.repeat || held)) return;
  if (shortcut.end) held = { name, code: event.code, end: shortcut.end };
  shortcut.run();
});
document.addEventListener("keyup", (event) => void (held?.code === event.code && letGo()));
document.addEventListener("visibilitychange", () => void (document.hidden && letGo()));
addEventListener("blur", letGo);
