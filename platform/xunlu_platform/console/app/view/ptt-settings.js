/** Settings of this desk's radio: the pedal. */

import { h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { pedal } from "../state/talk.js";
import { openDialog } from "./dialog.js";
import { focusKey } from "./ptt-key.js";
import { field } from "./sign-in.js";

const PEDALS = ["F13", "F14", "F15", "F16", "F2", "F4", "F8", "F9", "F10"];

export function openTalkSettings() {
  const options = [h("option", { value: "" }, t("none")), ...PEDALS.map((name) => h("option", { value: name }, name))];
  const choice = h("select", { onchange: () => pedal.set(choice.value) }, options);
  choice.value = pedal.value;
  const body = h("div", { class: "body stack-body" }, field(t("talk.pedal"), choice, t("talk.pedal.hint")));
  focusKey();
  openDialog(t("talk.settings"), body);
}
