/** Talk to an officer, or to those on a list. */

import { h, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { callOfficer, gatherGroup, mayMakeGroups, suggestedName } from "../state/calls.js";
import { fleet } from "../state/fleet.js";
import { ask } from "../view/dialog.js";
import { busy } from "../view/notice.js";
import { callKey } from "../view/ptt-call.js";
import { focusKey } from "../view/ptt-key.js";
import { askNote } from "../talk/note.js";
import { askOrder } from "../talk/order.js";
import { deviceTitle } from "../view/device-sign.js";

/** How many of those who are nearest are called unless another number is given. */
const NEAREST = 5;

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 * @param {string} did
 */
export function mountTalk(root, scope, did) {
  const device = fleet.devices.get(did);
  const who = device ? deviceTitle(device) : did;
  const call = h("button", { class: "primary" });
  callKey(call, did, scope);
  const talkBoth = async () => {
    await callOfficer(did, true);
    focusKey();
  };
  const both = h("button", { onclick: () => void busy(both, talkBoth) }, icon("phone"), t("talk.call.duplex"));
  const order = h("button", { onclick: () => askOrder({ to: did, name: who }) }, icon("message-square"), t("order.write"));
  const note = h("button", { onclick: () => askNote({ to: did, name: who }) }, icon("mic"), t("note.leave"));
  root.append(h("div", { class: "actions", role: "group", "aria-label": t("talk") }, mayMakeGroups() ? [call, both] : null, order, note));
}

/** A group of everybody on a list, or of the first ones where it goes by distance. @param {import("../state/desk.js").Gathered} list */
export function gatherTools({ rows, nearest }) {
  const dids = rows.map(({ did }) => did);
  const make = (/** @type {"temporary" | "broadcast"} */ kind) => {
    const first = nearest ? Math.min(NEAREST, dids.length) : dids.length;
    const name = h("input", { value: suggestedName(first), required: true, maxlength: 64 });
    const count = h("input", { type: "number", value: first, required: true, min: 1, max: dids.length });
    count.oninput = () => count.validity.valid && (name.value = suggestedName(count.valueAsNumber));
    const far = { name: "count", label: t("talk.group.count"), control: count, hint: t("talk.group.count.hint", { n: dids.length }) };
    const questions = [...(nearest ? [far] : []), { name: "name", label: t("talk.group.name"), control: name }];
    const dialog = ask(t(`talk.group.${kind}`), questions, t("create"), async () => {
      await gatherGroup({ name: name.value, kind, members: dids.slice(0, count.valueAsNumber) });
      dialog.close();
      focusKey();
    });
  };
  return h(
    "div",
    { class: "actions wide-actions" },
    h("button", { class: "primary", onclick: () => make("temporary") }, icon("users"), t("talk.group.temporary")),
    h("button", { onclick: () => make("broadcast") }, icon("megaphone"), t("talk.group.broadcast")),
  );
}
