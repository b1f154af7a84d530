/**
 * The radio net as this desk hears it: its groups, who is tuned, who talks in each. The talk server decides everything; a
 * grant with a smaller number than one heard before is stale and changes nothing.
 */

import { SavedStore, Store } from "../kit/store.js";
import { problemWords, TalkLink } from "../net/ptt.js";
import { serverNow } from "../net/stream.js";
import { TalkKey } from "./talk-key.js";

/** What else is heard besides the main group. */
export const SCAN_MAX = 16;

/** @type {SavedStore<import("../net/ptt.js").Tuning>} */
export const tuning = new SavedStore("talk.tuning", /** @type {import("../net/ptt.js").Tuning} */ ({ main: null, scan: [] }));
export const volume = new SavedStore("talk.volume", 1);
export const muted = new SavedStore("talk.muted", false);
/** The function key that a foot pedal types; empty for none. */
export const pedal = new SavedStore("talk.pedal", "");

/** @type {Store<import("../types").TalkGroup[]>} */
export const groups = new Store(/** @type {import("../types").TalkGroup[]} */ ([]));
/** @type {Store<string[]>} */
export const rights = new Store(/** @type {string[]} */ ([]));
/** Who talks, by group. @type {Store<Map<string, import("../types").Talk>>} */
export const talks = new Store(/** @type {Map<string, import("../types").Talk>} */ (new Map()));
/** Who is tuned, by group. @type {Store<Map<string, import("../types").TalkPeer[]>>} */
export const members = new Store(/** @type {Map<string, import("../types").TalkPeer[]>} */ (new Map()));
/** The group that the loudspeaker carries. @type {Store<string | null>} */
export const hears = new Store(/** @type {string | null} */ (null));
/** How the way to the talk server stands. */
export const net = new Store(/** @type {import("../net/ptt.js").Standing} */ ({ state: "off", why: "" }));

/** Who this desk is on the net. */
export const myself = () => link?.me ?? null;

/** The group that the platform finds best for this desk. */
export const suggested = () => link?.suggested ?? null;

/** Largest grant heard, by group. @type {Map<string, number>} */
const grants = new Map();
/** @type {TalkLink | null} */
let link = null;

const ours = new TalkKey({
  ready: () => net.value.state === "ready",
  group: mainGroup,
  send: (message) => link?.send(message),
  speak: (track) => void link?.speak(track),
});
export const { standing: key, complaint, microphone } = ours;

/**
 * The key goes down. In a private call in which both may talk at once it opens the microphone until it is pressed again.
 * @param {0 | 1 | 2} [urgency] 2 is an emergency
 */
export const press = (urgency = 0) => ours.press(urgency);

/** The key comes up: of every way to press it. */
export const release = () => ours.release();

/** Whether somebody holds it. */
export const isHeld = () => ours.held;

/** Join the net and stay. */
export function startTalk() {
  if (link) return;
  link = new TalkLink(() => tuning.value, receive);
  link.standing.read((standing) => {
    net.set(standing);
    if (standing.state !== "ready") forget();
  });
  setLoudness();
  link.join();
}

function setLoudness() {
  if (!link) return;
  link.speaker.volume = Math.min(1, Math.max(0, volume.value));
  link.speaker.muted = muted.value;
}

volume.read(setLoudness);
muted.read(setLoudness);

/** Leave it: the login ended. */
export function stopTalk() {
  link?.close();
  link = null;
  microphone.close();
  groups.set([]);
}

export function rejoin() {
  link?.join();
}

/** Browsers play nothing before a gesture. */
export function unlockSpeaker() {
  void link?.speaker.play().catch(() => undefined);
}

/**
 * Tune; the talk server remembers a group that it does not know yet.
 * @param {string | null} main
 * @param {string[]} [scan]
 */
export function tune(main, scan = tuning.value.scan) {
  if (main !== tuning.value.main) ours.end();
  tuning.set({ main, scan: scan.filter((gid) => gid !== main).slice(0, SCAN_MAX) });
  link?.send({ t: "tune", ...tuning.value });
}

/** @param {string | null} gid */
export function groupOf(gid) {
  return groups.value.find((group) => group.gid === gid) ?? null;
}

/** The group that the key talks in. */
export function mainGroup() {
  return groupOf(tuning.value.main);
}

/** Everything that was true of a connection that is gone. */
function forget() {
  ours.forget();
  talks.set(new Map());
  members.set(new Map());
  hears.set(null);
}

/** Take the floor from who has it. @param {string} gid */
export function takeDown(gid) {
  link?.send({ t: "take_down", gid });
}

/** @param {any} message of the talk server */
function receive(message) {
  switch (message.t) {
    case "welcome":
      rights.set(message.rights ?? []);
      takeGroups(message.groups ?? []);
      break;
    case "groups":
      takeGroups(message.groups ?? []);
      break;
    case "granted":
      if (isNews(message)) ours.hear(message);
      break;
    case "taken":
      if (isNews(message)) takeTalk(message.gid, { ...message, urgency: message.urgency ?? 0, since_ms: serverNow() });
      break;
    case "idle":
      takeTalk(message.gid, null);
      break;
    case "deny":
    case "position":
    case "revoke":
      ours.hear(message);
      break;
    case "members":
      members.value.set(message.gid, message.online ?? []);
      members.touch();
      break;
    case "hears":
      hears.set(message.gid ?? null);
      break;
    case "problem":
      complaint.set(new Error(problemWords(message.slug, message.detail)));
  }
}

/** Whether a grant is no older than what was heard. @param {{gid: string, grant: number}} message */
function isNews({ gid, grant }) {
  if (grant < (grants.get(gid) ?? 0)) return false;
  grants.set(gid, grant);
  return true;
}

/**
 * @param {string} gid
 * @param {import("../types").Talk | null} heard
 */
function takeTalk(gid, heard) {
  const before = talks.value.get(gid);
  if (heard) talks.value.set(gid, before?.grant === heard.grant ? { ...heard, since_ms: before.since_ms } : heard);
  else talks.value.delete(gid);
  talks.touch();
  ours.see(gid, heard?.talker.id === link?.me, heard ? "preempted" : "ended");
}

/** @param {import("../types").TalkGroup[]} known */
function takeGroups(known) {
  groups.set(known);
  ours.keepTo((gid) => known.some((group) => group.gid === gid));
}

/** What is heard now, or would be: the group of the loudspeaker, else the main group, else any. */
export function heardNow() {
  const gid = [hears.value, tuning.value.main].find((one) => one !== null && talks.value.has(one)) ?? [...talks.value.keys()][0];
  const talk = gid === undefined ? undefined : talks.value.get(gid);
  return gid === undefined || talk === undefined ? null : { gid, talk, mine: talk.talker.id === myself() };
}
