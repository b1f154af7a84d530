/** The live picture in the drawer: by key or button, or with every selection; it goes when the drawer closes. */

import { fill, h, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { SavedStore } from "../kit/store.js";
import { Picture } from "../live/picture.js";
import { tool } from "../live/picture-tools.js";
import { may } from "../net/session.js";
import { watching } from "../state/desk.js";
import { toast } from "../view/notice.js";
import { addToWall } from "../wall/wall.js";

/** Whether choosing a recorder shows its picture at once. */
const playAtSelection = new SavedStore("live.selection", false);

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 * @param {string} did
 */
export function mountLive(root, scope, did) {
  const box = h("section", { class: "live-box" });
  root.append(box);
  if (!may("live")) return void box.append(h("p", { class: "dim" }, t("live.denied")));
  watching.set(playAtSelection.value || watching.value === did ? did : null);
  scope.onClose(() => watching.set(null));
  let inner = scope.inner();
  scope.read(watching, (who) => {
    inner.close();
    inner = scope.inner();
    fill(box, who === did ? picture(did, inner) : invitation(did, inner));
  });
}

/**
 * @param {string} did
 * @param {import("../kit/store.js").Scope} scope
 */
function picture(did, scope) {
  const onWall = tool("layout-grid", `${t("wall.add")} (W)`, () => putOnWall(did));
  const close = tool("x", `${t("live.close")} (V)`, () => watching.set(null));
  return new Picture(did, scope, [onWall, close]).element;
}

/**
 * @param {string} did
 * @param {import("../kit/store.js").Scope} scope
 */
function invitation(did, scope) {
  const play = h(
    "button",
    { class: "primary grow", "data-live": "play", onclick: () => watching.set(did) },
    icon("video"),
    t("live"),
    h("kbd", {}, "V"),
  );
  const always = h("input", { type: "checkbox", onchange: () => playAtSelection.set(always.checked) });
  scope.read(playAtSelection, (on) => (always.checked = on));
  return h("div", { class: "row" }, play, h("label", { class: "row dim" }, always, t("live.selection")));
}

/** @param {string} did */
export function putOnWall(did) {
  addToWall(did);
  toast(t("wall.added"), "good");
}
