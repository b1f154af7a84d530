/** Who came and went: of a zone, of a device, or all of them. */

import { fill, h } from "../kit/dom.js";
import { when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { query } from "../net/http.js";
import { listen } from "../manage/devices.js";
import { Listing } from "../manage/listing.js";
import { periodOf } from "../manage/choices.js";
import { failure, loading } from "../view/notice.js";
import { kindSign } from "./look.js";
import { followMovements } from "./movements.js";
import { loadZones, zones } from "./zones.js";

/** @typedef {import("./movements.js").Movement} Movement */

/** What happened, with its marks: at a post people come on and go off. @param {Movement} movement */
function what({ zone, kind, reason, severity, late, withdrawn_at }) {
  const words = t(zone?.kind === "post" && kind !== "dwell" ? `zone.event.post.${kind}` : `zone.event.${kind}`);
  return [
    h("span", { class: withdrawn_at ? "struck" : null }, words, reason ? ` (${t(`zone.reason.${reason}`)})` : ""),
    severity ? h("span", { class: `tag ${withdrawn_at ? "" : severity > 1 ? "bad" : "warn"}` }, t(`zone.severity.${severity}`)) : null,
    late ? h("span", { class: "tag" }, t("late")) : null,
    withdrawn_at ? h("span", { class: "tag warn" }, t("zone.withdrawn")) : null,
  ];
}

/** @param {Movement} movement */
const who = ({ officer, did }) => h("a", { href: `/?device=${encodeURIComponent(did)}` }, officer ? `${officer.name} ${officer.number}` : did);

/** @param {Movement} movement */
const where = ({ zone }) =>
  zone ? h("a", { class: "row", href: `/zones?zone=${zone.id}` }, kindSign(zone.kind), zone.name) : h("span", { class: "dim" }, t("review.zone.hidden"));

/**
 * The last ones of a zone or of a device, newest first, as they happen.
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 * @param {{zone?: number, did?: string}} filter
 */
export function mountZoneEvents(root, scope, filter) {
  const list = h("ol", { class: "events", "aria-live": "polite" }, h("li", {}, loading()));
  root.append(h("section", {}, h("h3", {}, t("zone.events")), list));
  const row = (/** @type {Movement} */ one) =>
    h("li", { class: "row wrap" }, h("time", { class: "faint num" }, when(one.at)), ...what(one), filter.did ? where(one) : who(one));
  const show = (/** @type {Movement[]} */ found) => void fill(list, found.length ? found.map(row) : h("li", { class: "dim" }, t("zone.events.none")));
  followMovements(scope, filter, show, (problem, again) => void fill(list, h("li", {}, failure(problem, again))));
}

/**
 * The page of all of them.
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountMovements(root, scope) {
  /** @type {Listing<Movement>} */
  const list = new Listing(
    [
      { label: "time", cell: (one) => when(one.at), kind: "num" },
      { label: "zone", cell: where },
      { label: "zone.event", cell: what },
      { label: "officer", cell: who },
    ],
    { title: t("zone.events.none"), detail: t("zone.events.none.do"), icon: "map" },
  );
  const filters = {
    zone: h("select", { "aria-label": t("zone") }, h("option", { value: "" }, t("zone.all"))),
    from: h("input", { type: "date", "aria-label": t("from") }),
    to: h("input", { type: "date", "aria-label": t("to") }),
    withdrawn: h("input", { type: "checkbox" }),
  };
  const reload = () =>
    list.load(`/zones/events${query({ zone: filters.zone.value, ...periodOf(filters.from.value, filters.to.value), withdrawn: filters.withdrawn.checked ? "true" : null })}`);
  const withdrawn = h("label", { class: "row" }, filters.withdrawn, t("zone.withdrawn.show"));
  const head = h("header", { class: "page-head" }, h("h1", {}, t("zone.events")), h("div", { class: "row filters" }, filters.zone, filters.from, filters.to, withdrawn));
  root.append(h("div", { class: "main" }, head, list.element));
  if (zones.value === null) void loadZones().catch(() => undefined);
  scope.read(zones, (all) => fill(filters.zone, h("option", { value: "" }, t("zone.all")), (all ?? []).map(({ id, name }) => h("option", { value: id }, name))));
  listen(filters, reload, scope);
  void reload();
}
