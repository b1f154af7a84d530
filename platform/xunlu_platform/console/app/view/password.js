/** Changing one's own password; forced after the first sign-in and after a reset. */

import { h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { Problem } from "../net/http.js";
import { changePassword, signOut } from "../net/session.js";
import { openDialog } from "./dialog.js";
import { complain, toast } from "./notice.js";
import { field } from "./sign-in.js";

const PASSWORD_CHARACTERS_MIN = 10;

/** @param {() => void} done */
function passwordForm(done) {
  const error = h("p", { class: "problem", role: "alert" });
  const labels = { old: t("password.old"), new: t("password.new") };
  const old = h("input", { type: "password", name: "old", autocomplete: "current-password", required: true });
  const replacement = h("input", {
    type: "password",
    name: "new",
    autocomplete: "new-password",
    required: true,
    minlength: PASSWORD_CHARACTERS_MIN,
  });
  const again = h("input", { type: "password", name: "again", autocomplete: "new-password", required: true });
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    error.textContent = replacement.value === again.value ? "" : t("password.differs");
    if (error.textContent) return;
    try {
      await changePassword(old.value, replacement.value);
      toast(t("password.changed"), "good");
      done();
    } catch (problem) {
      error.textContent = problem instanceof Problem ? problem.toldBy(labels) : String(problem);
    }
  };
  return h(
    "form",
    { class: "stack", onsubmit: submit },
    field(labels.old, old),
    field(labels.new, replacement, t("password.rule", { n: PASSWORD_CHARACTERS_MIN })),
    field(t("password.again"), again),
    error,
    h("button", { class: "primary", type: "submit" }, t("password.change")),
  );
}

/**
 * The page of a password that must change.
 * @param {HTMLElement} root
 * @param {boolean} forced
 */
export function mountPassword(root, forced) {
  const why = forced ? h("p", { class: "dim" }, t("password.forced")) : null;
  const leave = h("button", { class: "quiet", onclick: () => void signOut().catch(complain) }, t("signout"));
  const card = h(
    "div",
    { class: "card" },
    h("h1", { class: "brand" }, t("password.change")),
    why,
    passwordForm(() => undefined),
    leave,
  );
  root.append(h("main", { class: "gate" }, card));
  card.querySelector("input")?.focus();
}

export function openPassword() {
  const dialog = openDialog(
    t("password.change"),
    h(
      "div",
      { class: "body" },
      passwordForm(() => dialog.close()),
    ),
  );
}
