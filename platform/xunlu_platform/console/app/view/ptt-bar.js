/** The bar of the radio net: hold to talk, which group, who speaks, how it stands with our own key, what else is heard. */

import { h, icon, refill } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { reducedMotion } from "../kit/theme.js";
import { endGroup, MADE, mayMakeGroups } from "../state/calls.js";
import * as talk from "../state/talk.js";
import { busy, complain } from "./notice.js";
import { openGroups } from "./ptt-groups.js";
import { claimTalkKeys, holdToTalk, LONG_PRESS_MS } from "./ptt-key.js";
import { paintListeners } from "./ptt-listeners.js";
import { openTalkSettings } from "./ptt-settings.js";
import { EMERGENCY, keyWords, phase, somebodyElse, standing, whoTalks } from "./ptt-words.js";

/** @typedef {import("../kit/store.js").Scope} Scope */

/**
 * @param {HTMLElement} bar
 * @param {Scope} scope
 */
export function mountPttBar(bar, scope) {
  const key = h("button", { class: "ptt-key" });
  const group = h("button", { class: "quiet ptt-group", onclick: () => openGroups(key), "aria-haspopup": "dialog" });
  const listeners = h("button", { class: "quiet num ptt-listeners", "aria-haspopup": "dialog" });
  const who = h("span", { class: "ptt-who ellipsis" });
  const told = h("span", { class: "ptt-told ellipsis", role: "status" });
  const meter = h("meter", { class: "ptt-level", min: 0, max: 1, high: 0.9, "aria-label": t("talk.level"), hidden: true });
  holdToTalk(key);
  bar.append(key, group, listeners, who, meter, told, h("span", { class: "grow" }), ...tools(key, scope));
  const paint = () => {
    const now = phase();
    bar.dataset["phase"] = now;
    refill(key, icon(now === "talking" ? "mic" : "radio"), h("span", {}, keyWords()), h("kbd", {}, t("key.space")));
    paintGroup(group, listeners);
    meter.hidden = now !== "talking";
    // Nobody is read a countdown while they talk.
    told.ariaLive = now === "talking" ? "off" : "polite";
    retell();
  };
  const retell = () => {
    who.textContent = whoTalks();
    who.classList.toggle("talks", who.textContent !== "");
    who.classList.toggle("is-sos", talk.heardNow()?.talk.urgency === EMERGENCY);
    const words = standing();
    if (told.textContent !== words) told.textContent = words;
  };
  for (const store of [talk.net, talk.key, talk.talks, talk.groups, talk.members, talk.tuning, talk.hears, talk.rights])
    scope.read(/** @type {import("../kit/store.js").Store<any>} */ (store), paint);
  scope.every(1000, retell);
  scope.read(talk.complaint, (problem) => problem && (complain(problem), talk.complaint.set(null)));
  measure(meter, scope);
  claimTalkKeys(scope);
}

/** @param {HTMLElement} button @param {HTMLButtonElement} listeners */
function paintGroup(button, listeners) {
  const group = talk.mainGroup();
  refill(button, h("span", { class: "dim" }, t("talk.group")), h("b", { class: "ellipsis" }, group?.name ?? t("talk.group.none")));
  button.title = t("talk.group.choose");
  listeners.hidden = !group || talk.net.value.state !== "ready";
  if (group) paintListeners(listeners, group.gid);
}

/** Our own voice, only while it is sent. @param {HTMLMeterElement} meter @param {Scope} scope */
function measure(meter, scope) {
  scope.every(reducedMotion.matches ? 500 : 80, () => {
    if (!meter.hidden) meter.value = talk.microphone.level;
  });
}

/** @param {HTMLElement} key @param {Scope} scope */
function tools(key, scope) {
  const down = h("button", { class: "danger" }, icon("octagon-x"), t("talk.take-down"));
  down.onclick = () => talk.tuning.value.main !== null && talk.takeDown(talk.tuning.value.main);
  const end = h("button", {}, icon("phone-off"), t("talk.group.end"));
  end.onclick = () => void busy(end, async () => talk.tuning.value.main !== null && endGroup(talk.tuning.value.main));
  const again = h("button", { onclick: () => talk.rejoin() }, icon("refresh-cw"), t("talk.rejoin"));
  const emergency = h("button", { class: "danger ptt-emergency", title: t("talk.emergency.hint") }, icon("siren"), t("talk.emergency"));
  holdToTalk(emergency, { urgency: () => EMERGENCY, after_ms: LONG_PRESS_MS });
  const scan = h("button", { class: "quiet", onclick: () => openGroups(key) });
  const settings = h("button", { class: "quiet", "aria-label": t("talk.settings"), title: t("talk.settings"), onclick: openTalkSettings }, icon("sliders-horizontal"));
  const paint = () => {
    const { main, scan: scanned } = talk.tuning.value;
    const group = talk.mainGroup();
    const ready = talk.net.value.state === "ready";
    down.hidden = !ready || !somebodyElse() || !talk.rights.value.includes("take_down") || main === null;
    end.hidden = !group || !MADE.includes(group.kind) || !mayMakeGroups();
    again.hidden = talk.net.value.state !== "off";
    emergency.hidden = !ready;
    refill(scan, icon("headphones"), t("talk.scan.n", { n: scanned.length }));
  };
  for (const store of [talk.net, talk.key, talk.talks, talk.groups, talk.tuning, talk.rights])
    scope.read(/** @type {import("../kit/store.js").Store<any>} */ (store), paint);
  return [again, end, down, emergency, scan, loudness(scope), settings];
}

/** @param {Scope} scope */
function loudness(scope) {
  const mute = h("button", { class: "quiet", onclick: () => talk.muted.set(!talk.muted.value) });
  const slide = () => talk.volume.set(Number(slider.value));
  const slider = h("input", { type: "range", min: 0, max: 1, step: 0.05, class: "ptt-volume", "aria-label": t("talk.volume"), oninput: slide });
  scope.read(talk.volume, (value) => (slider.value = String(value)));
  scope.read(talk.muted, (off) => {
    refill(mute, icon(off ? "volume-x" : "volume-2"));
    mute.title = t(off ? "talk.unmute" : "talk.mute");
    mute.setAttribute("aria-label", mute.title);
    mute.classList.toggle("is-warn", off);
  });
  return h("span", { class: "row" }, mute, slider);
}
