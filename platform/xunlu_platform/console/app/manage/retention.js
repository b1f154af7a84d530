/** How long history is kept. A rule acts only after somebody has looked at its dry run. */

import { fill, h, icon } from "../kit/dom.js";
import { count, when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { get, post, put } from "../net/http.js";
import { ask } from "../view/dialog.js";
import { busy, failure, loading } from "../view/notice.js";

/** @typedef {{id: number | null, title: string | null, rows: number}} Held */
/** @typedef {{at: string, dry_run: boolean, older_than: string, rows_affected: number, rows_held: number, held: Held[]}} Run */
/** @typedef {{subject: string, keep_days: number, enabled: boolean, changed_at: string, last_run?: Run | null, last_dry_run?: Run | null}} Rule */

/** @param {HTMLElement} root */
export function mountRetention(root) {
  const box = h("div", { class: "listing" }, loading());
  root.append(
    h(
      "div",
      { class: "main" },
      h("header", { class: "page-head" }, h("h1", {}, t("retention"))),
      h("p", { class: "dim lead" }, t("retention.lead"), " ", t("retention.held")),
      box,
    ),
  );
  const load = async () => {
    try {
      /** @type {Rule[]} */
      const rules = (await get("/retention")).items;
      const head = h(
        "tr",
        {},
        ["retention.subject", "retention.keep", "state", "retention.last", ""].map((label) =>
          h("th", {}, label ? t(label) : ""),
        ),
      );
      fill(
        box,
        h(
          "table",
          {},
          h("thead", {}, head),
          h(
            "tbody",
            {},
            rules.map((rule) => row(rule, () => void load())),
          ),
        ),
      );
    } catch (problem) {
      fill(
        box,
        failure(problem, () => void load()),
      );
    }
  };
  void load();
}

/**
 * @param {Rule} rule
 * @param {() => void} changed
 */
function row(rule, changed) {
  const path = `/retention/${encodeURIComponent(rule.subject)}`;
  const dry = h(
    "button",
    { onclick: () => void busy(dry, async () => (await post(`${path}/dry-run`), changed())) },
    icon("eye"),
    t("retention.dry"),
  );
  const edit = h("button", { onclick: () => editRule(rule, path, changed) }, icon("pencil"), t("edit"));
  const last = rule.last_run ?? rule.last_dry_run;
  const told = last
    ? t(last.dry_run ? "retention.would" : "retention.did", {
        at: when(last.at),
        rows: count(last.rows_affected),
        before: when(last.older_than),
      })
    : "—";
  const state = h("span", { class: `tag ${rule.enabled ? "good" : ""}` }, t(rule.enabled ? "on" : "off"));
  return h(
    "tr",
    {},
    h("td", {}, t(`subject.${rule.subject}`)),
    h("td", { class: "num" }, t("days", { n: rule.keep_days })),
    h("td", {}, state),
    h("td", {}, told, last?.rows_held ? heldBy(last) : null),
    h("td", { class: "end" }, dry, edit),
  );
}

/** What incidents hold back. @param {Run} run */
function heldBy({ rows_held, held }) {
  const incidents = held.map(({ id, title, rows }) =>
    h("li", {}, id ? h("a", { href: `/incidents/${id}` }, title) : t("incident.unseen"), " ", h("span", { class: "dim num" }, t("retention.rows", { rows: count(rows) }))),
  );
  return h("details", {}, h("summary", {}, t("retention.spared", { rows: count(rows_held) })), h("ul", { class: "history" }, incidents));
}

/**
 * @param {Rule} rule
 * @param {string} path
 * @param {() => void} changed
 */
function editRule(rule, path, changed) {
  const enabled = h(
    "select",
    {},
    [false, true].map((value) =>
      h("option", { value: String(value), selected: rule.enabled === value }, t(value ? "on" : "off")),
    ),
  );
  const questions = [
    {
      name: "days",
      label: t("retention.keep"),
      control: h("input", { type: "number", min: 1, max: 36500, required: true, value: String(rule.keep_days) }),
    },
    { name: "enabled", label: t("state"), control: enabled, hint: t("retention.enable.hint") },
  ];
  ask(t(`subject.${rule.subject}`), questions, t("save"), async ({ days, enabled: on }) => {
    await put(path, { keep_days: Number(days), enabled: on === "true" });
    changed();
  });
}
