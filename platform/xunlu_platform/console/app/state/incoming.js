/**
 * Calls that come in: groups that somebody made and that we belong to. Each is heard at once, beside the main group, and asks
 * for an answer; whoever answers talks in it until it ends.
 */

import { SavedStore, Store } from "../kit/store.js";
import { ended, enter, MADE, making } from "./calls.js";
import { groupOf, groups, tune, tuning } from "./talk.js";

/** @typedef {import("../types").TalkGroup} TalkGroup */

/** Groups we were called to, and since when each asks for an answer, UTC milliseconds; null: no more. @type {SavedStore<{gid: string, since_ms: number | null}[]>} */
const calls = new SavedStore("talk.calls", /** @type {{gid: string, since_ms: number | null}[]} */ ([]));
/** @typedef {Pick<TalkGroup, "gid" | "name" | "kind" | "may_talk"> & {since_ms: number}} Incoming */
/** Those that ask for an answer, the most pressing first. @type {Store<Incoming[]>} */
export const incoming = new Store(/** @type {Incoming[]} */ ([]));

function take() {
  if (groups.value.length === 0) return incoming.set([]);
  if (making.value) return;
  const open = groups.value.filter(({ kind, member }) => member && MADE.includes(kind)).sort((a, b) => rank(a) - rank(b));
  const fresh = open.filter(({ gid }) => !calls.value.some((call) => call.gid === gid)).map(({ gid }) => gid);
  const { main, scan } = tuning.value;
  if (fresh.some((gid) => gid !== main && !scan.includes(gid))) tune(main, [...new Set([...fresh, ...scan])]);
  for (const call of incoming.value) if (!groupOf(call.gid)) ended.set(call);
  const since_ms = Date.now();
  calls.set([...calls.value.filter(({ gid }) => groupOf(gid)), ...fresh.map((gid) => ({ gid, since_ms: gid === main ? null : since_ms }))]);
}

/** @param {Pick<TalkGroup, "kind">} group */
const rank = ({ kind }) => MADE.indexOf(kind);

calls.read((known) => {
  const asking = known.flatMap(({ gid, since_ms }) => {
    const group = groupOf(gid);
    return group && since_ms !== null ? [{ gid, name: group.name, kind: group.kind, may_talk: group.may_talk !== false, since_ms }] : [];
  });
  asking.sort((a, b) => rank(a) - rank(b));
  // Groups are told of often; who is asked again for an answer hears a tone.
  if (JSON.stringify(asking) !== JSON.stringify(incoming.value)) incoming.set(asking);
});

groups.read(take);
making.read(take);
tuning.read(({ main }) => quiet(main));

/** A call asks no more; it is still heard. @param {string | null} gid */
export function quiet(gid) {
  if (incoming.value.some((call) => call.gid === gid)) calls.set(calls.value.map((call) => (call.gid === gid ? { ...call, since_ms: null } : call)));
}

/** Answer a call: talk in it, unless it is only to be heard. @param {Incoming} call */
export function answer({ gid, may_talk }) {
  quiet(gid);
  if (may_talk) enter(gid);
}
