/**
 * The radio net as this desk hears it: its groups, who talks in each, and what our own key does. The talk server decides
 * everything; a grant with a smaller number than one heard before is stale and changes nothing.
 */

import { playTone } from "../kit/sound.js";
import { SavedStore, Store } from "../kit/store.js";
import { Microphone } from "../net/microphone.js";
import { problemWords, TalkLink } from "../net/ptt.js";
import { serverNow } from "../net/stream.js";

/** What else is heard besides the main group. */
export const SCAN_MAX = 16;

/**
 * @typedef {object} Key what our key does
 * @property {"idle" | "asking" | "queued" | "talking" | "refused"} phase
 * @property {string | null} gid
 * @property {number} position in the queue, from 1
 * @property {number | null} ends_ms server time at which the floor is taken from us at the latest
 * @property {string} cause of `refused`: a cause of the server, or `microphone`
 */

/** @type {Key} */
const IDLE = { phase: "idle", gid: null, position: 0, ends_ms: null, cause: "" };

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
/** @type {Store<Key>} */
export const key = new Store(IDLE);
/** How the way to the talk server stands. */
export const net = new Store(/** @type {import("../net/ptt.js").Standing} */ ({ state: "off", why: "" }));
/** What went wrong with the microphone or a request, to be told once. @type {Store<unknown>} */
export const complaint = new Store(/** @type {unknown} */ (null));

/** Who this desk is on the net. */
export const myself = () => link?.me ?? null;

export const microphone = new Microphone();

/** Largest grant heard, by group. @type {Map<string, number>} */
const grants = new Map();
/** @type {TalkLink | null} */
let link = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let closing;
/** Counts presses, so that a microphone that opens late serves no later one. */
let presses = 0;
let held = false;
/** Whether this login was told its groups before. */
let greeted = false;

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
  greeted = false;
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
  if (main !== tuning.value.main) release();
  tuning.set({ main, scan: scan.filter((gid) => gid !== main).slice(0, SCAN_MAX) });
  link?.send({ t: "tune", ...tuning.value });
}

/** @param {string | null} gid */
export function groupOf(gid) {
  return groups.value.find((group) => group.gid === gid) ?? null;
}

/** The group that the key talks in. */
export const mainGroup = () => groupOf(tuning.value.main);

/** Everything that was true of a connection that is gone. */
function forget() {
  silence();
  key.set(IDLE);
  talks.set(new Map());
  members.set(new Map());
  hears.set(null);
}

/**
 * The key goes down. In a private call in which both may talk at once it opens the microphone until it is pressed again.
 * @param {0 | 1 | 2} [urgency] 2 is an emergency
 */
export async function press(urgency = 0) {
  const group = mainGroup();
  if (held || net.value.state !== "ready") return;
  if (group?.duplex && key.value.phase === "talking") return end();
  held = true;
  if (!group || group.may_talk === false) return refuse(group ? "receive_only" : "no_group");
  const mine = ++presses;
  key.set({ ...IDLE, phase: "asking", gid: group.gid });
  try {
    await microphone.open();
  } catch (problem) {
    complaint.set(problem);
    return mine === presses && refuse("microphone");
  }
  if (mine !== presses || key.value.phase !== "asking") return;
  if (group.duplex) talk(group.gid, null);
  else link?.send({ t: "request", gid: group.gid, urgency, wait: true });
}

/** The key comes up: of every way to press it. */
export function release() {
  if (!held) return;
  held = false;
  if (groupOf(key.value.gid)?.duplex && key.value.phase === "talking") return;
  end();
}

function end() {
  const { phase, gid } = key.value;
  presses += 1;
  silence();
  if (gid !== null && phase !== "refused") link?.send({ t: "release", gid });
  key.set(IDLE);
}

/** Take the floor from who has it. @param {string} gid */
export function takeDown(gid) {
  link?.send({ t: "take_down", gid });
}

/**
 * @param {string} gid
 * @param {number | null} left_s how long the floor is ours; null without end
 */
function talk(gid, left_s) {
  clearTimeout(closing);
  void link?.speak(microphone.track);
  key.set({ ...IDLE, phase: "talking", gid, ends_ms: left_s === null ? null : serverNow() + left_s * 1000 });
  playTone("permit");
}

function silence() {
  clearTimeout(closing);
  void link?.speak(null);
}

/** @param {string} cause */
function refuse(cause) {
  key.set({ ...key.value, phase: "refused", cause });
  playTone("deny");
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
      if (isNews(message)) grant(message);
      break;
    case "taken":
      if (isNews(message)) takeTalk(message.gid, { ...message, urgency: message.urgency ?? 0, since_ms: serverNow() });
      break;
    case "idle":
      takeTalk(message.gid, null);
      break;
    case "deny":
      if (message.gid === key.value.gid) refuse(message.cause);
      break;
    case "position":
      if (message.gid === key.value.gid && held) key.set({ ...key.value, phase: "queued", position: message.position });
      break;
    case "revoke":
      if (message.gid === key.value.gid) revoke(message.cause, message.left_s ?? 0);
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

/**
 * The floor is ours; after an interruption perhaps still, or no more wanted.
 * @param {{gid: string, left_s: number}} message
 */
function grant({ gid, left_s }) {
  if (held && gid === tuning.value.main) talk(gid, left_s);
  else link?.send({ t: "release", gid });
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
  const ours = key.value.phase === "talking" && key.value.gid === gid && !groupOf(gid)?.duplex;
  if (ours && heard?.talker.id !== link?.me) revoke(heard ? "preempted" : "ended", 0);
}

/**
 * The floor is gone; what is on the lips may still go out for a moment. The key says why until it is let go.
 * @param {string} cause
 * @param {number} left_s
 */
function revoke(cause, left_s) {
  key.set({ ...key.value, phase: "refused", cause });
  playTone("revoked");
  closing = setTimeout(silence, left_s * 1000);
}

/** @param {import("../types").TalkGroup[]} known */
function takeGroups(known) {
  groups.set(known);
  // A group of the last visit may be over; later on, one that is missing may be on its way.
  const over = !greeted && !known.some(({ gid }) => gid === tuning.value.main);
  greeted = true;
  if (over && link?.suggested) tune(link.suggested);
}

/** What is heard now, or would be: the group of the loudspeaker, else the main group, else any. */
export function heardNow() {
  const gid = [hears.value, tuning.value.main].find((one) => one !== null && talks.value.has(one)) ?? [...talks.value.keys()][0];
  const talk = gid === undefined ? undefined : talks.value.get(gid);
  return gid === undefined || talk === undefined ? null : { gid, talk, mine: talk.talker.id === myself() };
}
