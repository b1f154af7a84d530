/** Designed states: empty, loading, failed, not allowed; and the short messages that pass by. */

import { h, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { Problem } from "../net/http.js";

const TOAST_MS = 5000;
const TOASTS_MAX = 4;

/**
 * A sentence that says what is, and one that says what to do.
 * @param {string} title
 * @param {string} [detail]
 * @param {string} [sign] icon
 */
export function notice(title, detail = "", sign = "info") {
  return h("div", { class: "notice" }, icon(sign), h("div", {}, h("b", {}, title), detail));
}

export function loading() {
  return h("div", { class: "notice", role: "status" }, t("loading"));
}

export function notAllowed() {
  return notice(t("denied"), t("denied.do"), "lock");
}

/**
 * @param {unknown} problem
 * @param {() => void} [again]
 */
export function failure(problem, again) {
  const known = problem instanceof Problem ? problem : new Problem(0, t("problem.unknown"), String(problem));
  const offline = known.status === 0;
  const box = notice(known.title, known.detail, offline ? "wifi-off" : "triangle-alert");
  box.setAttribute("role", "alert");
  if (again) box.lastElementChild?.append(h("div", {}, h("button", { onclick: again }, icon("refresh-cw"), t("again"))));
  return box;
}

/**
 * Say something in passing.
 * @param {string} text
 * @param {"good" | "bad" | "info"} [kind]
 */
export function toast(text, kind = "info") {
  const box = document.querySelector(".toasts");
  if (!box) return;
  while (box.childElementCount >= TOASTS_MAX) box.firstElementChild?.remove();
  const item = h("div", { class: `toast ${kind}` }, text);
  box.append(item);
  setTimeout(() => item.remove(), TOAST_MS);
}

/** Say what went wrong. @param {unknown} problem */
export function complain(problem) {
  toast(problem instanceof Error ? problem.message : String(problem), "bad");
}

/**
 * Run something for a button: busy meanwhile, its failure told.
 * @template T
 * @param {HTMLButtonElement} button
 * @param {() => Promise<T>} act
 * @returns {Promise<T | undefined>}
 */
export async function busy(button, act) {
  if (button.disabled) return undefined;
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  try {
    return await act();
  } catch (problem) {
    complain(problem);
    return undefined;
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
}
