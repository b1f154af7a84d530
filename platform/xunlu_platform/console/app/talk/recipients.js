/** To whom an order may go: every group that one is in or may talk to, and whole units where a desk commands them. */

import { h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { mayMakeGroups } from "../state/calls.js";
import { unitById, unitsInOrder } from "../state/organisation.js";
import { groupOf, groups, mainGroup } from "../state/talk.js";

/**
 * @typedef {object} Recipient
 * @property {string} to a device, an account or a talk group
 * @property {boolean} below of a unit's group, everybody of the unit and of those below
 */

/** A unit's own group. */
const UNIT_GROUP = /^unit-(\d+)$/;
const BELOW = "below:";

/** @returns {boolean} whether there is anybody to write to */
export const hasRecipients = () => groups.value.length > 0;

/** A choice of one; `read` says who was chosen. */
export function recipientChoice() {
  const chosen = mainGroup()?.gid;
  const named = groups.value.map(({ gid, name }) => h("option", { value: gid, selected: gid === chosen }, name));
  const units = mayMakeGroups()
    ? unitsInOrder().map(({ unit, depth }) => h("option", { value: `${BELOW}unit-${unit.id}` }, "　".repeat(depth) + unit.name))
    : [];
  const select = h(
    "select",
    { required: true },
    h("optgroup", { label: t("order.recipient.groups") }, named),
    units.length ? h("optgroup", { label: t("order.recipient.units") }, units) : null,
  );
  /** @returns {Recipient} */
  const read = () => ({ to: select.value.replace(BELOW, ""), below: select.value.startsWith(BELOW) });
  return { select, read };
}

/** The name of a group, as far as this desk knows it. @param {Recipient} recipient */
export function groupWords({ to, below }) {
  const unit = unitById(Number(UNIT_GROUP.exec(to)?.[1]));
  const name = groupOf(to)?.name ?? unit?.name ?? to;
  return below ? t("order.below", { name }) : name;
}
