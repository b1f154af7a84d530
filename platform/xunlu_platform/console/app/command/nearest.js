/** Who is nearest to a place or to an officer, as the crow flies, among those with a fix that stands for the present. */

import { distance_m, metres } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { go } from "../router.js";
import { gathered, selected } from "../state/desk.js";
import { PRESENT } from "../state/display.js";
import { fleet } from "../state/fleet.js";
import { deviceTitle } from "../view/device-sign.js";
import { toast } from "../view/notice.js";

const NEAREST_MAX = 10;

/**
 * @param {number} lat
 * @param {number} lon
 * @param {string | null} except the officer that the others are near to
 */
export function gatherNearest(lat, lon, except) {
  const around = fleet.order
    .filter((device) => device.did !== except && device.lat !== null && device.lon !== null && PRESENT.has(device.state))
    .map((device) => ({ did: device.did, metres: distance_m(lat, lon, device.lat ?? 0, device.lon ?? 0) }))
    .sort((a, b) => a.metres - b.metres)
    .slice(0, NEAREST_MAX);
  const centre = except === null ? undefined : fleet.devices.get(except);
  const title = centre ? t("nearest.to", { name: deviceTitle(centre) }) : t("nearest.here");
  selected.set(null);
  go("/");
  gathered.set({ title, rows: around.map((row) => ({ did: row.did, note: metres(row.metres) })), nearest: true });
}

/** @param {string} did */
export function showNearest(did) {
  const device = fleet.devices.get(did);
  if (device?.lat == null || device.lon === null) toast(t("nearest.nowhere"), "bad");
  else gatherNearest(device.lat, device.lon, did);
}
