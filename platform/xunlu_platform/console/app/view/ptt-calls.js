/** Who calls: a line for each call that nobody answered here yet, with a tone; one key or one press answers. */

import { h, icon, refill } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { claimKey } from "../kit/keys.js";
import { playTone } from "../kit/sound.js";
import { ended } from "../state/calls.js";
import { answer, incoming, quiet } from "../state/incoming.js";
import { talks } from "../state/talk.js";
import { toast } from "./notice.js";
import { focusKey } from "./ptt-key.js";

const RING_MS = 4_000;
/** So long it rings. */
const RINGING_MS = 30_000;
const SHAKE_MS = [300, 200, 300];
const SIGNS = /** @type {Record<string, string>} */ ({ emergency: "siren", private: "phone", broadcast: "megaphone" });

/** @typedef {import("../state/incoming.js").Incoming} Incoming */

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountCalls(root, scope) {
  const list = h("section", { class: "calls", role: "alert", "aria-label": t("talk.calls") });
  root.append(list);
  scope.read(incoming, (calls) => {
    list.hidden = calls.length === 0;
    refill(list, calls.map((call, i) => row(call, i === 0)));
  });
  ring(scope);
  claimKey(scope, "J", "key.talk.answer", () => incoming.value[0] && take(incoming.value[0]));
  scope.read(ended, (group) => {
    if (!group) return;
    ended.set(null);
    playTone("revoked");
    toast(t("talk.group.over", { name: group.name }));
  });
}

/** @param {Incoming} call */
function take(call) {
  answer(call);
  focusKey();
}

/** @param {Incoming} call @param {boolean} isFirst has the key */
function row(call, isFirst) {
  const { gid, kind, name, may_talk } = call;
  const key = isFirst ? h("kbd", {}, "J") : null;
  const first = h("button", { class: "primary", onclick: () => take(call) }, icon(may_talk ? "phone" : "check"), t(may_talk ? "talk.call.answer" : "talk.call.heard"), key);
  const away = may_talk ? h("button", { onclick: () => quiet(gid) }, icon("x"), t("talk.call.ignore")) : null;
  const words = h("b", { class: "grow ellipsis" }, t("talk.call.from", { name }));
  return h("div", { class: `row is-${kind}`, "data-key": gid, "data-gid": gid }, icon(SIGNS[kind] ?? "users"), h("span", { class: "tag" }, t(`talk.kind.${kind}`)), words, first, away);
}

/** It rings until it is answered; the voice of who calls goes before, and what is only heard rings once. @param {import("../kit/store.js").Scope} scope */
function ring(scope) {
  let rang_ms = 0;
  const tick = () => {
    const now_ms = Date.now();
    const isDue = (/** @type {Incoming} */ { gid, may_talk, since_ms }) =>
      since_ms > rang_ms || (may_talk && !talks.value.has(gid) && now_ms - rang_ms >= RING_MS);
    if (!incoming.value.some((call) => now_ms - call.since_ms < RINGING_MS && isDue(call))) return;
    rang_ms = now_ms;
    playTone("call");
    // Browsers let a page shake only after a gesture.
    if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(SHAKE_MS);
  };
  scope.read(incoming, tick);
  scope.every(1000, tick);
}
