/**
 * What lies under the officers: a PMTiles bundle drawn with rules of our own and the system's fonts, or raster tiles of the
 * bureau's map service, as the bundle's `map.json` says.
 */

import { theme, token } from "../kit/theme.js";
import { layers } from "../state/desk.js";
import { shiftedTiles } from "./gcj02.js";

/** @typedef {{type: "pmtiles", file: string} | {type: "raster", layers: {id: string, path: string}[], tile_size: number}} MapSource */

/**
 * @typedef {object} MapBundle
 * @property {string} name
 * @property {string} attribution
 * @property {string} [approval_number] 审图号
 * @property {"WGS-84" | "GCJ-02"} datum of the tiles
 * @property {[number, number, number, number]} bounds west, south, east, north
 * @property {[number, number]} center longitude, latitude
 * @property {number} minzoom
 * @property {number} maxzoom
 * @property {MapSource} source
 * @property {boolean} [demo]
 */

const AREA_FILL = new Map([
  ["water", "--map-water"],
  ["river", "--map-water"],
  ["lake", "--map-water"],
  ["ocean", "--map-water"],
  ["park", "--map-green"],
  ["green", "--map-green"],
  ["grass", "--map-green"],
  ["forest", "--map-green"],
  ["wood", "--map-green"],
  ["garden", "--map-green"],
  ["building", "--map-built"],
  ["built", "--map-built"],
  ["block", "--map-built"],
]);

/** Width in pixels at zoom 14; it grows by half with each level. */
const ROAD_WIDTH = new Map([
  ["motorway", 5],
  ["trunk", 5],
  ["elevated", 5],
  ["primary", 4.2],
  ["arterial", 4.2],
  ["secondary", 3.2],
  ["tertiary", 2.2],
  ["collector", 2.2],
]);
const ELEVATED = new Set(["motorway", "trunk", "elevated"]);
const STREET_PX = 1.3;

/** @param {any} properties */
const kindOf = (properties) => String(properties.kind ?? properties.class ?? properties.highway ?? "").replace(/_link$/, "");

/** @param {number} zoom @param {any} feature */
function roadWidth(zoom, feature) {
  return Math.max(0.6, (ROAD_WIDTH.get(kindOf(feature.props)) ?? STREET_PX) * 1.5 ** (zoom - 14));
}

/** @param {any} properties */
function roadColour(properties) {
  const kind = kindOf(properties);
  if (ELEVATED.has(kind)) return token("--map-elevated");
  const width = ROAD_WIDTH.get(kind) ?? STREET_PX;
  return token(width > 4 ? "--map-artery" : width > 2.5 ? "--map-road" : "--map-street");
}

/** Widest last, so that arteries lie over streets. @param {string} layer @param {(width: number) => boolean} wanted */
function roads(layer, wanted) {
  return {
    dataLayer: layer,
    filter: (/** @type {number} */ _zoom, /** @type {any} */ feature) =>
      wanted(ROAD_WIDTH.get(kindOf(feature.props)) ?? STREET_PX),
    symbolizer: new protomapsL.LineSymbolizer({
      color: (/** @type {number} */ _zoom, /** @type {any} */ feature) => roadColour(feature.props),
      width: roadWidth,
      lineCap: "round",
      lineJoin: "round",
      opacity: 1,
      perFeature: true,
    }),
  };
}

/** @param {string} layer */
function areas(layer) {
  return {
    dataLayer: layer,
    filter: (/** @type {number} */ _zoom, /** @type {any} */ feature) => AREA_FILL.has(kindOf(feature.props)),
    symbolizer: new protomapsL.PolygonSymbolizer({
      fill: (/** @type {number} */ _zoom, /** @type {any} */ feature) =>
        token(AREA_FILL.get(kindOf(feature.props)) ?? "--map-ground"),
      perFeature: true,
    }),
  };
}

/** @param {string} layer @param {string} colour @param {number} width @param {number[]} [dash] */
function line(layer, colour, width, dash) {
  const pattern = dash ? { dash, dashColor: token(colour), dashWidth: width } : {};
  return {
    dataLayer: layer,
    symbolizer: new protomapsL.LineSymbolizer({ color: token(colour), width, opacity: 1, ...pattern }),
  };
}

function paintRules() {
  const border = (/** @type {string} */ layer) => ({
    ...line(layer, "--map-border", 1, [4, 4]),
    filter: (/** @type {number} */ _zoom, /** @type {any} */ feature) =>
      layer === "subdistricts" || ["area", "subdistrict", "zone", "boundary"].includes(kindOf(feature.props)),
  });
  return [
    areas("areas"),
    areas("water"),
    areas("green"),
    areas("buildings"),
    border("areas"),
    border("subdistricts"),
    border("boundaries"),
    line("rail", "--map-rail", 2),
    line("metro", "--map-rail", 1.4, [6, 4]),
    roads("roads", (width) => width < 2.5),
    roads("roads", (width) => width >= 2.5 && width < 5),
    roads("roads", (width) => width >= 5),
    line("elevated", "--map-elevated", 3),
  ];
}

/** @param {number} size_px @param {string} colour @param {number} weight */
function text(size_px, colour, weight) {
  return {
    font: `${weight} ${size_px}px ${token("--font")}`,
    fill: token(colour),
    stroke: token("--map-halo"),
    width: 2,
    labelProps: ["name"],
  };
}

/** @param {boolean} places whether points of interest are wanted */
function labelRules(places) {
  const centred = (/** @type {any} */ style) => new protomapsL.CenteredTextSymbolizer(style);
  const along = (
    /** @type {string} */ layer,
    /** @type {number} */ minzoom,
    /** @type {(width: number) => boolean} */ wanted,
  ) => ({
    dataLayer: layer,
    minzoom,
    filter: (/** @type {number} */ _zoom, /** @type {any} */ feature) =>
      wanted(ROAD_WIDTH.get(kindOf(feature.props)) ?? STREET_PX),
    symbolizer: new protomapsL.LineLabelSymbolizer({
      ...text(11, "--map-street-name", 400),
      position: 2,
      repeatDistance: 320,
    }),
  });
  const rules = [
    { dataLayer: "labels", symbolizer: centred(text(13, "--map-name", 500)) },
    along("roads", 13, (width) => width > 2.5),
    along("roads", 15, (width) => width <= 2.5),
    along("elevated", 14, () => true),
  ];
  if (places) rules.push({ dataLayer: "pois", minzoom: 15, symbolizer: centred(text(11, "--map-street-name", 400)) });
  return rules;
}

/**
 * @param {MapBundle} bundle
 * @param {string} file
 * @param {boolean} places
 */
function vector(bundle, file, places) {
  return protomapsL.leafletLayer({
    url: `/map/${file}`,
    attribution: "",
    backgroundColor: token("--map-ground"),
    paintRules: paintRules(),
    labelRules: labelRules(places),
    maxDataZoom: bundle.maxzoom,
    noWrap: true,
    className: "basemap",
  });
}

/**
 * Put the basemap on the map; it is made again when the theme changes.
 * @param {any} map Leaflet's
 * @param {MapBundle} bundle
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountBasemap(map, bundle, scope) {
  /** @type {any[]} */
  let shown = [];
  let style = "";
  const draw = () => {
    const wanted = `${theme.value} ${layers.value.places}`;
    if (wanted === style) return;
    style = wanted;
    for (const layer of shown) layer.remove();
    const { source } = bundle;
    shown =
      source.type === "raster"
        ? source.layers.map(({ path }) => raster(path, source.tile_size, bundle))
        : [vector(bundle, source.file, layers.value.places)];
    for (const layer of shown) layer.addTo(map);
  };
  scope.read(theme, draw);
  scope.read(layers, draw);
}

/**
 * Tiles of the bureau's own service, fetched by the server.
 * @param {string} path template below `/map/`
 * @param {number} tile_px
 * @param {MapBundle} bundle
 */
function raster(path, tile_px, bundle) {
  const shift = tile_px === 512 ? -1 : 0;
  const options = {
    tileSize: tile_px,
    zoomOffset: shift,
    maxNativeZoom: bundle.maxzoom,
    minZoom: bundle.minzoom,
    className: "basemap raster",
  };
  return bundle.datum === "GCJ-02" ? shiftedTiles(`/map/${path}`, options) : L.tileLayer(`/map/${path}`, options);
}
