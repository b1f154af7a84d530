/** The zones that were in force at the time of the clock. */

import { widen } from "../draw/shape.js";
import { theme } from "../kit/theme.js";
import { drawn } from "../zones/look.js";
import { followZones } from "../zones/then.js";

/**
 * @param {any} map Leaflet's
 * @param {import("./replay.js").Replay} replay
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountZones(map, replay, scope) {
  const group = L.layerGroup();
  /** @type {import("../zones/zones.js").Zone[]} */
  let zones = [];
  const paint = () => {
    group.clearLayers();
    for (const zone of zones) for (const layer of named(map, zone)) group.addLayer(layer);
  };
  const look = followZones(scope, (found) => ((zones = found), paint()));
  const settle = () => {
    const shown = replay.view.value.on.has("zones");
    if (shown !== map.hasLayer(group)) group[shown ? "addTo" : "remove"](map);
    look(shown ? replay.clock.now_ms : null);
  };
  scope.read(replay.view, settle);
  scope.read(replay.clock.time, settle);
  scope.read(theme, paint);
  map.on("zoomend", () => group.eachLayer((/** @type {any} */ layer) => widen(map, layer)));
}

/** @param {any} map @param {import("../zones/zones.js").Zone} zone @returns {any[]} */
function named(map, { name, kind, shape }) {
  const layers = drawn(map, shape, kind);
  layers[0]?.bindTooltip(name, { permanent: true, direction: "center", className: "zone-name" });
  return layers;
}
