/** Zones from a file: shown with what the server thinks of each; a person saves one after the other. */

import { verdict } from "../draw/check.js";
import { blank } from "../draw/drawing.js";
import { fill, h, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { complaintOf, post, query, request } from "../net/http.js";
import { openDialog } from "../view/dialog.js";
import { busy, failure, loading } from "../view/notice.js";
import { field } from "../view/sign-in.js";
import { unitSelect } from "../manage/choices.js";
import { KINDS, reloadZones } from "./zones.js";

const DATUMS = ["WGS-84", "GCJ-02", "BD-09"];

/** @typedef {{name: string, checked: import("../draw/check.js").Checked | null, problem: {reason: string, message: string, values: Record<string, any>} | null}} Imported */

/** @param {(given: {shape: any, name: string}) => void} take */
export function openImport(take) {
  const file = h("input", { type: "file", accept: ".geojson,.json,.kml,.kmz,.gpx,.zip", required: true });
  const datum = h(
    "select",
    {},
    h("option", { value: "" }, t("zone.datum.file")),
    DATUMS.map((name) => h("option", { value: name }, name)),
  );
  const width = h("input", { type: "number", min: 5, max: 5000, step: 1, value: blank("corridor").width_m });
  const result = h("div", { class: "zone-import", "aria-live": "polite" });
  const dialog = openDialog(
    t("zone.import"),
    h("div", { class: "body stack-body" }, h("p", { class: "dim" }, t("zone.import.do")), field(t("zone.file"), file), field(t("zone.datum"), datum, t("zone.datum.hint")), field(t("zone.width_m"), width, t("zone.width.hint")), result),
  );
  let asked = 0;
  const show = async () => {
    const [chosen] = file.files ?? [];
    if (!chosen || !width.validity.valid) return;
    const number = ++asked;
    fill(result, loading());
    try {
      const told = await request("POST", `/zones/import${query({ name: chosen.name, datum: datum.value, width_m: width.value })}`, chosen);
      if (number === asked) fill(result, preview(told, (given) => (dialog.close(), take(given))));
    } catch (problem) {
      if (number === asked) fill(result, failure(problem));
    }
  };
  file.addEventListener("change", () => void show());
  datum.addEventListener("change", () => void show());
  width.addEventListener("change", () => void show());
}

/**
 * @param {{datum: string, datum_by: string, left_out: number, items: Imported[]}} told
 * @param {(given: {shape: any, name: string}) => void} take
 */
function preview({ datum, datum_by, left_out, items }, take) {
  const kind = h("select", {}, KINDS.map((name) => h("option", { value: name }, t(`zone.kind.${name}`))));
  const unit = unitSelect();
  const rule = () => ({ kind: kind.value, unit_id: Number(unit.value) });
  return [
    h("p", {}, t("zone.datum.told", { datum, by: t(`zone.datum.by.${datum_by}`) }), left_out ? ` ${t("zone.left-out", { n: left_out })}` : ""),
    h("div", { class: "row" }, field(t("zone.kind"), kind), field(t("unit"), unit)),
    h("ul", { class: "zone-list" }, items.map((item) => imported(item, rule, take))),
  ];
}

/**
 * One shape: its name can be given before it is saved as it is, or it is opened to be changed.
 * @param {Imported} item
 * @param {() => {kind: string, unit_id: number}} rule
 * @param {(given: {shape: any, name: string}) => void} take
 */
function imported({ name, checked, problem }, rule, take) {
  const input = h("input", { value: name, maxlength: 64, placeholder: t("zone.nameless"), "aria-label": t("zone.name") });
  if (!checked) return h("li", { class: "zone-imported" }, h("b", {}, name || t("zone.nameless")), h("p", { class: "problem" }, complaintOf(problem).words));
  const store = async () => {
    await post("/zones", { ...rule(), name: input.value.trim(), shape: checked.shape });
    fill(actions, h("span", { class: "tag good" }, icon("check"), t("zone.imported")));
    await reloadZones();
  };
  const save = h("button", { type: "button", onclick: () => void busy(save, store) }, icon("check"), t("save"));
  const open = h("button", { type: "button", onclick: () => take({ name: input.value.trim(), shape: checked.shape }) }, icon("pencil"), t("edit"));
  const actions = h("div", { class: "row" }, save, open);
  return h("li", { class: "zone-imported" }, input, h("div", {}, verdict(checked)), actions);
}
