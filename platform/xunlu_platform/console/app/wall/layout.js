/** What a wall shows, as a value: parsed from its address and written back to it. No element, no stream: pure functions. */

/**
 * @typedef {object} Carousel
 * @property {number} every_s seconds between two turns
 * @property {number[]} units whose recorders go round; empty: everybody's
 * @typedef {object} Layout
 * @property {number} grid how many places are seen, one of `GRIDS`
 * @property {(string | null)[]} places devices by place, `PLACES` long
 * @property {string[]} pinned devices that carousel and SOS leave where they are
 * @property {string | null} full the one that fills the wall
 * @property {Carousel | null} carousel
 */

export const GRIDS = [1, 4, 6, 9, 16];
export const PLACES = 16;
export const TURN_MIN_S = 5;
export const TURN_MAX_S = 600;
const TURN_DEFAULT_S = 20;
const GRID_DEFAULT = 4;
const UNITS_MAX = 50;
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** @param {string | null} text @returns {string[]} */
const list = (text) => (text ? text.split(",") : []);

/**
 * The layout of an address; what makes no sense in it is left out.
 * @param {URLSearchParams} query
 * @returns {Layout}
 */
export function parseLayout(query) {
  const grid = Number(query.get("grid"));
  /** @type {Set<string>} */
  const known = new Set();
  const places = list(query.get("show"))
    .slice(0, PLACES)
    .map((did) => (NAME.test(did) && !known.has(did) ? (known.add(did), did) : null));
  const full = query.get("full") ?? "";
  return {
    grid: GRIDS.includes(grid) ? grid : GRID_DEFAULT,
    places: [...places, ...Array(PLACES - places.length).fill(null)],
    pinned: list(query.get("pin")).filter((did) => known.has(did)),
    full: known.has(full) ? full : null,
    carousel: parseCarousel(query),
  };
}

/** @param {URLSearchParams} query @returns {Carousel | null} */
function parseCarousel(query) {
  if (!query.has("every")) return null;
  const every_s = Number(query.get("every")) || TURN_DEFAULT_S;
  const units = list(query.get("units")).map(Number).filter(Number.isSafeInteger).slice(0, UNITS_MAX);
  return { every_s: Math.min(TURN_MAX_S, Math.max(TURN_MIN_S, Math.round(every_s))), units };
}

/** The address of a layout. @param {Layout} layout */
export function addressOf({ grid, places, pinned, full, carousel }) {
  const shown = places.map((did) => did ?? "").join(",").replace(/,+$/, "");
  const parts = [`grid=${grid}`];
  if (shown) parts.push(`show=${shown}`);
  if (pinned.length) parts.push(`pin=${pinned.join(",")}`);
  if (full) parts.push(`full=${full}`);
  if (carousel) parts.push(`every=${carousel.every_s}`);
  if (carousel?.units.length) parts.push(`units=${carousel.units.join(",")}`);
  return `/wall?${parts.join("&")}`;
}

/** The devices that are seen. @param {Layout} layout */
export function shown(layout) {
  return layout.places.slice(0, layout.grid);
}

/**
 * Put a device somewhere: onto a place (what was there changes place with it, or goes), else onto the first free one,
 * else onto the last that is not pinned.
 * @param {Layout} layout
 * @param {string} did
 * @param {number | null} [wanted] a place
 * @returns {Layout}
 */
export function put(layout, did, wanted = null) {
  const from = layout.places.indexOf(did);
  if (wanted === null && from >= 0 && from < layout.grid) return layout;
  const to = wanted ?? freePlace(layout);
  const places = [...layout.places];
  if (from >= 0) places[from] = places[to] ?? null;
  places[to] = did;
  return tidy({ ...layout, places });
}

/** @param {Layout} layout */
function freePlace(layout) {
  const seen = shown(layout);
  const free = seen.indexOf(null);
  if (free >= 0) return free;
  const loose = seen.findLastIndex((did) => did !== null && !layout.pinned.includes(did));
  return loose >= 0 ? loose : layout.grid - 1;
}

/**
 * To the first place; who was there moves on to a free place, else to the place that came free, and nobody pinned goes.
 * @param {Layout} layout
 * @param {string} did
 * @returns {Layout}
 */
export function promote(layout, did) {
  const first = layout.places[0] ?? null;
  if (first === did) return layout;
  const moved = put(layout, did, 0);
  if (first === null || moved.places.includes(first)) return moved;
  const seen = shown(moved);
  const place = seen.includes(null) ? seen.indexOf(null) : seen.findLastIndex((one) => one !== did && !isPinned(moved, one));
  return place < 1 ? moved : tidy({ ...moved, places: moved.places.with(place, first) });
}

/** @param {Layout} layout @param {string | null} did */
export function isPinned(layout, did) {
  return did !== null && layout.pinned.includes(did);
}

/** @param {Layout} layout @param {number} place @returns {Layout} */
export function clear(layout, place) {
  return tidy({ ...layout, places: layout.places.with(place, null) });
}

/** @param {Layout} layout @param {string} did @returns {Layout} */
export function togglePin(layout, did) {
  const pinned = isPinned(layout, did) ? layout.pinned.filter((other) => other !== did) : [...layout.pinned, did];
  return tidy({ ...layout, pinned });
}

/**
 * The next turn of a carousel: every place that is not held gets the next of those who wait.
 * @param {Layout} layout
 * @param {string[]} candidates in a fixed order
 * @param {(did: string) => boolean} needy who stays though nobody pinned it
 * @returns {Layout}
 */
export function turn(layout, candidates, needy) {
  const seen = shown(layout);
  const held = new Set(seen.filter((did) => did !== null && (isPinned(layout, did) || needy(did))));
  const loose = seen.flatMap((did, place) => (held.has(did) ? [] : [place]));
  const waiting = candidates.filter((did) => !layout.pinned.includes(did) && !held.has(did));
  if (waiting.length <= loose.length && waiting.every((did) => seen.includes(did))) return layout;
  const last = loose.map((place) => waiting.indexOf(seen[place] ?? "")).reduce((a, b) => (b >= 0 ? b : a), -1);
  const places = layout.places.map((did) => (held.has(did) || isPinned(layout, did) ? did : null));
  loose.slice(0, waiting.length).forEach((place, k) => (places[place] = waiting[(last + 1 + k) % waiting.length] ?? null));
  return tidy({ ...layout, places });
}

/** Nobody is pinned or full who has no place. @param {Layout} layout @returns {Layout} */
function tidy(layout) {
  const pinned = layout.pinned.filter((did) => layout.places.includes(did));
  const full = layout.full !== null && layout.places.includes(layout.full) ? layout.full : null;
  return { ...layout, pinned, full };
}
