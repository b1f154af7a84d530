/** Where it was: the place of the incident that is looked back at. */

import { keepShape } from "../draw/shape.js";
import { PLACE_LOOK } from "../incidents/place.js";

/**
 * @param {any} map Leaflet's
 * @param {import("./replay.js").Replay} replay
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountPlace(map, replay, scope) {
  const keep = keepShape(map, scope, PLACE_LOOK);
  scope.read(replay.incident, (incident) => keep(incident?.place ?? null));
}
