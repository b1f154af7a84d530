/** Orders by text, newest first, with what became of each; and writing one to the main group. */

import { h, icon } from "../kit/dom.js";
import { when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { fleet } from "../state/fleet.js";
import { groupOf, groups, mainGroup, tuning } from "../state/talk.js";
import { Listing } from "../manage/listing.js";
import { deviceTitle } from "../view/device-sign.js";
import { askOrder, deliveries } from "./order.js";

/** @typedef {import("../types").TextOrder} TextOrder */

const RELOAD_MS = 10_000;

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountOrders(root, scope) {
  /** @type {Listing<TextOrder>} */
  const list = new Listing(
    [
      { label: "time", cell: (row) => when(row.created_at), kind: "num" },
      { label: "order.by", cell: (row) => row.by },
      { label: "order.for", cell: (row) => nameOf(row.to) },
      { label: "order.text", cell: (row) => row.text },
      { label: "order.states", cell: deliveries },
    ],
    { title: t("orders.none"), detail: t("orders.none.do"), icon: "message-square" },
  );
  const reload = () => void list.refresh("/messages");
  const write = h("button", { class: "primary" }, icon("message-square"), t("order.group"));
  write.onclick = () => {
    const group = mainGroup();
    if (group) askOrder(group.gid, group.name, reload);
  };
  const settle = () => (write.disabled = mainGroup() === null);
  scope.read(groups, settle);
  scope.read(tuning, settle);
  root.append(h("div", { class: "row filters" }, write), list.element);
  scope.every(RELOAD_MS, () => document.hidden || reload());
}

/** @param {string} to */
function nameOf(to) {
  const device = fleet.devices.get(to);
  return device ? deviceTitle(device) : (groupOf(to)?.name ?? to);
}
