/** Orders by text: to write one, and what became of it at each who should get it. */

import { h } from "../kit/dom.js";
import { when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { post } from "../net/http.js";
import { ask } from "../view/dialog.js";
import { toast } from "../view/notice.js";

/** @typedef {import("../types").TextOrder} TextOrder */

const TEXT_CHARACTERS_MAX = 500;

/**
 * @param {string} to a device or a talk group
 * @param {string} name for the title
 * @param {() => void} [sent]
 */
export function askOrder(to, name, sent = () => undefined) {
  const control = h("textarea", { rows: 3, maxlength: TEXT_CHARACTERS_MAX, required: true });
  const speak = h("select", {}, h("option", { value: "yes" }, t("order.speak")), h("option", { value: "" }, t("order.silent")));
  const questions = [
    { name: "text", label: t("order.text"), control },
    { name: "speak", label: t("order.how"), control: speak, hint: t("order.hint") },
  ];
  ask(t("order.to", { name }), questions, t("send"), async ({ text, speak: spoken }) => {
    await post("/messages", { to, text, speak: spoken === "yes" });
    toast(t("order.sent"), "good");
    sent();
  });
}

/** How far it came, at each of them. @param {TextOrder} order */
export function deliveries({ targets }) {
  return h(
    "span",
    { class: "row wrap" },
    targets.map(({ name, state, delivered_at, read_at, why }) =>
      h(
        "span",
        { class: `tag ${state === "read" ? "good" : state === "failed" ? "bad" : state === "delivered" ? "info" : ""}`, title: why ?? when(read_at ?? delivered_at) },
        `${name} · ${t(`order.state.${state}`)}`,
      ),
    ),
  );
}
