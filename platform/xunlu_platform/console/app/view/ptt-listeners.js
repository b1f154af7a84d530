/** Who is tuned to a group now: a count that opens the list, which follows those who come and go. */

import { h, icon, refill } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { Scope } from "../kit/store.js";
import { showDevice } from "../command/show.js";
import { fleet } from "../state/fleet.js";
import { groupOf, members, myself, talks } from "../state/talk.js";
import { openDialog } from "./dialog.js";
import { notice } from "./notice.js";
import { focusKey } from "./ptt-key.js";

/** Those tuned to a group. @param {string} gid */
const listenersOf = (gid) => members.value.get(gid) ?? [];

/** @param {string} gid */
export function listenersButton(gid) {
  const button = h("button", { class: "quiet num", "aria-haspopup": "dialog", "data-key": "heard" });
  paintListeners(button, gid);
  return button;
}

/** Make a button tell how many are tuned, and open the list of them. @param {HTMLButtonElement} button @param {string} gid */
export function paintListeners(button, gid) {
  const n = listenersOf(gid).length;
  const words = t("talk.listeners.of", { n, name: groupOf(gid)?.name ?? gid });
  refill(button, icon("users"), t("people", { n }));
  button.title = words;
  button.setAttribute("aria-label", words);
  button.onclick = () => openListeners(gid);
}

/** @param {string} gid */
function openListeners(gid) {
  if (!document.querySelector("dialog[open]")) focusKey();
  const scope = new Scope();
  const list = h("ul", { class: "groups" });
  const dialog = openDialog(t("talk.listeners", { name: groupOf(gid)?.name ?? gid }), h("div", { class: "body stack-body" }, list));
  const paint = () => {
    const rows = listenersOf(gid).map((peer) => row(peer, gid, dialog));
    refill(list, rows.length ? rows : h("li", {}, notice(t("talk.listeners.none"), t("talk.listeners.none.do"), "headphones")));
  };
  scope.read(members, paint);
  scope.read(talks, paint);
  dialog.addEventListener("close", () => scope.close());
}

/**
 * @param {import("../types").TalkPeer} peer
 * @param {string} gid
 * @param {HTMLDialogElement} dialog
 */
function row({ id, name, number, did }, gid, dialog) {
  const talking = talks.value.get(gid)?.talker.id === id;
  const show = () => {
    dialog.close();
    showDevice(did ?? null);
  };
  const words = t("talk.listeners.show", { name });
  return h(
    "li",
    { class: "row", "data-key": id, "data-id": id },
    icon(talking ? "mic" : "headphones"),
    h("b", { class: "ellipsis" }, name),
    h("span", { class: "faint num grow" }, number ?? ""),
    id === myself() ? h("span", { class: "tag" }, t("talk.me")) : null,
    talking ? h("span", { class: "is-talk" }, t("talk.talks")) : null,
    did && fleet.devices.has(did) ? h("button", { class: "quiet", title: words, "aria-label": words, onclick: show }, icon("crosshair")) : null,
  );
}
