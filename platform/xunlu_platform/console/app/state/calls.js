/** Groups that a desk makes and ends: a call to one officer, a group of those on a list. Afterwards it is tuned as before. */

import { t } from "../kit/i18n.js";
import { del, post } from "../net/http.js";
import { me } from "../net/session.js";
import { fleet } from "./fleet.js";
import { groups, tune, tuning } from "./talk.js";

const NAME_MAX = 64;
/** What a desk ends with one click. */
export const MADE = new Set(["private", "temporary", "broadcast", "emergency"]);

/** The group to come back to, and the one whose end brings us there. */
let home = /** @type {string | null} */ (null);
let called = /** @type {{gid: string, seen: boolean} | null} */ (null);

groups.read((known) => {
  if (!called || tuning.value.main !== called.gid) return;
  const there = known.some(({ gid }) => gid === called?.gid);
  if (called.seen && !there) leave();
  else called.seen = there;
});

function leave() {
  called = null;
  tune(home);
}

/** Whether this account makes groups: officers do not. */
export const mayMakeGroups = () => me.value?.role !== "officer";

/** Call one officer. @param {string} did of what the officer wears @param {boolean} [duplex] both may talk at once */
export async function callOfficer(did, duplex = false) {
  const who = fleet.devices.get(did)?.name ?? did;
  await make({ name: `${me.value?.display_name} – ${who}`, kind: "private", members: [did], duplex });
}

/**
 * A group of those on a list.
 * @param {string} name
 * @param {string[]} dids
 * @param {"temporary" | "broadcast"} kind in a broadcast only this desk talks
 */
export async function gatherGroup(name, dids, kind) {
  await make({ name, kind, members: dids });
}

/** @param {{name: string, kind: string, members: string[], duplex?: boolean}} wanted */
async function make(wanted) {
  /** @type {import("../types").TalkGroupRecord} */
  const made = await post("/talk/groups", { ...wanted, name: wanted.name.slice(0, NAME_MAX) });
  if (called?.gid !== tuning.value.main) home = tuning.value.main;
  called = { gid: made.gid, seen: false };
  tune(made.gid);
}

/** @param {string} gid */
export async function endGroup(gid) {
  await del(`/talk/groups/${encodeURIComponent(gid)}`);
  if (tuning.value.main === gid) leave();
}

/** A first name for a group of so many. @param {number} n */
export const suggestedName = (n) => t("talk.group.suggested", { n });
