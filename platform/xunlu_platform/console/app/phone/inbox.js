/** Orders by text for who holds the telephone: they count as delivered when they are shown, as read when it is said. */

import { fill, h, icon } from "../kit/dom.js";
import { when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { get, post, Problem } from "../net/http.js";
import { myself } from "../state/talk.js";
import { busy } from "../view/notice.js";

/** @typedef {import("../types").TextOrder} TextOrder */

const RELOAD_MS = 10_000;
const SHOWN_MAX = 20;

/**
 * @param {HTMLElement} page
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountInbox(page, scope) {
  const list = h("ol", { class: "phone-orders" });
  page.append(h("section", {}, h("h2", { class: "dim" }, t("orders")), list));
  let shown = "";
  const load = async () => {
    try {
      const { items } = await get(`/messages?limit=${SHOWN_MAX}`);
      const told = JSON.stringify(items);
      if (scope.closed || told === shown) return;
      shown = told;
      fill(list, items.length ? items.map((/** @type {TextOrder} */ order) => row(order, load)) : h("li", { class: "dim" }, t("orders.none")));
    } catch (problem) {
      // The next turn makes it good; the radio says that the network is away.
      if (!(problem instanceof Problem)) throw problem;
    }
  };
  scope.every(RELOAD_MS, () => void (document.hidden || load()));
}

/**
 * @param {TextOrder} order
 * @param {() => Promise<void>} reload
 */
function row(order, reload) {
  const mine = order.targets.find(({ id }) => id === myself());
  const read = h("button", {}, icon("check-check"), t("order.read"));
  read.onclick = () => void busy(read, async () => void (await post(`/messages/${encodeURIComponent(order.id)}/read`), await reload()));
  return h(
    "li",
    { class: mine && mine.state !== "read" ? "fresh" : null },
    h("div", { class: "row dim" }, h("time", { class: "num" }, when(order.created_at)), h("span", { class: "grow" }, order.by)),
    h("p", {}, order.text),
    mine && mine.state !== "read" ? read : null,
  );
}
