/** Bring something before the dispatcher, from wherever it was asked. */

import { isoLocal } from "../review/address.js";
import { go } from "../router.js";
import { fleet } from "../state/fleet.js";
import { goTo, selected, unitFilter } from "../state/desk.js";
import { past, shownNow } from "../state/moment.js";
import { query } from "../net/http.js";

const CLOSE_ZOOM = 16;

/** The map of the moment that is shown, with a device in the drawer or without. @param {string | null} did */
export function commandAddress(did, at_ms = past.value ? shownNow() : null) {
  const at = at_ms === null ? null : isoLocal(Math.floor(at_ms / 1000) * 1000);
  return `/${query({ device: did, at })}`;
}

/** Select a device. @param {string | null} did @param {boolean} [centre] bring it into view too */
export function showDevice(did, centre = true) {
  selected.set(did);
  go(commandAddress(did));
  const device = did === null ? undefined : fleet.devices.get(did);
  if (centre && device && device.lat !== null && device.lon !== null) goTo.set({ lat: device.lat, lon: device.lon });
}

/** What a list or the search does with a device that was chosen; the view in force may claim it. @type {(did: string) => void} */
let choose = chooseOnMap;

/** @param {string} did */
function chooseOnMap(did) {
  showDevice(did, fleet.devices.get(did)?.lat != null);
}

/** A person chose a device from a list. @param {string} did */
export function chooseDevice(did) {
  choose(did);
}

/**
 * Take the choices of lists and search until the scope closes.
 * @param {import("../kit/store.js").Scope} scope
 * @param {(did: string) => void} take
 */
export function claimChoice(scope, take) {
  choose = take;
  scope.onClose(() => (choose = chooseOnMap));
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
