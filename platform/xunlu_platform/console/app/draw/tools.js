/** Everything that a person needs to draw one shape on a map: tools, sizes, undo by keys, and what the server makes of it. */

import { h, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { claimKey } from "../kit/keys.js";
import { field } from "../view/sign-in.js";
import { mountCheck } from "./check.js";
import { blank, fromShape, isWhole } from "./drawing.js";
import { boundsOf } from "./shape.js";
import { Sketch } from "./sketch.js";
import { Snapper } from "./snap.js";
import { drawingKeys, Surface } from "./surface.js";

/** @type {[import("./drawing.js").Tool, string][]} */
const TOOLS = [
  ["polygon", "square-dashed-mouse-pointer"],
  ["circle", "circle-dot"],
  ["corridor", "route"],
];

/**
 * @typedef {object} Task
 * @property {any} [shape] GeoJSON feature to begin with
 * @property {boolean} [fixed] its tool stays what it is
 * @property {any[]} corners GeoJSON features whose corners attract
 */

/**
 * @param {any} map Leaflet's
 * @param {import("../kit/store.js").Scope} scope
 * @param {Task} task
 */
export function mountDrawing(map, scope, { shape, fixed = false, corners }) {
  const sketch = new Sketch(shape ? fromShape(shape) : blank("polygon"));
  const snapper = new Snapper(map);
  snapper.takeCorners(corners);
  // Without streets there is one thing less to snap to.
  void snapper.takeStreets().catch(() => undefined);
  if (shape) showShape(map, shape);
  const surface = new Surface(map, sketch, snapper, scope);
  const { element, checked } = mountCheck(map, sketch, scope);
  claimKey(scope, "Ctrl+Z", "key.undo", () => sketch.undo());
  claimKey(scope, "Ctrl+Y", "key.redo", () => sketch.redo());
  return { sketch, checked, elements: [tools(sketch, surface, scope, fixed), sizes(sketch, scope), element] };
}

/** Bring a shape into view. @param {any} map Leaflet's @param {any} shape GeoJSON feature */
export function showShape(map, shape) {
  map.fitBounds(boundsOf(shape), { maxZoom: 17, padding: [40, 40] });
}

/**
 * @param {Sketch} sketch
 * @param {Surface} surface
 * @param {import("../kit/store.js").Scope} scope
 * @param {boolean} fixed
 */
function tools(sketch, surface, scope, fixed) {
  const kinds = TOOLS.map(([tool, sign]) =>
    h("button", { type: "button", "data-tool": tool, disabled: fixed, onclick: () => sketch.change(blank(tool)) }, icon(sign), t(`zone.tool.${tool}`)),
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
