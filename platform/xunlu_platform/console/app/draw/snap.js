/** What a corner snaps to: corners of other zones, and the streets of the map. */

const SNAP_PX = 10;
/** Streets lie in cells of about half a kilometre, so that only near ones are measured. */
const CELL_DEG = 0.005;
const STREETS_BYTES_MAX = 20_000_000;

/** @typedef {import("./drawing.js").Place} Place */
/** @typedef {{x: number, y: number}} Point pixels of the map */

/** @param {Place} place */
const cellOf = ([lon, lat]) => `${Math.floor(lon / CELL_DEG)} ${Math.floor(lat / CELL_DEG)}`;

export class Snapper {
  #map;
  /** @type {Map<string, Place[]>} */
  #corners = new Map();
  /** @type {Map<string, [Place, Place][]>} */
  #streets = new Map();

  /** @param {any} map Leaflet's */
  constructor(map) {
    this.#map = map;
  }

  /** Take the corners of zones. @param {any[]} shapes GeoJSON features */
  takeCorners(shapes) {
    this.#corners.clear();
    for (const { geometry } of shapes) {
      const flat = geometry.coordinates.flat(Infinity);
      for (let i = 0; i < flat.length; i += 2) put(this.#corners, cellOf([flat[i], flat[i + 1]]), [flat[i], flat[i + 1]]);
    }
  }

  /** Fetch the streets of the map; without them, or where they are too many for a browser, only corners count. */
  async takeStreets() {
    const answer = await fetch("/map/streets.geojson");
    if (!answer.ok || Number(answer.headers.get("content-length")) > STREETS_BYTES_MAX) return void answer.body?.cancel();
    const { features } = await answer.json();
    for (const { geometry } of features) {
      const way = geometry.coordinates;
      for (let i = 1; i < way.length; i++) for (const cell of cellsBetween(way[i - 1], way[i])) put(this.#streets, cell, [way[i - 1], way[i]]);
    }
  }

  /**
   * The place that is meant by one: a corner or a street within ten pixels, corners first, else the place itself.
   * @param {Place} place
   * @returns {Place}
   */
  snapped(place) {
    const here = this.#pixel(place);
    const corner = nearest(here, near(this.#corners, place), (one) => this.#pixel(one));
    if (corner) return corner;
    const feet = near(this.#streets, place).map(([from, to]) => foot(here, this.#pixel(from), this.#pixel(to)));
    const point = nearest(here, feet, (one) => one);
    if (!point) return place;
    const { lng, lat } = this.#map.containerPointToLatLng([point.x, point.y]);
    return [lng, lat];
  }

  /** @param {Place} place @returns {Point} */
  #pixel([lon, lat]) {
    return this.#map.latLngToContainerPoint([lat, lon]);
  }
}

/** @template T @param {Map<string, T[]>} cells @param {string} cell @param {T} item */
function put(cells, cell, item) {
  const found = cells.get(cell);
  if (found) found.push(item);
  else cells.set(cell, [item]);
}

/** What lies in the cell of a place and around it. @template T @param {Map<string, T[]>} cells @param {Place} place @returns {T[]} */
function near(cells, [lon, lat]) {
  const steps = [-CELL_DEG, 0, CELL_DEG];
  return steps.flatMap((x) => steps.flatMap((y) => cells.get(cellOf([lon + x, lat + y])) ?? []));
}

/** The cells that a street may touch. @param {Place} from @param {Place} to */
function* cellsBetween(from, to) {
  const [west, east] = [from[0], to[0]].sort((a, b) => a - b);
  const [south, north] = [from[1], to[1]].sort((a, b) => a - b);
  for (let x = Math.floor(west / CELL_DEG); x <= east / CELL_DEG; x++)
    for (let y = Math.floor(south / CELL_DEG); y <= north / CELL_DEG; y++) yield `${x} ${y}`;
}

/** The point of a line that is nearest to another point. @param {Point} p @param {Point} a @param {Point} b @returns {Point} */
function foot(p, a, b) {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const along = ((p.x - a.x) * dx + (p.y - a.y) * dy) / (dx * dx + dy * dy || 1);
  const part = Math.min(1, Math.max(0, along));
  return { x: a.x + part * dx, y: a.y + part * dy };
}

/** @template T @param {Point} here @param {T[]} items @param {(item: T) => Point} pixel @returns {T | null} */
function nearest(here, items, pixel) {
  let best = SNAP_PX;
  let found = null;
  for (const item of items) {
    const { x, y } = pixel(item);
    const far = Math.hypot(x - here.x, y - here.y);
    if (far > best) continue;
    best = far;
    found = item;
  }
  return found;
}
