/** What an incident keeps from being erased until it is released, and what rules erased before. */

import { h, icon } from "../kit/dom.js";
import { when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { post } from "../net/http.js";
import { say } from "./say.js";

/** @typedef {import("./types").WholeIncident} Whole */

/** Whether it holds what it names. @param {Whole} incident */
export function holdOf({ released_at }) {
  return released_at ? h("span", { class: "tag", title: when(released_at) }, t("incident.released")) : h("span", { class: "tag good", title: t("incident.holds.do") }, t("incident.holds"));
}

/** Of a closed one that still holds. @param {Whole} incident @param {(incident: Whole) => void} show */
export function release(incident, show) {
  if (!incident.closed_at || incident.released_at) return null;
  const act = async (/** @type {string} */ text) => show(await post(`/incidents/${incident.id}/close`, { text, release: true }));
  return h("button", { onclick: () => say(t("incident.release"), act) }, icon("lock-open"), t("incident.release"));
}

/** What is not there any more, said plainly. @param {Whole} incident */
export function erased(incident) {
  if (!incident.erased.length) return null;
  const rows = incident.erased.map(({ what, did, name, at, until, erased_at }) =>
    h(
      "tr",
      {},
      h("td", { class: "num" }, `${when(at)} – ${when(until)}`),
      h("td", {}, t("incident.erased.row", { what: t(`subject.${what}`), who: [name, did].filter(Boolean).join(" "), at: when(erased_at) })),
    ),
  );
  const title = t("incident.erased");
  return h("section", { class: "card-box", "aria-label": title }, h("h2", {}, title), h("table", {}, h("tbody", {}, rows)));
}
