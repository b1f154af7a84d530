/** Choices that several pages offer: units, roles, officers. */

import { fill, h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { matches } from "../kit/pinyin.js";
import { getAll } from "../net/http.js";
import { unitName, unitsInOrder } from "../state/organisation.js";

/** Roles, the least first. */
const ROLES = ["officer", "clerk", "dispatcher", "evidence", "auditor", "supervisor", "administrator"];

/**
 * @param {number | null} [chosen]
 * @param {string} [all] words of a choice without a unit
 */
export function unitSelect(chosen = null, all = "") {
  const options = unitsInOrder().map(({ unit, depth }) =>
    h("option", { value: unit.id, selected: unit.id === chosen }, `${"　".repeat(depth)}${unit.name}`),
  );
  return h("select", { "aria-label": t("unit") }, all ? h("option", { value: "" }, all) : null, options);
}

/** @param {string} [chosen] */
export function roleSelect(chosen = "dispatcher") {
  return h(
    "select",
    {},
    ROLES.map((role) => h("option", { value: role, selected: role === chosen }, t(`role.${role}`))),
  );
}

/**
 * Whole local days as the bounds of a query.
 * @param {string} from `YYYY-MM-DD`, empty for no bound
 * @param {string} to the last day that counts
 */
export function periodOf(from, to) {
  const start = (/** @type {string} */ date) => new Date(`${date}T00:00:00`);
  const end = to ? start(to) : null;
  end?.setDate(end.getDate() + 1);
  return { from: from ? start(from).toISOString() : null, to: end?.toISOString() ?? null };
}

/**
 * An officer, found by typing number, name or pinyin; who wears nothing comes first, and nobody is chosen before
 * something was typed. The value is the officer's id.
 * @param {(officer: import("../types").Officer) => boolean} fits
 * @param {boolean} [optional] nobody can be chosen
 * @param {number | null} [chosen] stays in the list whatever is typed
 */
export async function officerPicker(fits, optional = false, chosen = null) {
  /** @type {import("../types").Officer[]} */
  const officers = (await getAll("/officers")).filter(fits);
  officers.sort((a, b) => Number(Boolean(a.device)) - Number(Boolean(b.device)));
  const select = h("select", { size: 8, required: !optional });
  const paint = (/** @type {string} */ text) => {
    const found = officers.filter(
      (officer) => officer.id === chosen || matches(`${officer.number} ${officer.name} ${officer.pinyin}`.toLowerCase(), text),
    );
    const isChosen = (/** @type {import("../types").Officer} */ officer, /** @type {number} */ i) =>
      optional ? officer.id === chosen : text !== "" && i === 0;
    const label = (/** @type {import("../types").Officer} */ officer) =>
      `${officer.number}　${officer.name}　${unitName(officer.unit_id)}${officer.device ? `　(${t("officer.wears", { did: officer.device })})` : ""}`;
    fill(
      select,
      optional ? h("option", { value: "" }, t("nobody")) : null,
      found.map((officer, i) => h("option", { value: officer.id, selected: isChosen(officer, i) }, label(officer))),
    );
  };
  const filter = h("input", {
    type: "search",
    placeholder: t("officer.find"),
    "aria-label": t("officer.find"),
    oninput: () => paint(filter.value.trim()),
  });
  paint("");
  return { select, filter };
}
