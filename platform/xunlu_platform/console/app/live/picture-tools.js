/** What can be done with a picture: sound, still, recording on the server, who watches, full screen. */

import { h, icon, fill } from "../kit/dom.js";
import { when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { get, put } from "../net/http.js";
import { may } from "../net/session.js";
import { mayMakeGroups } from "../state/calls.js";
import { fleet } from "../state/fleet.js";
import { openMenu } from "../view/menu.js";
import { busy, toast } from "../view/notice.js";
import { callKey } from "../view/ptt-call.js";

/** @typedef {import("./picture.js").Picture} Picture */

/**
 * @param {Picture} picture
 * @param {import("../kit/store.js").Scope} scope
 * @returns {HTMLElement[]}
 */
export function pictureTools(picture, scope) {
  const call = may("talk") && mayMakeGroups() ? [callTool(picture, scope)] : [];
  return [...call, soundTool(picture), snapshotTool(picture), recordTool(picture, scope), viewersTool(picture), fullScreenTool(picture)];
}

/**
 * A tool of a picture: a sign with its words.
 * @param {string} sign icon
 * @param {string} words
 * @param {() => void} act
 */
export function tool(sign, words, act) {
  return h("button", { class: "tool", "aria-label": words, title: words, onclick: act }, icon(sign));
}

/**
 * Talk to who is seen.
 * @param {Picture} picture
 * @param {import("../kit/store.js").Scope} scope
 */
function callTool(picture, scope) {
  const button = h("button", { class: "tool" });
  callKey(button, picture.did, scope, true);
  return button;
}

/** @param {Picture} picture */
function soundTool(picture) {
  const button = tool("volume-x", t("live.unmute"), () => picture.toggleSound());
  const { video } = picture.player;
  video.addEventListener("volumechange", () => {
    const words = t(video.muted ? "live.unmute" : "live.mute");
    fill(button, icon(video.muted ? "volume-x" : "volume-2"));
    button.title = words;
    button.setAttribute("aria-label", words);
    button.setAttribute("aria-pressed", String(!video.muted));
  });
  return button;
}

/** @param {Picture} picture */
function snapshotTool(picture) {
  const button = tool("camera", t("live.snapshot"), () => void busy(button, () => picture.snapshot()));
  return button;
}

/**
 * @param {Picture} picture
 * @param {import("../kit/store.js").Scope} scope
 */
function recordTool(picture, scope) {
  const recorded = () => picture.live?.srec === true;
  const act = async () => {
    const on = !recorded();
    const answer = await put(`/live/${encodeURIComponent(picture.did)}/recording`, { on });
    toast(t(answer.on === on ? (on ? "live.record.begun" : "live.record.ended") : "live.record.kept"), "good");
  };
  const button = tool("circle-dot", t("live.record"), () => void busy(button, act));
  scope.read(fleet.moved, () => {
    const on = recorded();
    if (button.getAttribute("aria-pressed") === String(on)) return;
    const words = t(on ? "live.record.stop" : "live.record");
    button.setAttribute("aria-pressed", String(on));
    button.setAttribute("aria-label", words);
    button.title = words;
  });
  return button;
}

/** @param {Picture} picture */
function viewersTool(picture) {
  const list = async () => {
    const { items } = await get("/live");
    /** @type {{user: string, since: string}[]} */
    const watchers = items.find((/** @type {{did: string}} */ path) => path.did === picture.did)?.watchers ?? [];
    const rows = watchers.map(({ user, since }) => ({ caption: t("live.watcher", { user, since: when(since) }) }));
    openMenu(button, [{ caption: t(rows.length ? "live.who" : "live.nobody") }, ...rows]);
  };
  const button = tool("eye", t("live.who"), () => void busy(button, list));
  return button;
}

/** @param {Picture} picture */
function fullScreenTool(picture) {
  return tool("maximize", t("live.full"), () => void picture.toggleFullScreen());
}
