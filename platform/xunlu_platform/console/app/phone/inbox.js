/** Orders for who holds the telephone: they count as delivered when they are shown, as read when it is said or they were heard. */

import { fill, h, icon } from "../kit/dom.js";
import { when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { get, Problem } from "../net/http.js";
import { groups } from "../state/talk.js";
import { askNote, isPlaying } from "../talk/note.js";
import { askOrder, content, deliveries, isUnread, readButton } from "../talk/order.js";
import { hasRecipients } from "../talk/recipients.js";
import { me } from "../net/session.js";

/** @typedef {import("../types").Order} Order */

const RELOAD_MS = 10_000;
const SHOWN_MAX = 20;

/**
 * @param {HTMLElement} page
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountInbox(page, scope) {
  const list = h("ol", { class: "phone-orders" });
  let shown = "";
  const load = async () => {
    try {
      const { items } = await get(`/messages?limit=${SHOWN_MAX}`);
      const told = JSON.stringify(items);
      if (scope.closed || told === shown || isPlaying(list)) return;
      shown = told;
      fill(list, items.length ? items.map((/** @type {Order} */ order) => row(order, load)) : h("li", { class: "dim" }, t("orders.none")));
    } catch (problem) {
      // The next turn makes it good; the radio says that the network is away.
      if (!(problem instanceof Problem)) throw problem;
    }
  };
  const write = h("button", { onclick: () => askOrder(null, () => void load()) }, icon("message-square"), t("order.write"));
  const note = h("button", { onclick: () => askNote(null, { sent: () => void load() }) }, icon("mic"), t("note.leave"));
  scope.read(groups, () => (write.disabled = note.disabled = !hasRecipients()));
  page.append(h("section", {}, h("h2", { class: "dim" }, t("orders")), h("div", { class: "phone-row" }, write, note), list));
  scope.every(RELOAD_MS, () => void (document.hidden || load()));
}

/**
 * @param {Order} order
 * @param {() => Promise<void>} reload
 */
function row(order, reload) {
  const ours = order.by === me.value?.username;
  return h(
    "li",
    { class: isUnread(order) ? "fresh" : null },
    h("div", { class: "row dim" }, h("time", { class: "num" }, when(order.created_at)), h("span", { class: "grow" }, order.by)),
    h("p", {}, content(order, reload)),
    ours ? deliveries(order) : readButton(order, reload),
  );
}
