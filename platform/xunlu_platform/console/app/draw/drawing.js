/**
 * A drawing while it is made: corners of rings, the line of a corridor, or the middle of a circle. Pure: every change is a
 * new value, so that undo is a step back.
 */

/** @typedef {[number, number]} Place longitude, latitude */
/** @typedef {"polygon" | "circle" | "corridor"} Tool */

/**
 * @typedef {object} Drawing
 * @property {Tool} tool
 * @property {Place[][]} rings without the closing corner; of corridors and circles there is one
 * @property {number[]} parts how many rings each polygon has: its outline, then its holes
 * @property {boolean} done false while clicks still add corners
 * @property {number} radius_m of a circle
 * @property {number} width_m of a corridor
 */

/** A corner by its ring and its place in it. @typedef {{ring: number, at: number}} Corner */

const LEAST = { polygon: 3, circle: 1, corridor: 2 };
const RADIUS_M = 100;
const WIDTH_M = 40;

/** @param {Tool} tool @returns {Drawing} */
export function blank(tool) {
  return { tool, rings: [[]], parts: [1], done: false, radius_m: RADIUS_M, width_m: WIDTH_M };
}

/** Whether it means a place at all. @param {Drawing} drawing */
export function isWhole({ tool, rings }) {
  return rings.every((ring) => ring.length >= LEAST[tool]);
}

/** Add a corner at the end; a circle has its middle only. @param {Drawing} drawing @param {Place} place @returns {Drawing} */
export function added(drawing, place) {
  const rings = drawing.tool === "circle" ? [[place]] : [...drawing.rings.slice(0, -1), [...(drawing.rings.at(-1) ?? []), place]];
  return { ...drawing, rings, done: drawing.tool === "circle" };
}

/** Put a corner before another. @param {Drawing} drawing @param {Corner} corner @param {Place} place @returns {Drawing} */
export function inserted(drawing, { ring, at }, place) {
  return withRing(drawing, ring, (places) => places.toSpliced(at, 0, place));
}

/** @param {Drawing} drawing @param {Corner} corner @param {Place} place @returns {Drawing} */
export function moved(drawing, { ring, at }, place) {
  return withRing(drawing, ring, (places) => places.with(at, place));
}

/** A ring keeps its last corners: without them it would be none. @param {Drawing} drawing @param {Corner} corner @returns {Drawing} */
export function removed(drawing, { ring, at }) {
  const enough = (drawing.rings[ring]?.length ?? 0) > LEAST[drawing.tool];
  if (drawing.done && !enough) return drawing;
  return withRing(drawing, ring, (places) => places.toSpliced(at, 1));
}

/** No more corners are added. @param {Drawing} drawing @returns {Drawing} */
export function closed(drawing) {
  return isWhole(drawing) ? { ...drawing, done: true } : drawing;
}

/** @param {Drawing} drawing @param {number} ring @param {(places: Place[]) => Place[]} change @returns {Drawing} */
function withRing(drawing, ring, change) {
  return { ...drawing, rings: drawing.rings.map((places, n) => (n === ring ? change(places) : places)) };
}

/** As a GeoJSON feature. @param {Drawing} drawing which is whole */
export function toShape({ tool, rings, parts, radius_m, width_m }) {
  const [line = []] = rings;
  if (tool === "circle") return feature({ type: "Point", coordinates: line[0] }, { radius_m });
  if (tool === "corridor") return feature({ type: "LineString", coordinates: line }, { width_m });
  const round = rings.map((ring) => [...ring, ring[0]]);
  let first = 0;
  const polygons = parts.map((count) => round.slice(first, (first += count)));
  const single = polygons.length === 1;
  return feature(single ? { type: "Polygon", coordinates: polygons[0] } : { type: "MultiPolygon", coordinates: polygons }, {});
}

/** @param {any} geometry @param {Record<string, number>} properties */
function feature(geometry, properties) {
  return { type: "Feature", properties, geometry };
}

/** A drawing of what is saved or imported. @param {any} shape GeoJSON feature @returns {Drawing} */
export function fromShape({ geometry, properties }) {
  const { type, coordinates } = geometry;
  if (type === "Point") return { ...blank("circle"), rings: [[coordinates]], radius_m: properties.radius_m, done: true };
  if (type === "LineString") return { ...blank("corridor"), rings: [coordinates], width_m: properties.width_m, done: true };
  const polygons = type === "Polygon" ? [coordinates] : coordinates;
  const rings = polygons.flatMap((/** @type {Place[][]} */ rings) => rings.map((ring) => ring.slice(0, -1)));
  return { ...blank("polygon"), rings, parts: polygons.map((/** @type {Place[][]} */ rings) => rings.length), done: true };
}
