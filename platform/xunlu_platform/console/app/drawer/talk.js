/** Talk to an officer, or to those on a list. */

import { h, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { callOfficer, gatherGroup, mayMakeGroups, suggestedName } from "../state/calls.js";
import { fleet } from "../state/fleet.js";
import { ask } from "../view/dialog.js";
import { busy } from "../view/notice.js";
import { askOrder } from "../talk/order.js";
import { deviceTitle } from "../view/device-sign.js";

/** @param {HTMLElement} root @param {string} did */
export function mountTalk(root, did) {
  const device = fleet.devices.get(did);
  const who = device ? deviceTitle(device) : did;
  const call = h("button", { class: "primary", onclick: () => void busy(call, () => callOfficer(did)) }, icon("mic"), t("talk.call"));
  const both = h("button", { onclick: () => void busy(both, () => callOfficer(did, true)) }, icon("phone"), t("talk.call.duplex"));
  const order = h("button", { onclick: () => askOrder(did, who) }, icon("message-square"), t("order.write"));
  root.append(h("div", { class: "actions", role: "group", "aria-label": t("talk") }, mayMakeGroups() ? [call, both] : null, order));
}

/** A group of everybody on a list. @param {{title: string, rows: {did: string}[]}} list */
export function gatherTools(list) {
  const dids = list.rows.map(({ did }) => did);
  const make = (/** @type {"temporary" | "broadcast"} */ kind) => {
    const control = h("input", { value: suggestedName(dids.length), required: true, maxlength: 64 });
    ask(t(`talk.group.${kind}`), [{ name: "name", label: t("talk.group.name"), control }], t("create"), ({ name }) =>
      gatherGroup(name ?? "", dids, kind),
    );
  };
  return h(
    "div",
    { class: "actions wide-actions" },
    h("button", { class: "primary", onclick: () => make("temporary") }, icon("users"), t("talk.group.temporary")),
    h("button", { onclick: () => make("broadcast") }, icon("megaphone"), t("talk.group.broadcast")),
  );
}
