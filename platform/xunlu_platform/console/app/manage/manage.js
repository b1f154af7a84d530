/** Management: one page for each noun, each with an address of its own. */

import { fill, h, icon, markCurrent } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { may } from "../net/session.js";
import { route } from "../router.js";
import { notAllowed, notice } from "../view/notice.js";
import { mountAlarms } from "./alarms.js";
import { mountAudit } from "./audit.js";
import { mountDeadLetters } from "./dead-letters.js";
import { mountDevices } from "./devices.js";
import { mountExpected } from "./expected.js";
import { mountOfficers } from "./officers.js";
import { mountOrganisation } from "./organisation.js";
import { mountRetention } from "./retention.js";
import { mountUsers } from "./users.js";
import { mountRoster } from "../roster/page.js";
import { mountMovements } from "../zones/events.js";

/** @typedef {{name: string, label: string, icon: string, allowed: () => boolean, mount: import("../view/shell.js").View}} Section */

/** @type {Section[]} */
const SECTIONS = [
  { name: "devices", label: "devices", icon: "smartphone", allowed: () => true, mount: mountDevices },
  { name: "expected", label: "expected", icon: "upload", allowed: () => may("devices"), mount: mountExpected },
  { name: "organisation", label: "organisation", icon: "building-2", allowed: () => true, mount: mountOrganisation },
  { name: "officers", label: "officers", icon: "users", allowed: () => true, mount: mountOfficers },
  { name: "roster", label: "roster", icon: "clock", allowed: () => true, mount: mountRoster },
  { name: "alarms", label: "alarms", icon: "bell", allowed: () => may("events"), mount: mountAlarms },
  { name: "zone-events", label: "zone.events", icon: "map", allowed: () => may("track"), mount: mountMovements },
  { name: "users", label: "users", icon: "id-card", allowed: () => may("users"), mount: mountUsers },
  { name: "audit", label: "audit", icon: "history", allowed: () => may("audit"), mount: mountAudit },
  { name: "retention", label: "retention", icon: "hard-drive", allowed: () => may("system"), mount: mountRetention },
  {
    name: "dead-letters",
    label: "dead-letters",
    icon: "triangle-alert",
    allowed: () => may("system"),
    mount: mountDeadLetters,
  },
];

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountManage(root, scope) {
  const links = SECTIONS.filter((section) => section.allowed()).map((section) =>
    h("a", { href: `/manage/${section.name}` }, icon(section.icon), t(section.label)),
  );
  const page = h("div", { class: "page" });
  root.append(h("nav", { class: "sections", "aria-label": t("nav.manage") }, links), page);
  let inner = scope.inner();
  let shown = "";
  scope.read(route, ({ path }) => {
    const name = path.split("/")[2] ?? "devices";
    markCurrent(links, (link) => link.pathname === `/manage/${name}`);
    if (name === shown || !path.startsWith("/manage")) return;
    shown = name;
    inner.close();
    inner = scope.inner();
    const section = SECTIONS.find((candidate) => candidate.name === name);
    fill(page);
    if (!section) page.append(notice(t("lost"), t("lost.do"), "map"));
    else if (!section.allowed()) page.append(notAllowed());
    else section.mount(page, inner);
  });
}
