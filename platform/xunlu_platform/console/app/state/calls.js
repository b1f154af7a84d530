/** Groups that a desk makes and ends: calls, groups of those on a list or in a unit. Afterwards it is tuned as before. */

import { t } from "../kit/i18n.js";
import { Store } from "../kit/store.js";
import { del, post } from "../net/http.js";
import { me } from "../net/session.js";
import { fleet } from "./fleet.js";
import { groups, suggested, tune, tuning } from "./talk.js";

const NAME_MAX = 64;
/** The talk server tells of a new group at once; whoever made one waits no longer. */
const ARRIVES_MS = 3_000;
/** What a desk ends with one click. */
export const MADE = new Set(["private", "temporary", "broadcast", "emergency"]);

/**
 * @typedef {object} Wanted
 * @property {string} name
 * @property {"private" | "temporary" | "broadcast"} kind in a broadcast only this desk talks
 * @property {string[]} [members] devices
 * @property {number[]} [units] with everybody below
 * @property {boolean} [duplex] of a private call
 */

/** The officer that this desk is in a call with, by device; null until the talk server knows of it. @type {Store<string | null>} */
export const callee = new Store(/** @type {string | null} */ (null));
/** The group to come back to, and the one that was made last. */
let home = /** @type {string | null} */ (null);
let made = /** @type {{gid: string, did: string | null} | null} */ (null);
/** The main group, once it was there: one that was just made may be on its way. */
let seen = /** @type {string | null} */ (null);

groups.read((known) => {
  const { main } = tuning.value;
  const there = known.some(({ gid }) => gid === main);
  const over = known.length > 0 && !there && main !== null && main === seen;
  seen = there ? main : null;
  if (over) leave();
  settle();
});
tuning.read(settle);

function settle() {
  const { main } = tuning.value;
  callee.set(made?.gid === main && seen === main ? (made?.did ?? null) : null);
}

function leave() {
  made = null;
  tune(home ?? suggested());
}

/** Whether this account makes groups: officers do not. */
export const mayMakeGroups = () => me.value?.role !== "officer";

/** Call one officer. @param {string} did of what the officer wears @param {boolean} [duplex] both may talk at once */
export async function callOfficer(did, duplex = false) {
  const who = fleet.devices.get(did)?.name ?? did;
  await make({ name: `${me.value?.display_name} – ${who}`, kind: "private", members: [did], duplex }, did);
}

/** Make a group, and tune to it. @param {Wanted} wanted */
export async function gatherGroup(wanted) {
  await make(wanted, null);
}

/** @param {Wanted} wanted @param {string | null} did of an officer who is called */
async function make(wanted, did) {
  /** @type {import("../types").TalkGroupRecord} */
  const { gid } = await post("/talk/groups", { ...wanted, name: wanted.name.slice(0, NAME_MAX) });
  if (made?.gid !== tuning.value.main) home = tuning.value.main;
  made = { gid, did };
  tune(gid);
  await arrival(gid);
}

/** When the talk server tells of a group: then the key works in it. @param {string} gid @returns {Promise<void>} */
function arrival(gid) {
  return new Promise((resolve) => {
    const give = () => (stop(), clearTimeout(late), resolve());
    const late = setTimeout(() => give(), ARRIVES_MS);
    const stop = groups.read((known) => void (known.some((group) => group.gid === gid) && queueMicrotask(give)));
  });
}

/** @param {string} gid */
export async function endGroup(gid) {
  await del(`/talk/groups/${encodeURIComponent(gid)}`);
  if (tuning.value.main === gid) leave();
}

/** A first name for a group of so many. @param {number} n */
export const suggestedName = (n) => t("talk.group.suggested", { n });
