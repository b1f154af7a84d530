/** Dialogs: modal, closed by Escape, focus returns to where it was (the browser's own `<dialog>` does it). */

import { h, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { Problem } from "../net/http.js";
import { field } from "./sign-in.js";

/**
 * @param {string} title
 * @param {...(Node | string)} content
 */
export function openDialog(title, ...content) {
  const close = h(
    "button",
    { class: "quiet", type: "button", "aria-label": t("close"), onclick: () => dialog.close() },
    icon("x"),
  );
  const dialog = h("dialog", { "aria-label": title }, h("header", {}, h("h2", {}, title), close), ...content);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector("input, select, textarea")?.dispatchEvent(new Event("focus"));
  return dialog;
}

/**
 * @typedef {object} Question
 * @property {string} name
 * @property {string} label
 * @property {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} control
 * @property {string} [hint]
 */

/**
 * Ask for some values; the dialog stays open with the reason when the answer is refused.
 * @param {string} title
 * @param {Question[]} questions
 * @param {string} action words of the button
 * @param {(values: Record<string, string>) => Promise<unknown>} act
 * @param {{danger?: boolean, text?: string, beside?: {name: string, label: string, element: HTMLElement}}} [options] `beside` is
 *   something that is answered otherwise than by typing, such as on a map
 */
export function ask(title, questions, action, act, options = {}) {
  const error = h("p", { class: "problem", role: "alert" });
  const submit = h("button", { class: options.danger ? "danger" : "primary", type: "submit" }, action);
  const { beside } = options;
  const labels = Object.fromEntries([...questions, ...(beside ? [beside] : [])].map(({ name, label }) => [name, label]));
  const send = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    submit.disabled = true;
    try {
      await act(Object.fromEntries(questions.map((question) => [question.name, question.control.value])));
      dialog.close();
    } catch (problem) {
      error.textContent = problem instanceof Problem ? problem.toldBy(labels) : String(problem);
    } finally {
      submit.disabled = false;
    }
  };
  for (const { name, control } of questions) control.name = name;
  const form = h(
    "form",
    { class: "stack", onsubmit: send },
    options.text ? h("p", { class: "dim" }, options.text) : null,
    questions.map((question) => field(question.label, question.control, question.hint)),
    error,
    h("footer", {}, h("button", { type: "button", onclick: () => dialog.close() }, t("cancel")), submit),
  );
  const dialog = openDialog(title, beside ? h("div", { class: "beside" }, form, beside.element) : form);
  (questions[0]?.control ?? submit).focus();
  return dialog;
}

/**
 * Show something that is never shown again.
 * @param {string} title
 * @param {string} text
 * @param {[string, string][]} values label and value
 */
export function showOnce(title, text, values) {
  const rows = values.map(([label, value]) =>
    h("div", { class: "field" }, h("span", {}, label), h("div", { class: "secret" }, value)),
  );
  const done = h("button", { class: "primary", onclick: () => dialog.close() }, t("once.noted"));
  const dialog = openDialog(
    title,
    h("div", { class: "body stack-body" }, h("p", { class: "dim" }, text), ...rows, h("footer", {}, done)),
  );
}
