/**
 * GCJ-02 (火星坐标), only to lay tiles that are shifted by it under positions that are not. The same formulas as
 * `xunlu_gis.datum`; a test compares the two.
 */

const AXIS_M = 6_378_245;
const ECCENTRICITY_SQUARED = 0.00669342162296594323;
/** South, north, west, east of the box outside which coordinates stay as they are. */
const CHINA = /** @type {const} */ ([0.8293, 55.8271, 72.004, 137.8347]);

const { PI, abs, cos, sin, sqrt } = Math;
const radians = (/** @type {number} */ degrees) => (degrees * PI) / 180;

/** @param {number} v */
const ripple = (v) => 20 * sin(6 * v * PI) + 20 * sin(2 * v * PI);

/** Metres to the north. @param {number} x @param {number} y */
function shiftLat(x, y) {
  const smooth = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x));
  const waves = ripple(x) + 20 * sin(y * PI) + 40 * sin((y / 3) * PI) + 160 * sin((y / 12) * PI) + 320 * sin((y / 30) * PI);
  return smooth + (2 / 3) * waves;
}

/** Metres to the east. @param {number} x @param {number} y */
function shiftLon(x, y) {
  const smooth = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x));
  const waves = ripple(x) + 20 * sin(x * PI) + 40 * sin((x / 3) * PI) + 150 * sin((x / 12) * PI) + 300 * sin((x / 30) * PI);
  return smooth + (2 / 3) * waves;
}

/**
 * @param {number} lat WGS-84, degrees
 * @param {number} lon
 * @returns {[lat: number, lon: number]} GCJ-02
 */
export function toGcj02(lat, lon) {
  const [south, north, west, east] = CHINA;
  if (lat < south || lat > north || lon < west || lon > east) return [lat, lon];
  const x = lon - 105;
  const y = lat - 35;
  const w = 1 - ECCENTRICITY_SQUARED * sin(radians(lat)) ** 2;
  const meridian = radians((AXIS_M * (1 - ECCENTRICITY_SQUARED)) / (w * sqrt(w)));
  const parallel = radians((AXIS_M / sqrt(w)) * cos(radians(lat)));
  return [lat + shiftLat(x, y) / meridian, lon + shiftLon(x, y) / parallel];
}

/**
 * A layer of tiles that are shifted: it is laid out as if the map stood where GCJ-02 says.
 * @param {string} url
 * @param {Record<string, unknown>} options
 */
export function shiftedTiles(url, options) {
  const plain = L.TileLayer.prototype;
  const shifted = (/** @type {{lat: number, lng: number}} */ { lat, lng }) => L.latLng(toGcj02(lat, lng));
  const Shifted = L.TileLayer.extend({
    /** @param {any} level @param {any} centre @param {number} zoom */
    _setZoomTransform(level, centre, zoom) {
      plain._setZoomTransform.call(this, level, shifted(centre), zoom);
    },
    /** @param {any} centre */
    _getTiledPixelBounds(centre) {
      return plain._getTiledPixelBounds.call(this, shifted(centre));
    },
  });
  return new Shifted(url, options);
}
