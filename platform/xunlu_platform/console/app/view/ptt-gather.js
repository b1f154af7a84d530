/** A group of whole units: everybody who belongs to them, whoever that is at the time. */

import { h, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { gatherGroup } from "../state/calls.js";
import { unitById, unitsInOrder } from "../state/organisation.js";
import { ask } from "./dialog.js";

const KINDS = /** @type {const} */ (["broadcast", "temporary"]);
/** A figure space a level: options of a list cannot be indented otherwise. */
const INDENT = "\u2007\u2007";

/** @param {() => void} made */
export function gatherButton(made) {
  return h("button", { onclick: () => askUnits(made) }, icon("plus"), t("talk.group.new"));
}

/** @param {() => void} made */
function askUnits(made) {
  const kind = h("select", {}, KINDS.map((name) => h("option", { value: name }, t(`talk.kind.${name}`))));
  const options = unitsInOrder().map(({ unit, depth }) => h("option", { value: unit.id }, INDENT.repeat(depth) + unit.name));
  const unit = h("select", { required: true }, options);
  const name = h("input", { required: true, maxlength: 64 });
  const suggest = () => (name.value = `${t(`talk.kind.${kind.value}`)} · ${unitById(Number(unit.value))?.name ?? ""}`.slice(0, 64));
  kind.onchange = unit.onchange = suggest;
  suggest();
  const questions = [
    { name: "kind", label: t("talk.group.kind"), control: kind, hint: t("talk.group.kind.hint") },
    { name: "units", label: t("talk.group.unit"), control: unit, hint: t("talk.group.unit.hint") },
    { name: "name", label: t("talk.group.name"), control: name },
  ];
  ask(t("talk.group.new"), questions, t("create"), async () => {
    const chosen = KINDS.find((one) => one === kind.value) ?? "broadcast";
    await gatherGroup({ name: name.value, kind: chosen, units: [Number(unit.value)] });
    made();
  });
}
