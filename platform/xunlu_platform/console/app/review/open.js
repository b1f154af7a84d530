/** From anywhere to the look back at somebody. */

import { get } from "../net/http.js";
import { go } from "../router.js";
import { complain } from "../view/notice.js";
import { reviewOf } from "./address.js";

/** Who wears a device, else the device itself. @param {string} did @returns {Promise<string>} a subject */
export async function subjectOf(did) {
  /** @type {import("../types").DeviceRecord} */
  const { officer } = await get(`/devices/${encodeURIComponent(did)}`);
  return officer ? `o${officer.id}` : `d${did}`;
}

/**
 * A day of whoever wears a device.
 * @param {string | null} did null: nobody yet
 * @param {import("./types").Span} [range] today so far
 */
export async function openReview(did, range) {
  try {
    go(did === null ? "/review" : reviewOf(await subjectOf(did), range));
  } catch (problem) {
    complain(problem);
  }
}
