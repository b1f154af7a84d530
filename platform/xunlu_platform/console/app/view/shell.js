/** What every view shares: top bar, alarm strip, radio, keys. The view in the middle follows the address. */

import { fill, h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { claimKey } from "../kit/keys.js";
import { mountCommand } from "../command/command.js";
import { mountIncidents } from "../incidents/page.js";
import { mountHealth } from "../manage/health.js";
import { mountManage } from "../manage/manage.js";
import { mountReports } from "../reports/page.js";
import { mountReview } from "../review/page.js";
import { mountTalkPage } from "../talk/page.js";
import { may } from "../net/session.js";
import { route } from "../router.js";
import { mountAlarmStrip } from "./alarm-strip.js";
import { openKeys } from "./keys-page.js";
import { notAllowed, notice } from "./notice.js";
import { openPalette } from "./palette.js";
import { mountPttBar } from "./ptt-bar.js";
import { mountCalls } from "./ptt-calls.js";
import { mountTopBar } from "./top-bar.js";
import { mountWall } from "../wall/view.js";
import { mountZones } from "../zones/page.js";

/** @typedef {(root: HTMLElement, scope: import("../kit/store.js").Scope) => void} View */

/** @param {string} path @returns {{name: string, mount: View}} */
function viewOf(path) {
  if (path === "/") return { name: "command", mount: mountCommand };
  if (path === "/wall" || path.startsWith("/wall/")) return { name: "wall", mount: mountWall };
  if (path === "/review") return { name: "review", mount: mountReview };
  if (path === "/reports") return { name: "reports", mount: mountReports };
  if (path === "/incidents" || path.startsWith("/incidents/")) return { name: "incidents", mount: mountIncidents };
  if (path === "/manage" || path.startsWith("/manage/")) return { name: "manage", mount: mountManage };
  if (path === "/talk" || path.startsWith("/talk/"))
    return { name: "talk", mount: may("talk") ? mountTalkPage : (root) => root.append(notAllowed()) };
  if (path === "/zones") return { name: "zones", mount: mountZones };
  if (path === "/health")
    return { name: "health", mount: may("system") ? mountHealth : (root) => root.append(notAllowed()) };
  return { name: "nowhere", mount: (root) => root.append(notice(t("lost"), t("lost.do"), "map")) };
}

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountShell(root, scope) {
  const bar = h("header", { class: "top" });
  const stage = h("main", { class: "stage", id: "stage" });
  const strip = h("section", { class: "alarms", "aria-label": t("alarms"), hidden: true });
  const radio = h("footer", { class: "ptt", "aria-label": t("talk") });
  root.append(h("a", { class: "visually-hidden", href: "#stage" }, t("skip")), bar, stage, strip);
  if (may("talk")) {
    mountCalls(root, scope);
    root.append(radio);
  }
  mountTopBar(bar, scope);
  mountAlarmStrip(strip, scope);
  if (may("talk")) mountPttBar(radio, scope);
  claimKey(scope, "?", "key.help", openKeys);
  claimKey(scope, "Ctrl+K", "key.palette", openPalette);
  let shown = "";
  let inner = scope.inner();
  scope.read(route, ({ path }) => {
    const { name, mount } = viewOf(path);
    if (name === shown) return;
    shown = name;
    inner.close();
    inner = scope.inner();
    stage.className = `stage ${name}`;
    mount(fill(stage), inner);
  });
}
