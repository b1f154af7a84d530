/** Orders, newest first, with what became of each; and giving one to any group or unit. */

import { h, icon } from "../kit/dom.js";
import { when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { fleet } from "../state/fleet.js";
import { groups, net } from "../state/talk.js";
import { Listing } from "../manage/listing.js";
import { deviceTitle } from "../view/device-sign.js";
import { askNote, isPlaying } from "./note.js";
import { askOrder, content, deliveries, readButton } from "./order.js";
import { groupWords, hasRecipients } from "./recipients.js";

/** @typedef {import("../types").Order} Order */

const RELOAD_MS = 10_000;

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountOrders(root, scope) {
  const reload = () => void list.refresh("/messages");
  /** @type {Listing<Order>} */
  const list = new Listing(
    [
      { label: "time", cell: (row) => when(row.created_at), kind: "num" },
      { label: "order.by", cell: (row) => row.by },
      { label: "order.for", cell: nameOf },
      { label: "order.text", cell: (row) => content(row, reload) },
      { label: "order.states", cell: deliveries },
      { label: "", cell: (row) => readButton(row, reload), kind: "end" },
    ],
    { title: t("orders.none"), detail: t("orders.none.do"), icon: "message-square" },
  );
  const write = h("button", { class: "primary", onclick: () => askOrder(null, reload) }, icon("message-square"), t("order.write"));
  const note = h("button", { onclick: () => askNote(null, { sent: reload }) }, icon("mic"), t("note.leave"));
  scope.read(groups, () => (write.disabled = note.disabled = !hasRecipients()));
  root.append(h("div", { class: "row filters" }, write, note), list.element);
  const paint = () => isPlaying(list.element) || list.paint();
  scope.read(fleet.loaded, paint);
  scope.read(net, paint);
  scope.every(RELOAD_MS, () => document.hidden || isPlaying(list.element) || reload());
}

/** @param {Order} order */
function nameOf(order) {
  const device = fleet.devices.get(order.to);
  return device ? deviceTitle(device) : groupWords(order);
}
