/** `/reports`: an officer's day or a squad's week, to be read here and taken away as a file. Each look is written down. */

import { fill, h, icon } from "../kit/dom.js";
import { day } from "../kit/format.js";
import { language, t } from "../kit/i18n.js";
import { getAll, query } from "../net/http.js";
import { may } from "../net/session.js";
import { go, route } from "../router.js";
import { unitSelect } from "../manage/choices.js";
import { unitName } from "../state/organisation.js";
import { complain, failure, loading, notAllowed, notice } from "../view/notice.js";
import { addressOf, questionOf, readAsked, weekOf } from "./address.js";
import { made } from "./making.js";
import { drawn } from "./sheet.js";

/** @typedef {import("./address.js").Asked} Asked */
/** @typedef {import("../types").Officer} Officer */

const FORMATS = ["pdf", "xlsx", "html", "json"];
const FORGET_MS = 60_000;

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountReports(root, scope) {
  if (!may("review")) return void root.append(notAllowed());
  const box = h("div", { class: "main" });
  root.append(box);
  fill(box, loading());
  const begin = async () => {
    try {
      const officers = await getAll("/officers");
      if (!scope.closed) desk(box, scope, officers);
    } catch (problem) {
      if (!scope.closed) fill(box, failure(problem, () => void begin()));
    }
  };
  void begin();
}

/**
 * @param {HTMLElement} box
 * @param {import("../kit/store.js").Scope} scope
 * @param {Officer[]} officers
 */
function desk(box, scope, officers) {
  const form = h("div", { class: "row wrap filters" });
  const files = h("div", { class: "row wrap exports" });
  const sheet = h("div", {});
  fill(box, h("div", { class: "page-head" }, h("h1", {}, t("reports")), files), h("p", { class: "dim lead" }, t("reports.lead")), form, sheet);
  let shown = "";
  let asking = scope.inner();
  scope.read(route, (address) => {
    if (address.path !== "/reports") return;
    const asked = readAsked(address.query);
    const question = questionOf(asked);
    const path = question ? `/reports/${asked.kind}${query({ ...question, language: language.value })}` : "";
    fill(form, ...controls(asked, officers));
    if (path === shown && path) return;
    shown = path;
    asking.close();
    asking = scope.inner();
    fill(files, ...(path ? links(path, asking) : []));
    if (path) void show(sheet, path, asking);
    else fill(sheet, notice(t("reports.none"), t("reports.none.do"), "file-text"));
  });
}

/**
 * @param {HTMLElement} box
 * @param {string} path
 * @param {import("../kit/store.js").Scope} asking until something else is asked for
 */
async function show(box, path, asking) {
  const again = () => void show(box, path, asking);
  try {
    const answer = await made(box, path, asking);
    const told = await answer?.json();
    if (asking.closed) return;
    fill(box, told ? drawn(told) : stopped(again));
  } catch (problem) {
    if (!asking.closed) fill(box, failure(problem, again));
  }
}

/** @param {() => void} again */
function stopped(again) {
  const box = notice(t("reports.stopped"), t("reports.stopped.do"));
  box.lastElementChild?.append(h("div", {}, h("button", { onclick: again }, icon("refresh-cw"), t("again"))));
  return box;
}

/**
 * Files. Who opens one in a tab of its own gets it without being told how far it is.
 * @param {string} path
 * @param {import("../kit/store.js").Scope} asking
 */
function links(path, asking) {
  const box = h("span", {});
  const all = FORMATS.map((format) => {
    const take = (/** @type {Event} */ event) => {
      event.preventDefault();
      void save(box, `${path}&format=${format}`, asking).catch(complain);
    };
    return h("a", { class: "button", download: "", href: `/api/v1${path}&format=${format}`, onclick: take }, icon("download"), format.toUpperCase());
  });
  return [box, ...all];
}

/**
 * @param {HTMLElement} box
 * @param {string} path
 * @param {import("../kit/store.js").Scope} asking
 */
async function save(box, path, asking) {
  if (box.firstChild) return;
  const answer = await made(box, path, asking);
  if (!answer) return;
  const name = /filename\*=UTF-8''(\S+)/.exec(answer.headers.get("content-disposition") ?? "")?.[1] ?? "report.json";
  const href = URL.createObjectURL(await answer.blob());
  h("a", { href, download: decodeURIComponent(name) }).click();
  setTimeout(() => URL.revokeObjectURL(href), FORGET_MS);
}

/**
 * @param {Asked} asked
 * @param {Officer[]} officers
 */
function controls(asked, officers) {
  const change = (/** @type {Partial<Asked>} */ some) => go(addressOf({ ...asked, ...some }));
  const kinds = may("track")
    ? h("div", { class: "choices", role: "group", "aria-label": t("reports.kind") }, kindButton("officer-day"), kindButton("squad-week"))
    : null;
  return asked.kind === "officer-day"
    ? [kinds, who(asked, officers, change), when("date", asked.date, day(Date.now()), (date) => change({ date })), ...shiftOf(asked, change)]
    : [kinds, squad(asked, change), when("week", asked.week, weekOf(Date.now()), (week) => change({ week })), ...shiftOf(asked, change)];

  /** @param {Asked["kind"]} kind */
  function kindButton(kind) {
    return h("button", { "aria-pressed": String(asked.kind === kind), onclick: () => change({ kind }) }, t(`reports.${kind}`));
  }
}

/**
 * An officer, found by typing number, name, unit or pinyin.
 * @param {Asked} asked
 * @param {Officer[]} officers
 * @param {(some: Partial<Asked>) => void} change
 */
function who(asked, officers, change) {
  const label = (/** @type {Officer} */ one) => `${one.number}　${one.name}　${unitName(one.unit_id)}`;
  const chosen = officers.find(({ id }) => id === asked.officer);
  const words = t("officer.find");
  const field = h("input", { type: "search", list: "report-officers", placeholder: words, "aria-label": words, value: chosen ? label(chosen) : "" });
  field.addEventListener("change", () => {
    const text = field.value.trim();
    const found = officers.find((one) => label(one) === text) ?? officers.find((one) => one.number === text || one.name === text);
    if (found) change({ officer: found.id });
  });
  return h("span", { class: "report-officer" }, field, h("datalist", { id: "report-officers" }, officers.map((one) => h("option", { value: label(one), label: one.pinyin }))));
}

/** @param {Asked} asked @param {(some: Partial<Asked>) => void} change */
function squad(asked, change) {
  const select = unitSelect(asked.unit, asked.unit === null ? t("reports.squad") : "");
  select.addEventListener("change", () => select.value && change({ unit: Number(select.value) }));
  return select;
}

/**
 * @param {"date" | "week"} type
 * @param {string} value
 * @param {string} max
 * @param {(value: string) => void} change
 */
function when(type, value, max, change) {
  const field = h("input", { type, value, max, "aria-label": t(`reports.${type}`), placeholder: value });
  field.addEventListener("change", () => field.value && change(field.value));
  return field;
}

/**
 * Both ends, or none: the whole day.
 * @param {Asked} asked
 * @param {(some: Partial<Asked>) => void} change
 */
function shiftOf(asked, change) {
  const [from = "", to = ""] = asked.shift.split("-");
  const begin = h("input", { type: "time", value: from, "aria-label": t("reports.shift.from"), title: t("reports.shift.do") });
  const end = h("input", { type: "time", value: to, "aria-label": t("reports.shift.to"), title: t("reports.shift.do") });
  const both = () => {
    if (Boolean(begin.value) === Boolean(end.value)) change({ shift: begin.value ? `${begin.value}-${end.value}` : "" });
  };
  begin.addEventListener("change", both);
  end.addEventListener("change", both);
  return [h("span", { class: "dim" }, t("reports.shift")), begin, "–", end];
}
