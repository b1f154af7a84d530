/** Bring something before the dispatcher, from wherever it was asked. */

import { go } from "../router.js";
import { fleet } from "../state/fleet.js";
import { goTo, selected, unitFilter } from "../state/desk.js";

const CLOSE_ZOOM = 16;

/** The map, with a device in the drawer or without. @param {string | null} did */
function commandAddress(did) {
  return did === null ? "/" : `/?device=${encodeURIComponent(did)}`;
}

/** Select a device. @param {string | null} did @param {boolean} [centre] bring it into view too */
export function showDevice(did, centre = true) {
  selected.set(did);
  go(commandAddress(did));
  const device = did === null ? undefined : fleet.devices.get(did);
  if (centre && device && device.lat !== null && device.lon !== null) goTo.set({ lat: device.lat, lon: device.lon });
}

/** @param {number} lat @param {number} lon */
export function showPlace(lat, lon) {
  go(commandAddress(selected.value));
  goTo.set({ lat, lon, zoom: CLOSE_ZOOM });
}

/** Limit lists and map to a unit. @param {number | null} id */
export function showUnit(id) {
  go(commandAddress(selected.value));
  unitFilter.set(id);
}
