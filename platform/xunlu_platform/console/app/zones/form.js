/** What a zone is called, whom it concerns and when: the form beside a drawing. */

import { fill, h, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { getAll } from "../net/http.js";
import { unitsInOrder } from "../state/organisation.js";
import { complain } from "../view/notice.js";
import { field } from "../view/sign-in.js";
import { unitSelect } from "../manage/choices.js";
import { KINDS } from "./zones.js";

/** @typedef {import("./zones.js").Zone} Zone */

const SEVERITIES = [0, 1, 2];
const DAYS = [1, 2, 3, 4, 5, 6, 7];

/**
 * @param {Zone | null} zone null: a new one
 * @param {string} [name] of a new one
 */
export function zoneForm(zone, name = "") {
  const controls = {
    name: h("input", { required: true, maxlength: 64, value: zone?.name ?? name }),
    kind: h("select", { disabled: zone !== null }, KINDS.map((kind) => h("option", { value: kind, selected: kind === zone?.kind }, t(`zone.kind.${kind}`)))),
    unit: unitSelect(zone?.unit.id ?? null),
    dwell: h("input", { type: "number", min: 1, max: 7 * 24 * 60, step: 1, value: zone?.dwell_s_max ? zone.dwell_s_max / 60 : "" }),
    severity: h(
      "select",
      {},
      h("option", { value: "" }, t("zone.severity.kind")),
      SEVERITIES.map((one) => h("option", { value: one, selected: one === zone?.severity }, t(`zone.severity.${one}`))),
    ),
    from: h("input", { type: "time", value: zone?.window_from ?? "", "aria-label": t("zone.window.from") }),
    to: h("input", { type: "time", value: zone?.window_to ?? "", "aria-label": t("zone.window.to") }),
  };
  controls.unit.disabled = zone !== null;
  const days = DAYS.map((day) => h("input", { type: "checkbox", value: day, checked: zone?.weekdays?.includes(day) ?? false }));
  const people = audience(zone);
  const weekdays = h("div", { class: "row wrap", role: "group", "aria-label": t("zone.weekdays") }, days.map((box, i) => h("label", { class: "row" }, box, t(`weekday.${i + 1}`))));
  const window = h("div", { class: "stack-body" }, h("div", { class: "row" }, controls.from, "–", controls.to), weekdays);
  const element = h(
    "div",
    { class: "stack-body" },
    field(t("zone.name"), controls.name),
    field(t("zone.kind"), controls.kind, t("zone.kind.hint")),
    field(t("unit"), controls.unit),
    people.element,
    field(t("zone.dwell"), controls.dwell, t("zone.dwell.hint")),
    field(t("zone.severity"), controls.severity, t("zone.severity.hint")),
    h("fieldset", { class: "field" }, h("legend", {}, t("zone.window")), window, h("small", {}, t("zone.window.hint"))),
  );
  const chosenDays = () => days.flatMap((box) => (box.checked ? [Number(box.value)] : []));
  return {
    element,
    controls,
    /** The values as the interface takes them; unit and kind of a zone stay what they are. */
    read: () => ({
      name: controls.name.value.trim(),
      dwell_s_max: controls.dwell.value ? Math.round(Number(controls.dwell.value) * 60) : null,
      severity: controls.severity.value ? Number(controls.severity.value) : null,
      window_from: controls.from.value || null,
      window_to: controls.to.value || null,
      weekdays: chosenDays().length ? chosenDays() : null,
      ...people.read(),
      ...(zone ? {} : { unit_id: Number(controls.unit.value), kind: controls.kind.value }),
    }),
  };
}

/** Whom a zone concerns: units, and officers found by typing. @param {Zone | null} zone */
function audience(zone) {
  const known = new Set(zone?.units.map(({ id }) => id));
  const units = h(
    "select",
    { multiple: true, size: 4 },
    unitsInOrder().map(({ unit, depth }) => h("option", { value: unit.id, selected: known.has(unit.id) }, "　".repeat(depth) + unit.name)),
  );
  /** @type {Map<number, string>} */
  const officers = new Map(zone?.officers.map(({ id, name, number }) => [id, `${name} ${number}`]));
  const chosen = h("div", { class: "row wrap" });
  const paint = () =>
    fill(
      chosen,
      [...officers].map(([id, words]) => {
        const drop = () => (officers.delete(id), paint());
        return h("span", { class: "tag" }, words, h("button", { class: "quiet", type: "button", "aria-label": t("zone.officer.drop", { name: words }), onclick: drop }, icon("x")));
      }),
    );
  paint();
  const element = h(
    "div",
    { class: "stack-body" },
    field(t("zone.units"), units, t("zone.audience.hint")),
    field(t("zone.officers"), officerInput((id, words) => (officers.set(id, words), paint()))),
    chosen,
  );
  const read = () => ({ units: [...units.selectedOptions].map(({ value }) => Number(value)), officers: [...officers.keys()] });
  return { element, read };
}

/** An officer by number or name, with proposals. @param {(id: number, words: string) => void} take */
function officerInput(take) {
  const list = h("datalist", { id: "zone-officers" });
  const input = h("input", { type: "search", list: list.id, placeholder: t("officer.find") });
  /** @type {Map<string, number>} */
  let known = new Map();
  const learn = async () => {
    if (known.size) return;
    /** @type {import("../types").Officer[]} */
    const officers = await getAll("/officers");
    known = new Map(officers.map(({ id, name, number }) => [`${name} ${number}`, id]));
    fill(list, [...known.keys()].map((words) => h("option", { value: words })));
  };
  input.addEventListener("focus", () => void learn().catch(complain));
  input.addEventListener("input", () => {
    const id = known.get(input.value);
    if (id === undefined) return;
    take(id, input.value);
    input.value = "";
  });
  return h("span", { class: "stack-body" }, input, list);
}
