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

/** Roles as the platform's access table has them; the server decides, this only hides what would be refused. */
const MAY = {
  command: ["dispatcher", "supervisor"],
  alarm: ["dispatcher", "supervisor"],
  track: ["dispatcher", "supervisor", "evidence", "auditor"],
  events: ["dispatcher", "supervisor", "clerk", "evidence", "auditor"],
  devices: ["clerk"],
  officers: ["clerk"],
  organisation: [],
  users: [],
  audit: ["auditor", "supervisor"],
  system: [],
};

/**
 * @param {keyof typeof MAY} what
 */
export function may(what) {
  const role = me.value?.role;
  return role === "administrator" || (role !== undefined && /** @type {readonly string[]} */ (MAY[what]).includes(role));
}
