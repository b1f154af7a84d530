/** The page of the radio net: what was said, and what was ordered by text. */

import { fill, h, icon, markCurrent } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { may } from "../net/session.js";
import { route } from "../router.js";
import { mountBurstList } from "./bursts.js";
import { mountOrders } from "./orders.js";

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountTalkPage(root, scope) {
  const bursts = h("a", { href: "/talk" }, icon("radio"), t("bursts"));
  const orders = h("a", { href: "/talk/orders" }, icon("message-square"), t("orders"));
  const tabs = may("recordings") ? [bursts, orders] : [orders];
  const head = h("header", { class: "page-head" }, h("h1", {}, t("talk")), h("nav", { class: "tabs", "aria-label": t("talk") }, tabs));
  const body = h("div", {});
  root.append(h("div", { class: "page main" }, head, body));
  let inner = scope.inner();
  let shown = "";
  scope.read(route, ({ path }) => {
    if (path === shown || !path.startsWith("/talk")) return;
    shown = path;
    inner.close();
    inner = scope.inner();
    fill(body);
    const listed = path === "/talk" && may("recordings");
    markCurrent(tabs, ({ pathname }) => pathname === (listed ? "/talk" : "/talk/orders"));
    if (listed) mountBurstList(body, inner);
    else mountOrders(body, inner);
  });
}
