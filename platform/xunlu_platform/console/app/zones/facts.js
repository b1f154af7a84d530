/** One zone: what it is, what came of it, what it was; changing and ending it. */

import { fill, h, icon } from "../kit/dom.js";
import { when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { del, get } from "../net/http.js";
import { may } from "../net/session.js";
import { go } from "../router.js";
import { ask } from "../view/dialog.js";
import { failure, loading } from "../view/notice.js";
import { mountCoverage } from "./coverage.js";
import { mountZoneEvents } from "./events.js";
import { kindSign, windowWords } from "./look.js";
import { mountPresence } from "./presence.js";
import { loadZones } from "./zones.js";

/** @typedef {import("./zones.js").Zone} Zone */
/** @typedef {import("../kit/store.js").Scope} Scope */
/** @typedef {(root: HTMLElement, scope: Scope) => void} Tab */

/**
 * @param {HTMLElement} root
 * @param {any} map Leaflet's
 * @param {Scope} scope
 * @param {Zone} zone
 */
export function mountFacts(root, map, scope, zone) {
  const close = h("button", { class: "quiet", "aria-label": t("close"), onclick: () => go("/zones") }, icon("x"));
  const sign = h("div", { class: "row" }, kindSign(zone.kind), t(`zone.kind.${zone.kind}`), h("span", { class: "dim" }, zone.unit.name));
  root.append(h("header", { class: "who" }, h("div", { class: "grow" }, h("h2", {}, zone.name), sign), close), facts(zone));
  if (may("zones")) root.append(actions(zone));
  const tracks = may("track");
  /** @type {[string, Tab][]} */
  const tabs = [
    ...(tracks
      ? /** @type {[string, Tab][]} */ ([
          ["presence", (box, inner) => mountPresence(box, inner, zone)],
          ["coverage", (box, inner) => mountCoverage(box, map, inner, zone)],
          ["events", (box, inner) => mountZoneEvents(box, inner, { zone: zone.id })],
        ])
      : []),
    ["versions", (box, inner) => void showVersions(box, inner, zone)],
  ];
  mountTabs(root, scope, tabs);
}

/** @param {Zone} zone */
function facts(zone) {
  const people = [...zone.units.map(({ name }) => name), ...zone.officers.map(({ name, number }) => `${name} ${number}`)];
  /** @type {[string, string][]} */
  const rows = [
    ["zone.window", windowWords(zone)],
    ["zone.dwell", zone.dwell_s_max ? t("zone.dwell.words", { n: Math.round(zone.dwell_s_max / 60) }) : t("zone.dwell.none")],
    ["zone.audience", people.length ? people.join(", ") : t("zone.audience.all", { unit: zone.unit.name })],
    ["zone.since", when(zone.valid_from)],
    ["zone.alarms", t(`zone.alarms.${zone.kind}`)],
    ["zone.severity", t(`zone.severity.${zone.severity ?? "kind"}`)],
  ];
  return h("dl", { class: "facts long zone-facts" }, rows.flatMap(([label, value]) => [h("dt", {}, t(label)), h("dd", {}, value)]));
}

/** @param {Zone} zone */
function actions(zone) {
  const end = () =>
    ask(t("zone.end"), [], t("zone.end"), async () => {
      await del(`/zones/${zone.id}`);
      go("/zones");
      await loadZones();
    }, { danger: true, text: t("zone.end.do", { name: zone.name }) });
  return h(
    "div",
    { class: "actions wide-actions" },
    h("button", { onclick: () => go(`/zones?zone=${zone.id}&edit=1`) }, icon("pencil"), t("edit")),
    h("button", { class: "danger", onclick: end }, icon("trash-2"), t("zone.end")),
  );
}

/**
 * @param {HTMLElement} root
 * @param {Scope} scope
 * @param {[string, Tab][]} tabs
 */
function mountTabs(root, scope, tabs) {
  const box = h("div", { role: "tabpanel", class: "zone-tab" });
  let inner = scope.inner();
  const buttons = tabs.map(([name, mount]) => {
    const open = () => {
      inner.close();
      inner = scope.inner();
      for (const other of buttons) other.setAttribute("aria-selected", String(other === button));
      mount(fill(box), inner);
    };
    const button = h("button", { role: "tab", class: "quiet", "aria-selected": "false", onclick: open }, t(`zone.tab.${name}`));
    return button;
  });
  root.append(h("div", { class: "row zone-tabs", role: "tablist", "aria-label": t("zone") }, buttons), box);
  buttons[0]?.click();
}

/**
 * @param {HTMLElement} root
 * @param {Scope} scope
 * @param {Zone} zone
 */
async function showVersions(root, scope, zone) {
  fill(root, loading());
  try {
    /** @type {(Zone & {made_by: string | null})[]} */
    const versions = await get(`/zones/${zone.id}/versions`);
    if (scope.closed) return;
    const rows = versions.map((version) =>
      h(
        "li",
        {},
        h("b", { class: "num" }, `${when(version.valid_from)} – ${version.valid_to ? when(version.valid_to) : t("until.now")}`),
        h("div", { class: "dim" }, windowWords(version), version.made_by ? ` · ${version.made_by}` : ""),
      ),
    );
    fill(root, h("section", {}, h("ol", { class: "history" }, rows)));
  } catch (problem) {
    fill(root, failure(problem));
  }
}
