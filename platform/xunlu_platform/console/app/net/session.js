/** Who is signed in, and what that role may do. */

import { Store } from "../kit/store.js";
import { get, post, setCsrf } from "./http.js";

/** @type {Store<import("../types").Me | null>} */
export const me = new Store(/** @type {import("../types").Me | null} */ (null));

/** @param {import("../types").Me | null} value */
function adopt(value) {
  setCsrf(value?.csrf_token ?? "");
  me.set(value);
  return value;
}

/** Ask the server whose cookie this is. @throws {import("./http.js").Problem} */
export async function fetchMe() {
  return adopt(await get("/auth/me"));
}

/**
 * @param {string} username
 * @param {string} password
 */
export async function signIn(username, password) {
  return adopt(await post("/auth/login", { username, password }));
}

export async function signOut() {
  await post("/auth/logout");
  adopt(null);
}

/**
 * @param {string} old
 * @param {string} replacement
 */
export async function changePassword(old, replacement) {
  await post("/auth/password", { old, new: replacement });
  return fetchMe();
}

export function forgetMe() {
  adopt(null);
}

/** @typedef {"command" | "live" | "talk" | "recordings" | "alarm" | "zones" | "roster" | "incidents" | "track" | "review" | "events" | "devices" | "approve" | "officers" | "organisation" | "users" | "audit" | "system"} Permission */

/**
 * Whether this login may do something. The server decides; this only hides what would be refused.
 * @param {Permission} what
 */
export function may(what) {
  return me.value?.permissions.includes(what) ?? false;
}
