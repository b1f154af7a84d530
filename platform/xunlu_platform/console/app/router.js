/** Addresses: every view has one; back and forward work, nothing is reloaded. */

import { Store } from "./kit/store.js";

/** @typedef {{path: string, query: URLSearchParams}} Address */

const read = () => ({ path: location.pathname, query: new URLSearchParams(location.search) });

/** Where this page is. @type {Store<Address>} */
export const route = new Store(/** @type {Address} */ (read()));

/**
 * Go to an address of the console.
 * @param {string} address path and query
 * @param {"push" | "replace"} [how] `replace` leaves no step for the back key
 */
export function go(address, how = "push") {
  if (address === location.pathname + location.search) return;
  history[how === "push" ? "pushState" : "replaceState"](null, "", address);
  route.set(read());
}

addEventListener("popstate", () => route.set(read()));

document.addEventListener("click", (event) => {
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  const anchor = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (!plain || event.defaultPrevented || !(anchor instanceof HTMLAnchorElement)) return;
  if (anchor.origin !== location.origin || anchor.target || anchor.hasAttribute("download")) return;
  event.preventDefault();
  go(anchor.pathname + anchor.search);
});
