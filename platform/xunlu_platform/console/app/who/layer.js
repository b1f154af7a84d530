/** The place that was asked about, on the map for as long as the list is open. */

import { found } from "./found.js";

/**
 * @param {any} map Leaflet's
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountFoundPlace(map, scope) {
  /** @type {any} */
  let layer = null;
  scope.read(found, (answer) => {
    layer?.remove();
    layer = answer ? L.geoJSON(answer.area, { interactive: false, className: "who-place", renderer: L.svg() }).addTo(map) : null;
  });
}
