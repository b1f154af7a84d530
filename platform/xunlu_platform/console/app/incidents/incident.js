/** One incident: whom, when and where, its steps and notes, and the ways out of it. */

import { fill, h, icon } from "../kit/dom.js";
import { when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { get, patch, post } from "../net/http.js";
import { officerPicker } from "../manage/choices.js";
import { ask } from "../view/dialog.js";
import { busy, failure, loading } from "../view/notice.js";
import { openExports } from "./exports.js";
import { askIncident } from "./form.js";
import { erased, holdOf, release } from "./hold.js";
import { stateOf } from "./list.js";
import { placeCard } from "./place.js";
import { marks, notes } from "./record.js";
import { replayOf } from "./replay.js";
import { say } from "./say.js";
import { openShares } from "./shares.js";

/** @typedef {import("./types").WholeIncident} Whole */
/** @typedef {(incident: Whole) => void} Show */

/**
 * @param {HTMLElement} root
 * @param {number} id
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountIncident(root, id, scope) {
  const box = h("div", { class: "incident" }, loading());
  root.append(box);
  /** @type {Whole} */
  let shown;
  /** @type {Show} */
  const show = (incident) => {
    if (scope.closed) return;
    shown = incident;
    fill(box, head(incident, show), facts(incident, show), h("div", { class: "cards" }, place.element, marks(incident, show), notes(incident, show), erased(incident)));
    place.show(incident.place);
  };
  const place = placeCard(
    scope,
    () => edit(shown, show),
    () => patch(`/incidents/${id}`, { place: null }).then(show),
  );
  const load = async () => {
    try {
      show(await get(`/incidents/${id}`));
    } catch (problem) {
      fill(
        box,
        failure(problem, () => void load()),
      );
    }
  };
  void load();
}

/** @param {Whole} incident @param {Show} show */
function head(incident, show) {
  const path = `/incidents/${incident.id}`;
  const turn = incident.closed_at ? "reopen" : "close";
  const ways = [
    h("a", { class: "button primary", href: replayOf(incident) }, icon("play"), t("review.open")),
    h("button", { onclick: () => edit(incident, show) }, icon("pencil"), t("edit")),
    h("button", { onclick: () => openShares(incident) }, icon("link"), t("incident.share")),
    h("button", { onclick: () => openExports(incident) }, icon("download"), t("export")),
    h("button", { onclick: () => say(t(`incident.${turn}.do`), async (text) => show(await post(`${path}/${turn}`, { text }))) }, icon(incident.closed_at ? "rotate-ccw" : "check"), t(`incident.${turn}.do`)),
    release(incident, show),
  ];
  return h(
    "header",
    { class: "page-head" },
    h("div", { class: "row" }, h("a", { class: "button quiet", href: "/incidents", "aria-label": t("incidents"), title: t("incidents") }, icon("chevron-left")), h("h1", {}, incident.title), stateOf(incident), holdOf(incident)),
    h("div", { class: "row wrap" }, ways),
  );
}

/** @param {Whole} incident @param {Show} show */
function facts(incident, show) {
  const change = (/** @type {string[]} */ subjects) => patch(`/incidents/${incident.id}`, { subjects }).then(show);
  const keys = incident.subjects.map(({ subject }) => subject);
  const people = incident.subjects.map(({ subject, name, number }) => {
    const who = number ? `${name} ${number}` : name;
    const out = h("button", { class: "quiet", "aria-label": t("review.remove", { who }), title: t("review.remove", { who }), onclick: () => void busy(out, () => change(keys.filter((key) => key !== subject))) }, icon("x"));
    return h("span", { class: "tag row" }, who, keys.length > 1 ? out : null);
  });
  const add = h("button", { class: "quiet", onclick: () => void busy(add, () => addOfficer(keys, change)) }, icon("plus"), t("review.add"));
  return h(
    "div",
    { class: "row wrap lead" },
    h("span", { class: "num" }, `${when(incident.from)} – ${when(incident.to)}`),
    h("span", { class: "dim" }, incident.unit.name),
    people,
    add,
    incident.alarm_id ? h("a", { href: "/manage/alarms" }, t("incident.of-alarm")) : null,
  );
}

/** @param {string[]} keys @param {(keys: string[]) => Promise<unknown>} change */
async function addOfficer(keys, change) {
  const { select, filter } = await officerPicker(({ id }) => !keys.includes(`o${id}`));
  const questions = [
    { name: "find", label: t("officer"), control: filter },
    { name: "officer", label: t("incident.field.subjects"), control: select },
  ];
  ask(t("review.add"), questions, t("review.add"), ({ officer }) => change([...keys, `o${officer}`]));
}

/** @param {Whole} incident @param {Show} show */
function edit({ id, title, from, to, place }, show) {
  const draft = { title, from_ms: Date.parse(from), to_ms: Date.parse(to), place };
  askIncident(t("edit"), draft, t("save"), async (answer) => show(await patch(`/incidents/${id}`, answer)), t("incident.edit.do"));
}
