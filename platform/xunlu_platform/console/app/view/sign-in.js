/** Signing in. The click also lets the browser sound the alarm later. */

import { h, icon } from "../kit/dom.js";
import { language, t } from "../kit/i18n.js";
import { armSound } from "../kit/sound.js";
import { theme } from "../kit/theme.js";
import { signIn } from "../net/session.js";

/** @param {HTMLElement} root */
export function mountSignIn(root) {
  const error = h("p", { class: "problem", role: "alert" });
  const username = h("input", {
    name: "username",
    autocomplete: "username",
    required: true,
    autocapitalize: "none",
    spellcheck: "false",
  });
  const password = h("input", { name: "password", type: "password", autocomplete: "current-password", required: true });
  const button = h("button", { class: "primary", type: "submit" }, t("signin.do"));
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    armSound();
    button.disabled = true;
    error.textContent = "";
    try {
      await signIn(username.value.trim(), password.value);
    } catch (problem) {
      error.textContent = problem instanceof Error ? problem.message : String(problem);
      password.select();
    } finally {
      button.disabled = false;
    }
  };
  const form = h(
    "form",
    { class: "stack", onsubmit: submit },
    field(t("username"), username),
    field(t("password"), password),
    error,
    button,
  );
  const brand = h("h1", { class: "brand" }, t("brand"), h("small", {}, t("brand.long")));
  root.append(h("main", { class: "gate" }, h("div", { class: "card" }, brand, form, switches())));
  username.focus();
}

/**
 * @param {string} label
 * @param {HTMLElement} control
 * @param {string} [hint]
 */
export function field(label, control, hint) {
  return h("label", { class: "field" }, h("span", {}, label), control, hint ? h("small", {}, hint) : null);
}

function switches() {
  const other = language.value === "en" ? "中文" : "English";
  const speak = () => language.set(language.value === "en" ? "zh-CN" : "en");
  const paint = () => theme.set(theme.value === "dark" ? "light" : "dark");
  return h(
    "div",
    { class: "ends" },
    h("button", { class: "quiet", onclick: speak }, icon("languages"), other),
    h("button", { class: "quiet", onclick: paint, "aria-label": t("theme") }, icon("sun")),
  );
}
