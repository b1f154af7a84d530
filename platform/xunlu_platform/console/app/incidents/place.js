/** Where an incident was: drawn in its form, shown on its page and in the look back at it. */

import { blank, fromShape, isWhole, toShape } from "../draw/drawing.js";
import { keepShape } from "../draw/shape.js";
import { mountSheet } from "../draw/sheet.js";
import { mountDrawing, showShape } from "../draw/tools.js";
import { fill, h, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { Scope } from "../kit/store.js";
import { Problem } from "../net/http.js";
import { ask } from "../view/dialog.js";
import { busy } from "../view/notice.js";
import { found } from "../who/found.js";
import { zones } from "../zones/zones.js";

/** @typedef {{lat: number, lng: number}} Corner */

/** @type {import("../draw/shape.js").Line} */
export const PLACE_LOOK = { colour: "--accent", dash: "" };

/** A map in a box of its own. */
function sheet() {
  const box = h("div", { class: "map", role: "application", "aria-label": t("map") });
  return { box, element: h("div", { class: "map-sheet" }, box) };
}

/**
 * A map to draw the place on. It is mounted once it is on the page: before, a map has no size.
 * @param {any} shape GeoJSON feature; null: none yet
 * @param {Corner[]} [ground] what the map shows without a shape
 */
function placeField(shape, ground) {
  const { box, element: map } = sheet();
  const element = h("section", { class: "place-field", "aria-label": t("incident.field.place") }, map);
  return {
    element,
    /** @param {Scope} scope @returns {() => any} reads the feature, or null without a drawing */
    mount(scope) {
      const leaflet = mountSheet(box, scope);
      const { sketch, elements } = mountDrawing(leaflet, scope, { shape, corners: (zones.value ?? []).map((zone) => zone.shape) });
      if (!shape && ground) leaflet.fitBounds(ground, { animate: false });
      const asked = found.value?.question.shape;
      const take = () => (sketch.change(fromShape(asked)), showShape(leaflet, asked));
      const remove = h("button", { type: "button", onclick: () => sketch.change(blank(sketch.drawing.value.tool)) }, icon("trash-2"), t("incident.place.remove"));
      scope.read(sketch.drawing, (drawing) => (remove.disabled = isBlank(drawing)));
      const taken = asked ? h("button", { type: "button", onclick: take }, icon("search"), t("incident.place.who")) : null;
      element.prepend(...elements, h("div", { class: "row wrap" }, remove, taken));
      return () => placeOf(sketch.drawing.value);
    },
  };
}

/**
 * Ask for some values, and beside them for a place that is drawn by hand or by keys.
 * @param {string} title
 * @param {import("../view/dialog.js").Question[]} questions
 * @param {string} action words of the button
 * @param {(values: Record<string, string>, place: any) => Promise<unknown>} act the place is a GeoJSON feature; null: none was drawn
 * @param {{shape?: any, ground?: Corner[] | undefined, text?: string | undefined}} options what to begin with, or what the map shows without it
 */
export function askWithPlace(title, questions, action, act, { shape = null, ground, text }) {
  const { element, mount } = placeField(shape, ground);
  const beside = { name: "place", label: t("incident.field.place"), element };
  const dialog = ask(title, questions, action, async (values) => act(values, read()), { ...(text ? { text } : {}), beside });
  dialog.classList.add("broad");
  const scope = new Scope();
  dialog.addEventListener("close", () => scope.close());
  const read = mount(scope);
}

/** @param {import("../draw/drawing.js").Drawing} drawing */
const isBlank = ({ rings }) => rings.every((ring) => ring.length === 0);

/** @param {import("../draw/drawing.js").Drawing} drawing @throws {Problem} a drawing that was begun and means no place yet */
function placeOf(drawing) {
  if (isBlank(drawing)) return null;
  if (!isWhole(drawing)) throw new Problem(0, t("incident.place.unfinished"), t("incident.place.unfinished.do"));
  return toShape(drawing);
}

/**
 * The place on the page of an incident.
 * @param {Scope} scope
 * @param {() => void} draw
 * @param {() => Promise<unknown>} remove
 */
export function placeCard(scope, draw, remove) {
  const { box, element: map } = sheet();
  const none = h("p", { class: "dim" }, t("incident.place.none"));
  const change = h("button", { class: "quiet", onclick: draw });
  const clear = h("button", { class: "quiet", onclick: () => void busy(clear, remove) }, icon("trash-2"), t("incident.place.remove"));
  const heading = h("h2", { class: "row" }, h("span", { class: "grow" }, t("incident.field.place")), change, clear);
  /** @type {((shape: any) => void) | undefined} */
  let put;
  let told = "";
  return {
    element: h("section", { class: "card-box", "aria-label": t("incident.field.place") }, heading, map, none),
    /** Show a place once the card is on the page. @param {any} shape GeoJSON feature or null */
    show(shape) {
      map.hidden = clear.hidden = !shape;
      none.hidden = Boolean(shape);
      fill(change, icon("pencil"), t(shape ? "incident.place.change" : "incident.place.draw"));
      if (!shape || told === JSON.stringify(shape)) return;
      told = JSON.stringify(shape);
      put ??= mountShown(box, scope);
      put(shape);
    },
  };
}

/** A map that shows a place, and comes to it. @param {HTMLElement} box @param {Scope} scope */
function mountShown(box, scope) {
  const leaflet = mountSheet(box, scope);
  const keep = keepShape(leaflet, scope, PLACE_LOOK);
  return (/** @type {any} */ shape) => {
    keep(shape);
    showShape(leaflet, shape);
  };
}
