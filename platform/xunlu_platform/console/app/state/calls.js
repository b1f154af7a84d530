/** Groups that a desk makes and ends: calls, groups of those on a list or in a unit. Afterwards it is tuned as before. */

import { t } from "../kit/i18n.js";
import { SavedStore, Store } from "../kit/store.js";
import { del, post } from "../net/http.js";
import { me } from "../net/session.js";
import { fleet } from "./fleet.js";
import { groupOf, groups, suggested, tune, tuning } from "./talk.js";

const NAME_MAX = 64;
/** The talk server tells of a new group at once; whoever made one waits no longer. */
const ARRIVES_MS = 3_000;
/** What somebody made for a while, the most pressing first: whoever belongs to it is called, and a desk ends it with one click. */
export const MADE = ["emergency", "private", "temporary", "broadcast"];

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
/** Whether a group is being made here: what comes meanwhile may be that one. */
export const making = new Store(false);
/** A group that has just ended, to be told once: the main one, or a call that nobody answered. @type {Store<{name: string} | null>} */
export const ended = new Store(/** @type {{name: string} | null} */ (null));
/** Groups to come back to, the newest last. @type {SavedStore<string[]>} */
const back = new SavedStore("talk.back", /** @type {string[]} */ ([]));
let made = /** @type {{gid: string, did: string | null} | null} */ (null);
/** What was told last; nothing before this login was told any. */
let before = groups.value;

groups.read((known) => {
  if (known.length > 0) forgetEnded(before);
  before = known;
  settle();
});
tuning.read(settle);

/** @param {import("../types").TalkGroup[]} told before */
function forgetEnded(told) {
  // One of the last visit may be over; later on, one that is missing may be on its way.
  const isOver = (/** @type {string | null} */ gid) => !groupOf(gid) && (told.length === 0 || told.some((group) => group.gid === gid));
  const { main, scan } = tuning.value;
  const left = scan.filter((gid) => !isOver(gid));
  if (isOver(main)) {
    ended.set(told.find(({ gid }) => gid === main) ?? null);
    leave(left);
  } else if (left.length < scan.length) tune(main, left);
}

function settle() {
  const { main } = tuning.value;
  callee.set(made && made.gid === main && groupOf(main) ? made.did : null);
}

/**
 * Talk in a group for a while, and hear the one before besides.
 * @param {string} gid
 */
export function enter(gid) {
  const { main, scan } = tuning.value;
  if (main === gid) return;
  const here = main === null ? [] : [main];
  const others = (/** @type {string[]} */ gids) => gids.filter((one) => one !== main && one !== gid);
  back.set([...others(back.value), ...here]);
  tune(gid, [...here, ...others(scan)]);
}

/** Be tuned as before. @param {string[]} [scan] */
function leave(scan) {
  made = null;
  const open = back.value.filter((gid) => groupOf(gid));
  const home = open.pop() ?? suggested();
  back.set(open);
  tune(home, scan);
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
  making.set(true);
  try {
    /** @type {import("../types").TalkGroupRecord} */
    const { gid } = await post("/talk/groups", { ...wanted, name: wanted.name.slice(0, NAME_MAX) });
    made = { gid, did };
    enter(gid);
  } finally {
    making.set(false);
  }
  await arrival(made.gid);
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
