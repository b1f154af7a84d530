/** Choose officers by an area: drag a box, or draw a line around them. Everybody inside becomes a list. */

import { t } from "../kit/i18n.js";
import { gathered, tool } from "../state/desk.js";
import { fleet, worldX, worldY } from "../state/fleet.js";
import { showDevice } from "../command/show.js";
import { askWho, featureOf } from "../who/ask.js";

/** @typedef {import("../kit/store.js").Scope} Scope */
/** @typedef {{x: number, y: number}} Point */

const GATHERED_MAX = 500;
/** Corners of a line, and the pixels between two of them: a hand draws no more than that. */
const CORNERS_MAX = 1000;
const CORNER_PX = 4;
const SVG = "http://www.w3.org/2000/svg";

/**
 * Follow a drag on the map with one of its tools.
 * @param {any} map Leaflet's
 * @param {HTMLElement} box
 * @param {Scope} scope
 * @param {string} name of the tool
 * @param {{move: (path: Point[]) => void, end: (path: Point[]) => void}} drawing gets pixels of the map
 */
function followDrag(map, box, scope, name, { move, end }) {
  /** @type {Point[]} */
  let path = [];
  scope.listen(box, "pointerdown", (event) => {
    if (tool.value !== name || event.button !== 0) return;
    path = [map.mouseEventToContainerPoint(event)];
    box.setPointerCapture(event.pointerId);
  });
  scope.listen(box, "pointermove", (event) => {
    const last = path.at(-1);
    if (!last || path.length >= CORNERS_MAX) return;
    const at = map.mouseEventToContainerPoint(event);
    if (Math.hypot(at.x - last.x, at.y - last.y) < CORNER_PX) return;
    path.push(at);
    move(path);
  });
  const drop = (/** @type {boolean} */ done) => {
    const drawn = path;
    path = [];
    move([]);
    if (!done || tool.value !== name) return;
    tool.set("none");
    end(drawn);
  };
  scope.listen(box, "pointerup", () => path.length > 0 && drop(true));
  scope.listen(box, "pointercancel", () => drop(false));
  scope.read(tool, (now) => now !== name && path.length > 0 && drop(false));
}

/** Corners of the rectangle that a drag spans. @param {Point[]} path @returns {Point[]} */
function rectangle(path) {
  const [from, to] = [path[0], path.at(-1)];
  if (!from || !to) return [];
  return [from, { x: to.x, y: from.y }, to, { x: from.x, y: to.y }];
}

/**
 * @param {any} map Leaflet's
 * @param {HTMLElement} box
 * @param {Scope} scope
 */
export function mountAreas(map, box, scope) {
  const shape = document.createElementNS(SVG, "polygon");
  const sheet = document.createElementNS(SVG, "svg");
  sheet.setAttribute("class", "area");
  sheet.setAttribute("aria-hidden", "true");
  sheet.append(shape);
  box.append(sheet);
  const show = (/** @type {Point[]} */ corners) => shape.setAttribute("points", corners.map(({ x, y }) => `${x},${y}`).join(" "));
  const gather = (/** @type {Point[]} */ corners) => gatherInside(corners.map((corner) => worldPlace(map, corner)));
  followDrag(map, box, scope, "box", { move: (path) => show(rectangle(path)), end: (path) => gather(rectangle(path)) });
  followDrag(map, box, scope, "lasso", { move: show, end: gather });
  const ask = (/** @type {Point[]} */ corners) => askWho(featureOf(corners.map(({ x, y }) => map.containerPointToLatLng([x, y]))));
  followDrag(map, box, scope, "who", { move: show, end: ask });
}

/** @param {any} map Leaflet's @param {Point} pixel @returns {Point} in the units of the fleet */
function worldPlace(map, { x, y }) {
  const { lat, lng } = map.containerPointToLatLng([x, y]);
  return { x: worldX(lng), y: worldY(lat) };
}

/**
 * Whether a point lies inside a polygon: a ray from it crosses the edge an odd number of times.
 * @param {Point[]} corners
 * @param {number} x
 * @param {number} y
 */
function isInside(corners, x, y) {
  return corners.reduce((inside, a, i) => {
    const b = corners.at(i - 1) ?? a;
    const crosses = a.y > y !== b.y > y && x < a.x + ((b.x - a.x) * (y - a.y)) / (b.y - a.y);
    return inside !== crosses;
  }, false);
}

/** @param {Point[]} corners */
function gatherInside(corners) {
  const inside = fleet.order.filter(({ index }) => {
    const [x, y, flag] = [fleet.x[index] ?? -1, fleet.y[index] ?? -1, fleet.flags[index] ?? 0];
    return (flag & 9) === 1 && isInside(corners, x, y);
  });
  showDevice(null);
  gathered.set({
    title: t("area.title", { n: inside.length }),
    rows: inside.slice(0, GATHERED_MAX).map(({ did }) => ({ did, note: "" })),
  });
}
