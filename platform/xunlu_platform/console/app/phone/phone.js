/**
 * The page of a duty telephone: a radio with one large key, a recorder that can be watched, and an SOS key. It can be
 * installed, and stands at once on a weak network.
 */

import { h, icon, refill } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { may, me, signOut } from "../net/session.js";
import * as talk from "../state/talk.js";
import { languageButton } from "../view/language.js";
import { complain, notAllowed } from "../view/notice.js";
import { openGroups } from "../view/ptt-groups.js";
import { mountCalls } from "../view/ptt-calls.js";
import { holdToTalk, letGoWithThePage, LONG_PRESS_MS, NORMAL } from "../view/ptt-key.js";
import { EMERGENCY, keyWords, phase, standing, whoTalks } from "../view/ptt-words.js";
import { stayAwake } from "./awake.js";
import { mountDuty, mountWatched } from "./duty.js";
import { mountInbox } from "./inbox.js";
import { mountSos } from "./sos.js";
import { telephone } from "./telephone.js";

/** @typedef {import("../kit/store.js").Scope} Scope */

/**
 * @param {HTMLElement} root
 * @param {Scope} scope
 */
export function mountPhone(root, scope) {
  const page = h("main", { class: "phone" }, head());
  root.append(page);
  if (!may("talk")) return void page.append(notAllowed());
  const phone = telephone.value;
  if (phone) mountWatched(page, scope, phone);
  mountCalls(page, scope);
  mountRadio(page, scope);
  if (phone) {
    mountSos(page, scope, phone);
    // Whoever talks and then calls for help talks on, and before everybody else.
    scope.read(phone.sos, (sos) => void (sos && talk.isHeld() && talk.press(EMERGENCY)));
    mountDuty(page, scope, phone);
  }
  mountInbox(page, scope);
  stayAwake(scope);
  if ("serviceWorker" in navigator) void navigator.serviceWorker.register("/worker.js", { scope: "/phone" }).catch(complain);
}

function head() {
  const leave = () => void signOut().catch(complain);
  return h(
    "header",
    { class: "row" },
    h("b", {}, t("brand")),
    h("span", { class: "grow ellipsis dim" }, me.value?.display_name ?? ""),
    languageButton(),
    h("button", { class: "quiet", onclick: leave, "aria-label": t("signout"), title: t("signout") }, icon("log-out")),
  );
}

/** @param {HTMLElement} page @param {Scope} scope */
function mountRadio(page, scope) {
  const group = h("button", { class: "phone-group", onclick: () => openGroups(key), "aria-haspopup": "dialog" });
  const who = h("p", { class: "phone-who", role: "status" });
  const key = h("button", { class: "phone-key" });
  const told = h("p", { class: "ptt-told", role: "status" });
  const again = h("button", { onclick: () => talk.rejoin() }, icon("refresh-cw"), t("talk.rejoin"));
  const emergency = h("button", { class: "danger phone-emergency" }, icon("siren"), t("talk.emergency"), h("small", {}, t("talk.emergency.hold")));
  const mute = h("button", { onclick: () => talk.muted.set(!talk.muted.value) });
  holdToTalk(key, { urgency: () => (telephone.value?.sos.value ? EMERGENCY : NORMAL) });
  holdToTalk(emergency, { urgency: () => EMERGENCY, after_ms: LONG_PRESS_MS });
  letGoWithThePage(scope);
  page.append(group, who, key, told, again, h("div", { class: "phone-row" }, mute, emergency));
  const paint = () => {
    page.dataset["phase"] = phase();
    const chosen = talk.mainGroup();
    const online = chosen ? (talk.members.value.get(chosen.gid)?.length ?? 0) : 0;
    refill(group, icon("users"), h("b", { class: "grow ellipsis" }, chosen?.name ?? t("talk.group.choose")), chosen ? t("people", { n: online }) : null, icon("chevron-down"));
    refill(key, icon(talk.key.value.phase === "talking" ? "mic" : "radio"), keyWords());
    again.hidden = talk.net.value.state !== "off";
    retell();
  };
  const retell = () => {
    if (who.textContent !== whoTalks()) who.textContent = whoTalks();
    if (told.textContent !== standing()) told.textContent = standing();
  };
  for (const store of [talk.net, talk.key, talk.talks, talk.groups, talk.members, talk.tuning, talk.hears, talk.rights])
    scope.read(/** @type {import("../kit/store.js").Store<any>} */ (store), paint);
  scope.read(talk.muted, (off) => refill(mute, icon(off ? "volume-x" : "volume-2"), t(off ? "talk.unmute" : "talk.mute")));
  scope.read(talk.complaint, (problem) => problem && (complain(problem), talk.complaint.set(null)));
  scope.every(1000, retell);
}
