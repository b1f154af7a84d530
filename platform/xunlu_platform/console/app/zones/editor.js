/** Drawing a zone or changing one: tools, the form, what the server says of the shape before it is saved. */

import { h, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { claimKey } from "../kit/keys.js";
import { post, Problem, put } from "../net/http.js";
import { busy, toast } from "../view/notice.js";
import { field } from "../view/sign-in.js";
import { mountCheck } from "./check.js";
import { blank, fromShape, isWhole } from "./drawing.js";
import { zoneForm } from "./form.js";
import { boundsOf } from "./look.js";
import { Sketch } from "./sketch.js";
import { Snapper } from "./snap.js";
import { drawingKeys, Surface } from "./surface.js";
import { loadZones, zones } from "./zones.js";

/** @type {[import("./drawing.js").Tool, string][]} */
const TOOLS = [
  ["polygon", "square-dashed-mouse-pointer"],
  ["circle", "circle-dot"],
  ["corridor", "route"],
];

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
  const sketch = new Sketch(shape ? fromShape(shape) : blank("polygon"));
  const snapper = new Snapper(map);
  snapper.takeCorners((zones.value ?? []).filter((zone) => zone !== task.zone).map((zone) => zone.shape));
  // Without streets there is one thing less to snap to.
  void snapper.takeStreets().catch(() => undefined);
  if (shape) map.fitBounds(boundsOf(shape), { maxZoom: 17, padding: [40, 40] });
  const surface = new Surface(map, sketch, snapper, scope);
  const form = zoneForm(task.zone, task.name);
  const check = mountCheck(map, sketch, scope);
  const error = h("p", { class: "problem", role: "alert" });
  const save = h("button", { class: "primary", type: "submit" }, icon("check"), t("save"));
  scope.read(check.checked, (checked) => (save.disabled = checked === null));
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    void busy(save, () => store(task, form, check.checked.value, error));
  };
  const cancel = h("button", { type: "button", onclick: () => task.done(null) }, t("cancel"));
  root.append(
    h("header", { class: "who" }, h("h2", { class: "grow" }, task.zone ? t("zone.change", { name: task.zone.name }) : t("zone.new"))),
    tools(sketch, surface, scope, shape !== undefined),
    sizes(sketch, scope),
    check.element,
    h("form", { class: "stack zone-form", onsubmit: send }, form.element, error, h("footer", { class: "row" }, cancel, save)),
  );
  claimKey(scope, "Ctrl+Z", "key.undo", () => sketch.undo());
  claimKey(scope, "Ctrl+Y", "key.redo", () => sketch.redo());
  claimKey(scope, "Escape", "key.clear", () => task.done(null));
}

/**
 * @param {Task} task
 * @param {ReturnType<typeof zoneForm>} form
 * @param {import("./check.js").Checked | null} checked
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

/**
 * @param {Sketch} sketch
 * @param {Surface} surface
 * @param {import("../kit/store.js").Scope} scope
 * @param {boolean} given the tool is what was drawn before
 */
function tools(sketch, surface, scope, given) {
  const kinds = TOOLS.map(([tool, sign]) =>
    h("button", { type: "button", "data-tool": tool, disabled: given, onclick: () => sketch.change(blank(tool)) }, icon(sign), t(`zone.tool.${tool}`)),
  );
  const undo = h("button", { type: "button", title: "Ctrl-Z", onclick: () => sketch.undo() }, icon("rotate-ccw"), t("undo"));
  const redo = h("button", { type: "button", title: "Ctrl-Y", onclick: () => sketch.redo() }, icon("repeat"), t("redo"));
  const centre = h("button", { type: "button", onclick: () => surface.addCentre() }, icon("crosshair"), t("zone.centre"));
  const said = h("p", { class: "dim", role: "status" });
  scope.read(sketch.drawing, (drawing) => {
    for (const button of kinds) button.setAttribute("aria-pressed", String(button.dataset["tool"] === drawing.tool));
    undo.disabled = !sketch.undoable;
    redo.disabled = !sketch.redoable;
    centre.disabled = drawing.done;
    const words = drawing.done ? "zone.step.done" : isWhole(drawing) ? "zone.step.close" : `zone.step.${drawing.tool}`;
    if (said.textContent !== t(words)) said.textContent = t(words);
  });
  return h("section", {}, h("div", { class: "row wrap", role: "toolbar", "aria-label": t("zone.drawing") }, kinds, undo, redo, centre), said, drawingKeys());
}

/** Metres of circles and corridors. @param {Sketch} sketch @param {import("../kit/store.js").Scope} scope */
function sizes(sketch, scope) {
  const size = (/** @type {"radius_m" | "width_m"} */ name, /** @type {number} */ max) => {
    const input = h("input", { type: "number", min: 5, max, step: 1 });
    input.addEventListener("change", () => {
      if (input.validity.valid && input.value) sketch.change({ ...sketch.drawing.value, [name]: Number(input.value) });
    });
    return { input, row: field(t(`zone.${name}`), input) };
  };
  const radius = size("radius_m", 50_000);
  const width = size("width_m", 5000);
  scope.read(sketch.drawing, (drawing) => {
    radius.row.hidden = drawing.tool !== "circle";
    width.row.hidden = drawing.tool !== "corridor";
    radius.input.value = String(drawing.radius_m);
    width.input.value = String(drawing.width_m);
  });
  return h("div", { class: "zone-sizes" }, radius.row, width.row);
}
