/** Orders for who holds the telephone: they count as delivered when they are shown, as read when it is said or they were heard to the end. */

import { fill, h, icon } from "../kit/dom.js";
import { when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { get, Problem } from "../net/http.js";
import { groups, net } from "../state/talk.js";
import { askNote, isPlaying } from "../talk/note.js";
import { askOrder, content, deliveries, isUnread, readButton, sayRead } from "../talk/order.js";
import { hasRecipients } from "../talk/recipients.js";
import { me } from "../net/session.js";
import { complain } from "../view/notice.js";
import { aloud, speak, tell, touched, voiceFor, voices } from "./voice.js";

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
  /** @type {Order[]} */
  let orders = [];
  const show = () => {
    tellNew(orders.toReversed());
    fill(list, orders.length ? orders.map((order) => row(order, load)) : h("li", { class: "dim" }, t("orders.none")));
  };
  const load = async () => {
    try {
      const { items } = await get(`/messages?limit=${SHOWN_MAX}`);
      const fresh = JSON.stringify(items);
      if (scope.closed || fresh === shown || isPlaying(list)) return;
      shown = fresh;
      orders = items;
      show();
    } catch (problem) {
      // The next turn makes it good; the radio says that the network is away.
      if (!(problem instanceof Problem)) throw problem;
    }
  };
  const tellNew = teller(scope, load);
  const write = h("button", { onclick: () => askOrder(null, () => void load()) }, icon("message-square"), t("order.write"));
  const note = h("button", { onclick: () => askNote(null, { sent: () => void load() }) }, icon("mic"), t("note.leave"));
  scope.read(groups, () => (write.disabled = note.disabled = !hasRecipients()));
  page.append(h("section", {}, h("h2", { class: "dim" }, t("orders")), h("div", { class: "phone-row" }, write, note), ...aloudKey(scope), list));
  // What is unread for this account is known once the radio has said who that is.
  scope.read(net, () => void (shown && !isPlaying(list) && show()));
  scope.every(RELOAD_MS, () => void (document.hidden || load()));
}

/**
 * Tells each order that is new here once, one after the other; what was spoken to its end counts as read.
 * @param {import("../kit/store.js").Scope} scope
 * @param {() => Promise<void>} reload
 * @returns {(orders: Order[]) => void}
 */
function teller(scope, reload) {
  /** @type {Set<string>} */
  const known = new Set();
  return (orders) => {
    for (const order of orders) {
      if (order.text === null || !order.speak || !isUnread(order) || known.has(order.id)) continue;
      known.add(order.id);
      void tell(order.text, () => !scope.closed)
        .then((spoken) => (spoken ? sayRead(order, reload) : undefined))
        .catch(complain);
    }
  };
}

/** The key that lets orders be read aloud, and what becomes of them. @param {import("../kit/store.js").Scope} scope */
function aloudKey(scope) {
  const key = h("button", { class: "phone-aloud" }, icon("megaphone"), t("phone.aloud"));
  const how = h("p", { class: "dim", role: "status" });
  key.onclick = () => {
    aloud.set(!aloud.value);
    if (aloud.value) void speak(t("phone.aloud.on"));
  };
  const paint = () => {
    key.setAttribute("aria-pressed", String(aloud.value));
    const spoken = !voiceFor(t("phone.aloud.on")) ? "none" : touched.value ? "on" : "touch";
    how.textContent = t(`phone.aloud.${aloud.value ? spoken : "off"}`);
  };
  for (const store of [aloud, touched, voices]) scope.read(/** @type {import("../kit/store.js").Store<any>} */ (store), paint);
  return [key, how];
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
