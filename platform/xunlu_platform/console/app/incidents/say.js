/** Asking for the words of a note. */

import { h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { ask } from "../view/dialog.js";

/** @param {string} title @param {(text: string) => Promise<unknown>} act */
export function say(title, act) {
  const control = h("textarea", { rows: 4, maxlength: 4000, required: true });
  ask(title, [{ name: "text", label: t("incident.note"), control, hint: t("incident.note.do") }], title, ({ text }) => act(text ?? ""));
}
