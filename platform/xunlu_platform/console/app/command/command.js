/** The command view: panels over a map that is always there. */

import { h, icon } from "../kit/dom.js";
import { when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { claimKey } from "../kit/keys.js";
import { link } from "../net/stream.js";
import { go, route } from "../router.js";
import { may } from "../net/session.js";
import { followed, gathered, selected, sidebar, tool, watching } from "../state/desk.js";
import { mountDrawer } from "../drawer/drawer.js";
import { putOnWall } from "../drawer/live.js";
import { mountMap } from "../map/map.js";
import { mountPast } from "../past/bar.js";
import { openReview } from "../review/open.js";
import { found } from "../who/found.js";
import { mountSidebar } from "./sidebar.js";
import { showDevice } from "./show.js";

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountCommand(root, scope) {
  const map = h("div", { class: "map", role: "application", "aria-label": t("map") });
  const left = h("aside", { class: "left", "aria-label": t("organisation") });
  const right = h("aside", { class: "right", "aria-label": t("details"), hidden: true });
  const lost = h("div", { class: "lost", role: "alert", hidden: true });
  const unfold = h(
    "button",
    { class: "unfold", "aria-label": t("sidebar"), title: t("sidebar"), onclick: () => sidebar.set(!sidebar.value) },
    icon("panel-left"),
  );
  root.append(map, left, right, unfold, lost);
  scope.read(route, ({ path, query }) => path === "/" && selected.set(query.get("device")));
  scope.read(sidebar, (open) => {
    root.classList.toggle("folded", !open);
    left.inert = !open;
    unfold.setAttribute("aria-expanded", String(open));
  });
  scope.read(link, ({ state, since_ms }) => {
    const away = state === "lost" || state === "crowded" || state === "forbidden";
    lost.hidden = !away;
    root.classList.toggle("unlinked", state === "lost" || state === "crowded");
    lost.classList.toggle("calm", state === "forbidden");
    lost.textContent = away ? t(`link.${state}.do`, { since: when(since_ms) }) : "";
  });
  mountDrawer(right, scope);
  mountSidebar(left, scope);
  mountMap(map, scope);
  claimKeys(scope);
  mountPast(root, scope);
}

/** @param {import("../kit/store.js").Scope} scope */
function claimKeys(scope) {
  claimKey(scope, "F", "key.follow", () => followed.set(followed.value === selected.value ? null : selected.value));
  claimKey(scope, "C", "key.centre", () => selected.value && showDevice(selected.value));
  if (may("review")) claimKey(scope, "R", "key.review", () => void openReview(selected.value));
  if (may("live")) {
    claimKey(scope, "V", "key.video", () => watching.set(watching.value === selected.value ? null : selected.value));
    claimKey(scope, "W", "key.wall.add", () => selected.value && putOnWall(selected.value));
  }
  claimKey(scope, "Z", "key.zones", () => go("/zones"));
  claimKey(scope, "L", "key.sidebar", () => sidebar.set(!sidebar.value));
  claimKey(scope, "Escape", "key.clear", () => {
    if (tool.value !== "none") tool.set("none");
    else if (followed.value !== null) followed.set(null);
    else if (selected.value !== null) showDevice(null);
    else if (found.value !== null) found.set(null);
    else gathered.set(null);
  });
}
