/** All incidents in view, newest first. */

import { h, icon } from "../kit/dom.js";
import { when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { query } from "../net/http.js";
import { listen } from "../manage/devices.js";
import { Listing } from "../manage/listing.js";
import { busy } from "../view/notice.js";
import { createOfOfficer } from "./create.js";

/** @typedef {import("./types").Incident} Incident */

const STATES = ["all", "open", "closed"];
const NAMES_MAX = 3;

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountList(root, scope) {
  /** @type {Listing<Incident>} */
  const list = new Listing(
    [
      { label: "incident.field.title", cell: (row) => h("a", { href: `/incidents/${row.id}` }, row.title) },
      { label: "time", cell: (row) => `${when(row.from)} – ${when(row.to)}`, kind: "num" },
      { label: "incident.field.subjects", cell: namesOf },
      { label: "unit", cell: (row) => row.unit.name },
      { label: "incident.marks", cell: (row) => row.marks_count || "—", kind: "num" },
      { label: "state", cell: stateOf },
      { label: "incident.made", cell: (row) => [row.created_by ?? "", " ", h("span", { class: "dim num" }, when(row.created_at))] },
    ],
    { title: t("incidents.none"), detail: t("incidents.none.do"), icon: "file-text" },
  );
  const filters = {
    q: h("input", { type: "search", placeholder: t("incident.field.title"), "aria-label": t("incident.field.title") }),
    state: h("select", { "aria-label": t("state") }, STATES.map((state) => h("option", { value: state }, t(`incidents.${state}`)))),
  };
  const make = h("button", { class: "primary", onclick: () => void busy(make, createOfOfficer) }, icon("plus"), t("incident.new"));
  const reload = () => list.load(`/incidents${query({ q: filters.q.value.trim(), state: filters.state.value })}`);
  root.append(
    h("header", { class: "page-head" }, h("h1", {}, t("incidents")), h("div", { class: "row filters" }, Object.values(filters), make)),
    list.element,
  );
  listen(filters, reload, scope);
  void reload();
}

/** @param {Incident} incident */
export function stateOf({ closed_at }) {
  return h("span", { class: `tag ${closed_at ? "" : "warn"}` }, t(closed_at ? "incident.closed" : "incident.open"));
}

/** @param {Incident} incident */
function namesOf({ subjects }) {
  const names = subjects.slice(0, NAMES_MAX).map(({ name, number }) => (number ? `${name} ${number}` : name));
  const more = subjects.length - names.length;
  return [names.join("、"), more > 0 ? h("span", { class: "dim" }, ` +${more}`) : null];
}
