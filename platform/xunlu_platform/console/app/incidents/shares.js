/** Secret addresses of an incident: for whom, until when, and who was there. */

import { fill, h, icon } from "../kit/dom.js";
import { when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { get, post } from "../net/http.js";
import { ask, openDialog, showOnce } from "../view/dialog.js";
import { busy, failure, loading } from "../view/notice.js";

/** @typedef {import("./types").Share} Share */

const HOURS = [24, 72, 168, 720];

/** @param {import("./types").Incident} incident */
export function openShares({ id, title }) {
  const list = h("div", { class: "listing" }, loading());
  const make = h("button", { class: "primary", onclick: () => add(id, () => void load()) }, icon("plus"), t("incident.share.new"));
  const dialog = openDialog(`${t("incident.share")} · ${title}`, h("div", { class: "body stack-body" }, h("p", { class: "dim" }, t("incident.share.do")), list, h("footer", {}, make)));
  dialog.classList.add("broad");
  const load = async () => {
    try {
      /** @type {Share[]} */
      const shares = await get(`/incidents/${id}/shares`);
      const rows = shares.map((share) => row(id, share, () => void load()));
      fill(list, rows.length ? h("table", {}, h("tbody", {}, rows)) : h("p", { class: "dim" }, t("incident.share.none")));
    } catch (problem) {
      fill(
        list,
        failure(problem, () => void load()),
      );
    }
  };
  void load();
}

/** @param {number} id @param {Share} share @param {() => void} changed */
function row(id, share, changed) {
  const over = Date.parse(share.expires_at) <= Date.now();
  const state = share.revoked_at ? "revoked" : over ? "over" : "open";
  const end = h("button", { class: "danger", onclick: () => void busy(end, async () => (await post(`/incidents/${id}/shares/${share.id}/revoke`), changed())) }, t("incident.share.revoke"));
  const visits = share.openings.map(({ at, address, what }) => h("li", { class: "row" }, h("time", { class: "num faint" }, when(at)), h("span", { class: "mono" }, address ?? "—"), h("span", { class: "dim" }, what === "page" ? t("incident.share.page") : what)));
  const opened = t("incident.share.opened", { n: share.openings_count });
  return h(
    "tr",
    {},
    h("td", {}, h("b", {}, share.label), h("div", { class: "dim" }, `${share.author} · ${when(share.made_at)}`)),
    h("td", {}, h("span", { class: `tag ${state === "open" ? "good" : ""}` }, t(`incident.share.${state}`)), h("div", { class: "dim num" }, t("incident.share.until", { at: when(share.expires_at) }))),
    h("td", {}, visits.length ? h("details", {}, h("summary", {}, opened), h("ul", { class: "history" }, visits)) : opened),
    h("td", { class: "end" }, state === "open" ? end : null),
  );
}

/** @param {number} id @param {() => void} changed */
function add(id, changed) {
  const questions = [
    { name: "label", label: t("incident.share.label"), control: h("input", { maxlength: 120, required: true }) },
    { name: "hours", label: t("incident.share.expires"), control: h("select", {}, HOURS.map((hours) => h("option", { value: hours, selected: hours === 72 }, t("days", { n: hours / 24 })))) },
  ];
  ask(t("incident.share.new"), questions, t("create"), async ({ label, hours }) => {
    const made = await post(`/incidents/${id}/shares`, { label, hours: Number(hours) });
    changed();
    showOnce(t("incident.share"), t("incident.share.once"), [
      [t("incident.share.label"), made.label],
      [t("incident.share.address"), new URL(made.path, location.origin).href],
    ]);
  });
}
