/**
 * The drawing on the map: clicks add corners, corners are dragged and walked by keys. It lies over the map as SVG and is drawn
 * anew after every move.
 */

import { h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { added, closed, inserted, isWhole, moved, removed } from "./drawing.js";
import { pixels } from "./shape.js";

/** @typedef {import("./drawing.js").Corner} Corner */
/** @typedef {import("./drawing.js").Place} Place */
/** @typedef {{x: number, y: number}} Point */

const SVG = "http://www.w3.org/2000/svg";
const CORNER_PX = 6;
const MIDDLE_PX = 4;
const STEP_PX = 1;
const STRIDE_PX = 10;
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** @param {string} name @param {Record<string, string | number>} attributes */
function svg(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

export class Surface {
  #map;
  #sketch;
  #snapper;
  #sheet = svg("svg", { class: "sketch", role: "group", "aria-label": t("zone.drawing") });
  /** Corners stay while the line follows the pointer: nobody can grab what is replaced under the hand. */
  #body = svg("g", {});
  #handles = svg("g", {});
  #pointer = /** @type {Place | null} */ (null);

  /**
   * @param {any} map Leaflet's
   * @param {import("./sketch.js").Sketch} sketch
   * @param {import("./snap.js").Snapper} snapper
   * @param {import("../kit/store.js").Scope} scope
   */
  constructor(map, sketch, snapper, scope) {
    this.#map = map;
    this.#sketch = sketch;
    this.#snapper = snapper;
    const box = map.getContainer();
    this.#sheet.append(this.#body, this.#handles);
    box.append(this.#sheet);
    scope.onClose(() => this.#sheet.remove());
    const on = (/** @type {string} */ names, /** @type {(event: any) => void} */ act) => {
      map.on(names, act);
      scope.onClose(() => map.off(names, act));
    };
    on("click", ({ latlng }) => this.#add([latlng.lng, latlng.lat]));
    on("mousemove", ({ latlng }) => this.#point([latlng.lng, latlng.lat]));
    on("mouseout", () => this.#point(null));
    on("move zoomend resize", () => this.draw());
    on("zoomanim", () => [this.#body, this.#handles].forEach((part) => part.replaceChildren()));
    scope.read(sketch.drawing, () => this.draw());
    scope.listen(this.#sheet, "keydown", (event) => this.#key(event));
    scope.onClose(() => box.classList.remove("aiming"));
  }

  /** Add a corner in the middle of the map: for those who do not point. */
  addCentre() {
    const { lng, lat } = this.#map.getCenter();
    this.#add([lng, lat]);
    this.#focus({ ring: this.#sketch.drawing.value.rings.length - 1, at: (this.#sketch.drawing.value.rings.at(-1)?.length ?? 1) - 1 });
  }

  /** @param {Place} place */
  #add(place) {
    const drawing = this.#sketch.drawing.value;
    if (!drawing.done) this.#sketch.change(added(drawing, this.#snapper.snapped(place)));
  }

  /** @param {Place | null} place */
  #point(place) {
    if (this.#sketch.drawing.value.done && this.#pointer === null) return;
    this.#pointer = this.#sketch.drawing.value.done ? null : place;
    this.#drawBody();
  }

  /** @param {Place} place @returns {Point} */
  #pixel([lon, lat]) {
    return this.#map.latLngToContainerPoint([lat, lon]);
  }

  draw() {
    const drawing = this.#sketch.drawing.value;
    this.#map.getContainer().classList.toggle("aiming", !drawing.done);
    const had = this.#focused();
    this.#drawBody();
    this.#handles.replaceChildren(...this.#handlesOf(drawing, this.#rings(drawing)));
    if (had) this.#focus(had);
  }

  #drawBody() {
    const drawing = this.#sketch.drawing.value;
    const rings = this.#rings(drawing);
    const next = this.#pointer && !drawing.done && rings.at(-1)?.length ? [this.#pixel(this.#snapper.snapped(this.#pointer))] : [];
    this.#body.replaceChildren(...this.#bodyOf(drawing, rings, next));
  }

  /** @param {import("./drawing.js").Drawing} drawing */
  #rings({ rings }) {
    return rings.map((ring) => ring.map((place) => this.#pixel(place)));
  }

  /**
   * What the corners enclose, with the line to the pointer.
   * @param {import("./drawing.js").Drawing} drawing
   * @param {Point[][]} rings
   * @param {Point[]} next
   */
  #bodyOf(drawing, rings, next) {
    const [first] = drawing.rings[0] ?? [];
    const [middle] = rings[0] ?? [];
    if (drawing.tool === "circle")
      return first && middle ? [svg("circle", { class: "body", cx: middle.x, cy: middle.y, r: pixels(this.#map, first[1], drawing.radius_m) })] : [];
    const path = rings.map((ring, n) => trace(n === rings.length - 1 ? [...ring, ...next] : ring, drawing.tool === "polygon" && drawing.done)).join("");
    const line = svg("path", { class: drawing.tool === "polygon" ? "body" : "body open", d: path, "fill-rule": "evenodd" });
    if (drawing.tool === "polygon" || !first) return [line];
    const swath = svg("path", { class: "swath", d: path, "stroke-width": pixels(this.#map, first[1], drawing.width_m) });
    return [swath, line];
  }

  /** @param {import("./drawing.js").Drawing} drawing @param {Point[][]} rings */
  #handlesOf(drawing, rings) {
    const corners = rings.flatMap((ring, r) => ring.map((point, at) => this.#handle({ ring: r, at }, point)));
    if (!drawing.done || drawing.tool === "circle") return corners;
    const middles = rings.flatMap((ring, r) =>
      ring.flatMap((point, at) => {
        const before = at > 0 ? ring[at - 1] : drawing.tool === "polygon" ? ring.at(-1) : undefined;
        return before ? [this.#middle({ ring: r, at }, { x: (before.x + point.x) / 2, y: (before.y + point.y) / 2 })] : [];
      }),
    );
    return [...middles, ...corners];
  }

  /** @param {Corner} corner @param {Point} point */
  #handle(corner, point) {
    const label = t("zone.corner", { n: corner.at + 1 });
    const dot = svg("circle", { class: "corner", cx: point.x, cy: point.y, r: CORNER_PX, tabindex: 0, role: "button", "aria-label": label });
    dot.setAttribute("data-corner", `${corner.ring} ${corner.at}`);
    dot.addEventListener("pointerdown", (event) => this.#grab(corner, /** @type {PointerEvent} */ (event)));
    dot.addEventListener("dblclick", (event) => event.stopPropagation());
    return dot;
  }

  /** Between two corners: dragging it makes another one. @param {Corner} corner the one after @param {Point} point */
  #middle(corner, point) {
    const dot = svg("circle", { class: "middle", cx: point.x, cy: point.y, r: MIDDLE_PX });
    dot.addEventListener("pointerdown", (event) => {
      const { lng, lat } = this.#map.containerPointToLatLng([point.x, point.y]);
      this.#sketch.change(inserted(this.#sketch.drawing.value, corner, [lng, lat]));
      this.#grab(corner, /** @type {PointerEvent} */ (event));
    });
    return dot;
  }

  /** Drag a corner; the first one of a ring that is not closed closes it when it is only clicked. @param {Corner} corner @param {PointerEvent} event */
  #grab(corner, event) {
    event.stopPropagation();
    event.preventDefault();
    const before = this.#sketch.drawing.value;
    this.#focus(corner);
    this.#map.dragging.disable();
    let dragged = false;
    const move = (/** @type {PointerEvent} */ moving) => {
      dragged = true;
      const { lng, lat } = this.#map.mouseEventToLatLng(moving);
      this.#sketch.preview(moved(before, corner, this.#snapper.snapped([lng, lat])));
    };
    const drop = () => {
      removeEventListener("pointermove", move);
      swallowClick();
      this.#map.dragging.enable();
      const after = this.#sketch.drawing.value;
      this.#sketch.preview(before);
      if (dragged) this.#sketch.change(after);
      else if (!before.done && corner.at === 0) this.#sketch.change(closed(before));
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", drop, { once: true });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const corner = this.#focused();
    const drawing = this.#sketch.drawing.value;
    const place = corner && drawing.rings[corner.ring]?.[corner.at];
    if (!corner || !place) return;
    const arrow = ARROWS[event.key];
    if (arrow) {
      const { x, y } = this.#pixel(place);
      const step = event.shiftKey ? STRIDE_PX : STEP_PX;
      const { lng, lat } = this.#map.containerPointToLatLng([x + arrow[0] * step, y + arrow[1] * step]);
      this.#sketch.change(moved(drawing, corner, [lng, lat]));
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.#sketch.change(removed(drawing, corner));
      this.#focus({ ring: corner.ring, at: Math.max(0, corner.at - 1) });
    } else if (event.key === "Enter" && isWhole(drawing)) this.#sketch.change(closed(drawing));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** The corner that has the keyboard. @returns {Corner | null} */
  #focused() {
    const held = document.activeElement;
    const [ring, at] = (this.#sheet.contains(held) && held?.getAttribute("data-corner")?.split(" ").map(Number)) || [];
    return ring === undefined || at === undefined ? null : { ring, at };
  }

  /** @param {Corner} corner */
  #focus({ ring, at }) {
    const dot = this.#sheet.querySelector(`[data-corner="${ring} ${at}"]`);
    if (dot instanceof SVGElement) dot.focus({ preventScroll: true });
  }
}

/** The click that a browser makes of the end of a drag is no click on the map. */
function swallowClick() {
  const swallow = (/** @type {Event} */ click) => click.stopPropagation();
  addEventListener("click", swallow, { once: true, capture: true });
  setTimeout(() => removeEventListener("click", swallow, { capture: true }));
}

/** @param {Point[]} points @param {boolean} round */
function trace(points, round) {
  return points.map(({ x, y }, i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("") + (round && points.length ? "Z" : "");
}

/** The keys of a drawing, for who cannot guess them. */
export function drawingKeys() {
  return h("p", { class: "dim drawing-keys" }, t("zone.keys"));
}
