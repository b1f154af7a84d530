/** Which moment this desk shows: the present, or one that is over (`../past/`). */

import { Store } from "../kit/store.js";
import { serverNow } from "../net/stream.js";

/** @type {number | null} */
let shown_ms = null;

/** Whether what the map, the tree, the table and the drawer show is over. */
export const past = new Store(false);

/** The moment that is shown, UTC milliseconds: ages are counted against it. */
export const shownNow = () => shown_ms ?? serverNow();

/** Show a moment. @param {number | null} ms UTC milliseconds; null: the present, as it goes on */
export function showMoment(ms) {
  shown_ms = ms;
  past.set(ms !== null);
}
