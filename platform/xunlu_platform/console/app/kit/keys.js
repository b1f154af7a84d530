/** Keyboard: one registry feeds the keys and the page that lists them. */

import { SavedStore } from "./store.js";

/** @typedef {{key: string, label: string, run: () => void}} Shortcut `key` as the event spells it, `Ctrl+K` for chords */

/** Single keys can be switched off (WCAG 2.1.4); Escape and Ctrl chords always work. */
export const keysEnabled = new SavedStore("keys", true);

/** @type {Map<string, Shortcut[]>} */
const shortcuts = new Map();

/**
 * Claim a key until the scope closes; the latest claim wins.
 * @param {import("./store.js").Scope} scope
 * @param {string} key
 * @param {string} label key of the words that say what it does
 * @param {() => void} run
 */
export function claimKey(scope, key, label, run) {
  const shortcut = { key, label, run };
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
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  return event.ctrlKey || event.metaKey ? `Ctrl+${key}` : key;
}

/** @param {EventTarget | null} target */
function isTextField(target) {
  return target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
}

/** What Enter itself sets off. @param {EventTarget | null} target */
function isControl(target) {
  return target instanceof HTMLElement && target.matches("button, a[href], summary");
}

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.isComposing) return;
  const name = nameOf(event);
  const chord = name.startsWith("Ctrl+");
  const escape = name === "Escape";
  if (!chord && !escape && (!keysEnabled.value || isTextField(event.target))) return;
  if (!chord && document.querySelector("dialog[open]")) return;
  if (name === "Enter" && isControl(event.target)) return;
  const shortcut = shortcuts.get(name)?.at(-1);
  if (!shortcut) return;
  event.preventDefault();
  shortcut.run();
});
