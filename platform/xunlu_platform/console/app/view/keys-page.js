/** The page of keys: what works right now, listed by the same registry that runs it. */

import { h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { activeShortcuts, keysEnabled } from "../kit/keys.js";
import { openDialog } from "./dialog.js";

const NAMES = new Map([
  ["Escape", "Esc"],
  ["Ctrl+K", "Ctrl K"],
  ["ArrowLeft", "← → ↑ ↓"],
  ["Delete", "Del"],
]);

export function openKeys() {
  const first = new Map(
    activeShortcuts()
      .reverse()
      .map((shortcut) => [shortcut.label, shortcut]),
  );
  const rows = [...first.values()]
    .reverse()
    .map(({ key, label }) => h("tr", {}, h("td", {}, h("kbd", {}, NAMES.get(key) ?? key)), h("td", {}, t(label))));
  const toggle = h("input", {
    type: "checkbox",
    checked: keysEnabled.value,
    onchange: () => keysEnabled.set(toggle.checked),
  });
  const choice = h("label", { class: "row" }, toggle, t("keys.single"));
  openDialog(t("keys"), h("div", { class: "body stack-body" }, h("table", { class: "keys" }, h("tbody", {}, rows)), choice));
}
