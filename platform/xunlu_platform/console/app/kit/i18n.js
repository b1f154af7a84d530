/** Words: two JSON files with equal keys; Chinese is the default. */

import { SavedStore } from "./store.js";

/** @typedef {"zh-CN" | "en"} Language */

/** @type {SavedStore<Language>} */
export const language = new SavedStore("language", /** @type {Language} */ ("zh-CN"));

/** @type {Record<string, string>} */
let words = {};

/** Fetch the words of the chosen language. */
export async function loadWords() {
  const url = new URL(`../../i18n/${language.value}.json`, import.meta.url);
  words = await (await fetch(url)).json();
  document.documentElement.lang = language.value;
  document.title = t("brand");
}

/**
 * The words of a key; `{name}` is replaced by the parameter of that name.
 * @param {string} key
 * @param {Record<string, string | number>} [parameters]
 */
export function t(key, parameters) {
  const text = words[key] ?? key;
  return parameters ? text.replace(/\{(\w+)\}/g, (_, name) => String(parameters[name] ?? "")) : text;
}

/** Whether a key has words. @param {string} key */
export function knows(key) {
  return key in words;
}

/**
 * The words of a value of an open vocabulary, else the value itself: a device may say what we have no word for.
 * @param {string} prefix
 * @param {string} value
 */
export function word(prefix, value) {
  return words[`${prefix}.${value}`] ?? value;
}
