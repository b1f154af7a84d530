/** Where a picture is taken: coordinates that never stand without the time of their fix. */

import { t } from "../kit/i18n.js";
import { isWithheld, watchDevices } from "../state/watch.js";

/** Of every open picture; two may show one device. @type {Map<symbol, string>} */
const followed = new Map();

const tell = () => watchDevices("pictures", [...followed.values()]);

/**
 * Have a device's fixes sent while its picture is open, wherever the map is.
 * @param {string} did
 * @param {import("../kit/store.js").Scope} scope
 */
export function followDevice(did, scope) {
  const picture = Symbol(did);
  followed.set(picture, did);
  tell();
  scope.onClose(() => {
    followed.delete(picture);
    tell();
  });
}

/**
 * Latitude and longitude (WGS 84) with the time of the fix; empty while the server withholds them.
 * @param {import("../types").Live} live
 * @param {(fix_ms: number) => string} time how the time is told
 */
export function placeOf(live, time) {
  if (isWithheld(live)) return "";
  if (live.lat === null || live.lon === null || live.tms === null) return t("fix.none");
  return `${live.lat.toFixed(5)}, ${live.lon.toFixed(5)} · ${time(live.tms)}`;
}
