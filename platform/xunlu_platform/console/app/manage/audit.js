/** The audit log: who did or saw what. It can only be read. */

import { h } from "../kit/dom.js";
import { day, when } from "../kit/format.js";
import { t, word } from "../kit/i18n.js";
import { query } from "../net/http.js";
import { listen } from "./devices.js";
import { Listing } from "./listing.js";

/** @typedef {{id: number, at: string, username: string, action: string, target: string, detail: Record<string, unknown>, address: string | null}} AuditRow */

const DAY_MS = 86_400_000;

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountAudit(root, scope) {
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
    const from = filters.from.value ? new Date(`${filters.from.value}T00:00:00`).toISOString() : null;
    const to = filters.to.value ? new Date(new Date(`${filters.to.value}T00:00:00`).getTime() + DAY_MS).toISOString() : null;
    return list.load(`/audit${query({ q: filters.q.value.trim(), from, to })}`);
  };
  root.append(
    h(
      "div",
      { class: "main" },
      h(
        "header",
        { class: "page-head" },
        h("h1", {}, t("audit")),
        h("div", { class: "row filters" }, Object.values(filters)),
      ),
      list.element,
    ),
  );
  listen(filters, reload, scope);
  void reload();
}

/** @param {Record<string, unknown>} fields */
function detail(fields) {
  return Object.entries(fields ?? {})
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join("  ");
}
