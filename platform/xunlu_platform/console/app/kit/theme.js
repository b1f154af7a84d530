/** Dark and light: one set of custom properties. The first paint is `theme-first.js`'s. */

import { SavedStore } from "./store.js";

/** @type {SavedStore<"dark" | "light">} */
export const theme = new SavedStore("theme", /** @type {"dark" | "light"} */ ("dark"));

theme.read((name) => (document.documentElement.dataset["theme"] = name));

/** The value of a custom property in the theme in force. @param {string} name such as `--duty` */
export function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Whether the person asked for less motion. */
export const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
