/** Drawing a zone or changing one: the drawing, and the form beside it. */

import { mountDrawing } from "../draw/tools.js";
import { h, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { claimKey } from "../kit/keys.js";
import { post, Problem, put } from "../net/http.js";
import { busy, toast } from "../view/notice.js";
import { zoneForm } from "./form.js";
import { loadZones, zones } from "./zones.js";

/**
 * @typedef {object} Task
 * @property {import("./zones.js").Zone | null} zone what is changed; null: a new one
 * @property {any} [shape] of a new one, when it comes from a file
 * @property {string} [name]
 * @property {(zone: import("./zones.js").Zone | null) => void} done null when it was given up
 */

/**
 * @param {HTMLElement} root the panel
 * @param {any} map Leaflet's
 * @param {import("../kit/store.js").Scope} scope
 * @param {Task} task
 */
export function mountEditor(root, map, scope, task) {
  const shape = task.zone?.shape ?? task.shape;
  const others = (zones.value ?? []).filter((zone) => zone !== task.zone).map((zone) => zone.shape);
  const { checked, elements } = mountDrawing(map, scope, { shape, fixed: shape !== undefined, corners: others });
  const form = zoneForm(task.zone, task.name);
  const error = h("p", { class: "problem", role: "alert" });
  const save = h("button", { class: "primary", type: "submit" }, icon("check"), t("save"));
  scope.read(checked, (told) => (save.disabled = told === null));
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    void busy(save, () => store(task, form, checked.value, error));
  };
  const cancel = h("button", { type: "button", onclick: () => task.done(null) }, t("cancel"));
  root.append(
    h("header", { class: "who" }, h("h2", { class: "grow" }, task.zone ? t("zone.change", { name: task.zone.name }) : t("zone.new"))),
    ...elements,
    h("form", { class: "stack zone-form", onsubmit: send }, form.element, error, h("footer", { class: "row" }, cancel, save)),
  );
  claimKey(scope, "Escape", "key.clear", () => task.done(null));
}

/**
 * @param {Task} task
 * @param {ReturnType<typeof zoneForm>} form
 * @param {import("../draw/check.js").Checked | null} checked
 * @param {HTMLElement} error
 */
async function store(task, form, checked, error) {
  if (!checked) return;
  const body = { ...form.read(), shape: checked.shape };
  error.textContent = "";
  try {
    const saved = await (task.zone ? put(`/zones/${task.zone.id}`, body) : post("/zones", body));
    toast(t("zone.saved", { name: saved.name }), "good");
    await loadZones();
    task.done(saved);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    const labels = { name: t("zone.name"), unit_id: t("unit"), units: t("zone.units"), officers: t("zone.officers"), shape: t("zone.drawing") };
    error.textContent = problem.toldBy({ ...labels, window_to: t("zone.window"), weekdays: t("zone.weekdays"), dwell_s_max: t("zone.dwell") });
  }
}
