/** The list of zones: found by name, limited to a kind; new ones are drawn or come from a file. */

import { h, icon, refill } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { matches } from "../kit/pinyin.js";
import { may } from "../net/session.js";
import { go, route } from "../router.js";
import { loading, notice } from "../view/notice.js";
import { openImport } from "./import.js";
import { kindSign, windowWords } from "./look.js";
import { followPosts, isEmpty, manning, posts } from "./posts.js";
import { KINDS, zones } from "./zones.js";

/** GPX holds patrol lines only. */
const FORMATS = ["geojson", "kml", "gpx"];

/** @param {string} format */
const link = (format) => h("a", { class: "button", href: `/api/v1/zones.${format}`, download: `zones.${format}` }, format.toUpperCase());

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 * @param {(given: {shape: any, name: string}) => void} take a shape of a file that a person wants to save
 */
export function mountList(root, scope, take) {
  const find = h("input", { type: "search", placeholder: t("zone.find"), "aria-label": t("zone.find") });
  const kind = h(
    "select",
    { "aria-label": t("zone.kind") },
    h("option", { value: "" }, t("zone.kind.all")),
    KINDS.map((name) => h("option", { value: name }, t(`zone.kind.${name}`))),
  );
  const rows = h("div", { class: "rows" }, loading());
  const make = may("zones")
    ? [
        h("button", { class: "primary", onclick: () => go("/zones?edit=new") }, icon("plus"), t("zone.new"), h("kbd", {}, "Z")),
        h("button", { onclick: () => openImport(take) }, icon("upload"), t("zone.import")),
      ]
    : [];
  const files = h("div", { class: "row wrap exports" }, h("span", { class: "dim" }, t("export")), FORMATS.map(link));
  root.append(
    h("section", {}, h("div", { class: "head" }, h("h2", {}, t("zones"))), h("div", { class: "row wrap" }, make), files),
    h("section", { class: "filters stack-body" }, find, kind),
    rows,
  );
  const paint = () => {
    const all = zones.value;
    if (all === null) return;
    const chosen = route.value.query.get("zone");
    const wanted = find.value.trim();
    const found = all.filter((zone) => (!kind.value || zone.kind === kind.value) && matches(`${zone.name} ${zone.unit.name}`.toLowerCase(), wanted));
    if (!all.length) refill(rows, notice(t("zones.none"), t(may("zones") ? "zones.none.do" : "zones.none.ask"), "map"));
    else if (!found.length) refill(rows, notice(t("zones.unfound"), t("zones.unfound.do"), "search"));
    else refill(rows, h("ul", { class: "zone-list" }, found.map((zone) => row(zone, String(zone.id) === chosen))));
  };
  scope.read(zones, paint);
  scope.read(posts, paint);
  scope.read(route, paint);
  followPosts(scope);
  scope.listen(find, "input", paint);
  scope.listen(kind, "input", paint);
}

/** @param {import("./zones.js").Zone} zone @param {boolean} chosen */
function row(zone, chosen) {
  const post = posts.value.get(zone.id);
  return h(
    "li",
    { "data-key": zone.id },
    h(
      "a",
      { class: isEmpty(post) ? "zone-row empty" : "zone-row", href: `/zones?zone=${zone.id}`, "aria-current": chosen ? "true" : null },
      kindSign(zone.kind),
      h("span", { class: "grow ellipsis" }, zone.name, h("small", { class: "dim" }, ` ${zone.unit.name}`)),
      h("small", { class: "dim ellipsis" }, `${t(`zone.kind.${zone.kind}`)} · ${windowWords(zone)}`),
      manning(post),
    ),
  );
}
