/** The organisation: district, squads, teams; what each has. */

import { fill, h, icon } from "../kit/dom.js";
import { count } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { patch, post } from "../net/http.js";
import { may } from "../net/session.js";
import { fleet } from "../state/fleet.js";
import { countUnits, loadUnits, unitsInOrder, units } from "../state/organisation.js";
import { ask } from "../view/dialog.js";
import { unitSelect } from "./choices.js";

/** @typedef {import("../types").Unit} Unit */

const KINDS = ["squad", "team"];

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountOrganisation(root, scope) {
  const body = h("tbody");
  const head = h(
    "tr",
    {},
    ["unit", "unit.kind", "state.duty", "count.total", ""].map((label) =>
      h("th", { scope: "col" }, label ? t(label) : ""),
    ),
  );
  root.append(
    h(
      "div",
      { class: "main" },
      h("header", { class: "page-head" }, h("h1", {}, t("organisation"))),
      h("div", { class: "listing" }, h("table", {}, h("thead", {}, head), body)),
    ),
  );
  const paint = () => {
    const counts = countUnits();
    fill(
      body,
      unitsInOrder().map(({ unit, depth }) => row(unit, depth, counts.get(unit.id))),
    );
  };
  scope.read(units, paint);
  scope.read(fleet.loaded, paint);
}

/**
 * @param {Unit} unit
 * @param {number} depth
 * @param {import("../state/organisation.js").Counts | undefined} counts
 */
function row(unit, depth, counts) {
  const name = h(
    "td",
    { style: { "padding-left": `${10 + depth * 22}px` } },
    h("span", { class: "row" }, icon("building-2"), unit.name),
  );
  const actions = may("organisation")
    ? [
        h("button", { class: "quiet", onclick: () => addUnit(unit) }, icon("plus"), t("unit.add")),
        h("button", { class: "quiet", onclick: () => editUnit(unit) }, icon("pencil"), t("edit")),
      ]
    : [];
  return h(
    "tr",
    {},
    name,
    h("td", {}, t(`unit.${unit.kind}`)),
    h("td", { class: "num" }, count(counts?.present ?? 0)),
    h("td", { class: "num" }, count(counts?.total ?? 0)),
    h("td", { class: "end" }, actions),
  );
}

/** @param {Unit} parent */
function addUnit(parent) {
  const questions = [
    { name: "name", label: t("unit.name"), control: h("input", { required: true, maxlength: 100 }) },
    {
      name: "kind",
      label: t("unit.kind"),
      control: h(
        "select",
        {},
        KINDS.map((kind) =>
          h("option", { value: kind, selected: (parent.kind === "district") === (kind === "squad") }, t(`unit.${kind}`)),
        ),
      ),
    },
  ];
  ask(t("unit.add.below", { name: parent.name }), questions, t("create"), async ({ name, kind }) => {
    await post("/units", { parent_id: parent.id, kind, name });
    await loadUnits();
  });
}

/** @param {Unit} unit */
function editUnit(unit) {
  const parent = unitSelect(unit.parent_id);
  const questions = [
    { name: "name", label: t("unit.name"), control: h("input", { required: true, maxlength: 100, value: unit.name }) },
  ];
  const movable = unit.parent_id !== null && units.value.some(({ id }) => id === unit.parent_id);
  const all = movable ? [...questions, { name: "parent", label: t("unit.parent"), control: parent }] : questions;
  ask(t("edit"), all, t("save"), async ({ name, parent: parent_id }) => {
    const moved = parent_id && Number(parent_id) !== unit.parent_id ? { parent_id: Number(parent_id) } : {};
    await patch(`/units/${unit.id}`, { name, ...moved });
    await loadUnits();
  });
}
