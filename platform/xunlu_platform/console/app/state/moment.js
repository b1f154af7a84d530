/** Which moment this desk shows: the present, or one that is over (`../past/`). */

import { Store } from "../kit/store.js";
import { serverNow } from "../net/stream.js";

/** The moment that is over, UTC milliseconds; null: the present. @type {Store<number | null>} */
export const moment = new Store(/** @type {number | null} */ (null));

/** Whether what the map, the tree, the table and the drawer show is over. */
export const past = new Store(false);

/** The moment that is shown, UTC milliseconds: ages are counted against it. */
export const shownNow = () => moment.value ?? serverNow();

/** Show a moment. @param {number | null} ms UTC milliseconds; null: the present, as it goes on */
export function showMoment(ms) {
  moment.set(ms);
  past.set(ms !== null);
}
