/** The view of the wall: the list of recorders to choose from, and the live pictures or the thumbnails of all. */

import { fill, h, icon, markCurrent } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { claimKey } from "../kit/keys.js";
import { may } from "../net/session.js";
import { route } from "../router.js";
import { sidebar } from "../state/desk.js";
import { mountSidebar } from "../command/sidebar.js";
import { notice } from "../view/notice.js";
import { mountThumbnails } from "./thumbnails.js";
import { mountPictures } from "./wall.js";

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountWall(root, scope) {
  if (!may("live")) return void root.append(notice(t("live.denied"), t("live.denied.do"), "lock"));
  const left = h("aside", { class: "left", "aria-label": t("organisation") });
  const fold = () => sidebar.set(!sidebar.value);
  const tabs = [
    h("a", { href: "/wall" }, icon("video"), t("wall.pictures")),
    h("a", { href: "/wall/thumbnails" }, icon("images"), t("wall.thumbnails")),
  ];
  const unfold = h("button", { class: "quiet", "aria-label": t("sidebar"), title: t("sidebar"), onclick: fold }, icon("panel-left"));
  const head = h("nav", { class: "wall-tabs", "aria-label": t("nav.wall") }, unfold, tabs);
  const body = h("section", { class: "wall-body" });
  root.append(left, h("div", { class: "wall-main" }, head, body));
  mountSidebar(left, scope);
  claimKey(scope, "L", "key.sidebar", fold);
  scope.read(sidebar, (open) => {
    root.classList.toggle("folded", !open);
    left.inert = !open;
    unfold.setAttribute("aria-expanded", String(open));
  });
  let inner = scope.inner();
  let shown = "";
  scope.read(route, ({ path }) => {
    if (path === shown || !path.startsWith("/wall")) return;
    shown = path;
    inner.close();
    inner = scope.inner();
    markCurrent(tabs, ({ pathname }) => pathname === path);
    fill(body);
    if (path === "/wall/thumbnails") mountThumbnails(body, inner);
    else mountPictures(body, inner);
  });
}
