/** The button that changes the language; its name begins with what it shows (WCAG 2.5.3). */

import { h } from "../kit/dom.js";
import { language, t } from "../kit/i18n.js";

const SHOWN = "中 / EN";

export function languageButton() {
  const change = () => language.set(language.value === "en" ? "zh-CN" : "en");
  return h("button", { class: "quiet", onclick: change, "aria-label": `${SHOWN} ${t("language")}`, lang: "mul" }, SHOWN);
}
