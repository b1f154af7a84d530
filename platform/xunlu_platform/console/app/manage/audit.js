/** The audit: who did what, and who watched whom. It can only be read. */

import { fill, h, icon, markCurrent } from "../kit/dom.js";
import { day, when } from "../kit/format.js";
import { t, word } from "../kit/i18n.js";
import { query } from "../net/http.js";
import { route } from "../router.js";
import { periodOf } from "./choices.js";
import { listen } from "./devices.js";
import { Listing } from "./listing.js";
import { mountViewings } from "./viewings.js";

/** @typedef {{id: number, at: string, username: string, action: string, target: string, detail: Record<string, unknown>, address: string | null}} AuditRow */

const DAY_MS = 86_400_000;

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountAudit(root, scope) {
  const tabs = [
    h("a", { href: "/manage/audit" }, icon("history"), t("audit.actions")),
    h("a", { href: "/manage/audit/viewings" }, icon("eye"), t("viewings")),
  ];
  const head = h("header", { class: "page-head" }, h("h1", {}, t("audit")), h("nav", { class: "tabs", "aria-label": t("audit") }, tabs));
  const body = h("div", {});
  root.append(h("div", { class: "main" }, head, body));
  let inner = scope.inner();
  let shown = "";
  scope.read(route, ({ path }) => {
    if (path === shown || !path.startsWith("/manage/audit")) return;
    shown = path;
    inner.close();
    inner = scope.inner();
    markCurrent(tabs, ({ pathname }) => pathname === path);
    fill(body);
    if (path === "/manage/audit/viewings") mountViewings(body, inner);
    else mountActions(body, inner);
  });
}

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 */
function mountActions(root, scope) {
  /** @type {Listing<AuditRow>} */
  const list = new Listing(
    [
      { label: "time", cell: (row) => when(row.at), kind: "num" },
      { label: "username", cell: (row) => row.username },
      { label: "audit.action", cell: (row) => word("action", row.action) },
      { label: "audit.target", cell: (row) => row.target, kind: "mono" },
      { label: "audit.detail", cell: (row) => detail(row.detail), kind: "mono dim" },
      { label: "audit.address", cell: (row) => row.address ?? "—", kind: "mono dim" },
    ],
    { title: t("audit.none"), detail: t("audit.none.do"), icon: "history" },
  );
  const filters = {
    q: h("input", { type: "search", placeholder: t("audit.find"), "aria-label": t("audit.find") }),
    from: h("input", { type: "date", "aria-label": t("from"), value: day(Date.now() - 6 * DAY_MS) }),
    to: h("input", { type: "date", "aria-label": t("to"), value: day(Date.now()) }),
  };
  const reload = () => {
    const period = periodOf(filters.from.value, filters.to.value);
    return list.load(`/audit${query({ q: filters.q.value.trim(), ...period })}`);
  };
  root.append(h("div", { class: "row filters" }, Object.values(filters)), list.element);
  listen(filters, reload, scope);
  void reload();
}

/** @param {Record<string, unknown>} fields */
function detail(fields) {
  return Object.entries(fields ?? {})
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join("  ");
}
