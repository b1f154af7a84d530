/** How a device is named and signed in lists: sign and words, never colour alone. */

import { shape } from "../kit/dom.js";
import { HOLLOW, SIGNS } from "../state/display.js";

/** @param {string} state */
export function sign(state) {
  const path = SIGNS[/** @type {keyof typeof SIGNS} */ (state)];
  return shape(path, `sign is-${state}${HOLLOW.has(state) ? " hollow" : ""}`);
}

/** @param {import("../state/fleet.js").Device} device */
export function stateSign(device) {
  return sign(device.state);
}

/** The server records it: a disc in a ring. */
export function recordedSign() {
  return shape("M6 0a6 6 0 1 0 .01 0zM6 1.3a4.7 4.7 0 1 1-.01 0zM6 3.4a2.6 2.6 0 1 0 .01 0z", "sign");
}

/** `周敏 016`, or the serial number of a device that nobody wears. @param {import("../types").Live} live */
export function deviceTitle(live) {
  return live.name ? `${live.name} ${live.num ?? ""}`.trim() : live.serial || live.did;
}
