/** Which group the key talks in, and which others are heard: one list with a search. */

import { h, icon, refill } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { matches } from "../kit/pinyin.js";
import { Scope } from "../kit/store.js";
import { endGroup, MADE, mayMakeGroups } from "../state/calls.js";
import { groups, members, SCAN_MAX, talks, tune, tuning } from "../state/talk.js";
import { openDialog } from "./dialog.js";
import { busy, notice } from "./notice.js";
import { gatherButton } from "./ptt-gather.js";
import { listenersButton } from "./ptt-listeners.js";

/** @typedef {import("../types").TalkGroup} TalkGroup */

/** @param {HTMLElement} key gets the focus back from the dialog: the space bar then talks at once */
export function openGroups(key) {
  key.focus();
  const scope = new Scope();
  const list = h("ul", { class: "groups" });
  const find = h("input", { type: "search", placeholder: t("talk.group.find"), "aria-label": t("talk.group.find"), oninput: () => paint() });
  const paint = () => {
    const shown = groups.value.filter((group) => matches(`${group.name} ${t(`talk.kind.${group.kind}`)}`.toLowerCase(), find.value.trim()));
    refill(list, shown.length ? shown.map(row) : h("li", {}, notice(t("talk.groups.none"), t("talk.groups.none.do"), "radio")));
  };
  for (const store of [groups, members, talks, tuning])
    scope.read(/** @type {import("../kit/store.js").Store<any>} */ (store), paint);
  const hint = h("p", { class: "dim" }, t("talk.groups.hint", { n: SCAN_MAX }));
  const more = mayMakeGroups() ? h("footer", {}, gatherButton(() => dialog.close())) : null;
  const dialog = openDialog(t("talk.groups"), h("div", { class: "body stack-body" }, find, hint, list, ...(more ? [more] : [])));
  dialog.addEventListener("close", () => scope.close());
  find.focus();
}

/** @param {TalkGroup} group */
function row(group) {
  const { gid } = group;
  const { main, scan } = tuning.value;
  const talker = talks.value.get(gid)?.talker;
  const choose = h("input", { type: "radio", name: "main", checked: gid === main, onchange: () => tune(gid) });
  return h(
    "li",
    { class: "row", "data-key": gid, "data-gid": gid },
    h("label", { class: "row grow" }, choose, h("b", { class: "ellipsis" }, group.name), kindTag(group)),
    talker ? h("span", { class: "row is-talk", "data-key": "talker" }, icon("mic"), talker.name) : null,
    members.value.has(gid) ? listenersButton(gid) : null,
    scanning(group, main, scan),
    MADE.includes(group.kind) && mayMakeGroups() ? ending(group) : null,
  );
}

/**
 * Whether it is heard too, in which place, and how to put it before the others.
 * @param {TalkGroup} group
 * @param {string | null} main
 * @param {string[]} scan
 */
function scanning(group, main, scan) {
  const { gid } = group;
  const place = scan.indexOf(gid);
  const others = scan.filter((one) => one !== gid);
  const toggle = () => tune(main, place < 0 ? [...scan, gid] : others);
  const full = scan.length >= SCAN_MAX && place < 0;
  const hear = h("input", { type: "checkbox", checked: place >= 0, disabled: full || gid === main, onchange: toggle });
  const words = t("talk.scan.first", { name: group.name });
  const first = h("button", { class: "quiet", title: words, "aria-label": words, "data-key": "first", onclick: () => tune(main, [gid, ...others]) }, icon("arrow-up-down"));
  const rank = place >= 0 && scan.length > 1 ? ` · ${place + 1}` : "";
  return h("span", { class: "row", "data-key": "scan" }, place > 0 ? first : null, h("label", { class: "row dim" }, hear, t(isOfOthers(group) ? "talk.listen-in" : "talk.scan") + rank));
}

/** Whoever hears a call of others, or talks in none of it, listens in: that is written down. @param {TalkGroup} group */
const isOfOthers = (group) => group.may_talk === false || group.kind === "private";

/** @param {TalkGroup} group */
function kindTag(group) {
  return h("span", { class: `tag ${group.kind === "emergency" ? "bad" : ""}` }, t(`talk.kind.${group.kind}`));
}

/** @param {TalkGroup} group */
function ending(group) {
  const words = t("talk.group.end.of", { name: group.name });
  const end = (/** @type {any} */ { currentTarget }) => void busy(currentTarget, () => endGroup(group.gid));
  return h("button", { class: "quiet", title: words, "aria-label": words, "data-key": "end", onclick: end }, icon("x"));
}
