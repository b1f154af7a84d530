/** How the platform is, in an administrator's words: what works, what waits, what is wrong and what to do. */

import { fill, h, icon } from "../kit/dom.js";
import { count, quantity, size, span, when } from "../kit/format.js";
import { knows, language, t, word } from "../kit/i18n.js";
import { get, Problem } from "../net/http.js";
import { link } from "../net/stream.js";
import { failure, loading } from "../view/notice.js";

const REFRESH_MS = 5000;

/** @typedef {Record<string, any>} Fields */

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountHealth(root, scope) {
  const verdict = h("div", { class: "verdict", role: "status" }, loading());
  const parts = h("div", { class: "cards" });
  root.append(
    // Nothing in it can be pressed: it is scrolled by the keys itself.
    h("div", { class: "page main", tabindex: 0, role: "region", "aria-label": t("health") }, h("header", { class: "page-head" }, h("h1", {}, t("health"))), verdict, parts),
  );
  const load = async () => {
    try {
      const health = await fetchHealth();
      const { checks: processes, ...system } = await fetchSystem();
      if (scope.closed) return;
      const all = { ...health["checks"], ...processes };
      fill(verdict, ...judge(all));
      fill(parts, checks(all), ...sections(system));
      parts.classList.remove("past");
    } catch (problem) {
      if (scope.closed) return;
      fill(
        verdict,
        failure(problem, () => void load()),
      );
      parts.classList.add("past");
    }
  };
  scope.every(REFRESH_MS, () => void load());
}

/** `/healthz` answers 503 with the same body when something is wrong. @returns {Promise<Fields>} */
async function fetchHealth() {
  try {
    const answer = await fetch("/healthz", { headers: { accept: "application/json" } });
    return await answer.json();
  } catch {
    throw new Problem(0, t("problem.unreachable"), t("problem.unreachable.do"));
  }
}

/** The figures need the database; without it the checks alone say what is wrong. @returns {Promise<Fields>} */
async function fetchSystem() {
  try {
    return await get("/system");
  } catch (problem) {
    if (problem instanceof Problem && problem.status === 503) return {};
    throw problem;
  }
}

/** @param {Fields} all checks by name */
function judge(all) {
  const broken = Object.entries(all)
    .filter(([, check]) => !check.ok)
    .map(([name]) => word("check", name));
  const good = broken.length === 0;
  return [
    h(
      "div",
      { class: `row verdict-line ${good ? "is-duty" : "is-sos"}` },
      icon(good ? "check" : "triangle-alert"),
      h("b", {}, good ? t("health.good") : t("health.bad", { names: new Intl.ListFormat(language.value, { type: "unit" }).format(broken) })),
    ),
    h("p", { class: "dim" }, good ? t("health.good.do") : t("health.bad.do")),
  ];
}

/** @param {Fields} all checks by name */
function checks(all) {
  const rows = Object.entries(all).map(([name, check]) => {
    const { ok, ...rest } = check;
    const help = !ok && knows(`check.${name}.do`) ? t(`check.${name}.do`) : "";
    return h(
      "tr",
      {},
      h("td", {}, word("check", name)),
      h("td", {}, h("span", { class: `tag ${ok ? "good" : "bad"}` }, t(ok ? "health.ok" : "health.broken"))),
      h("td", { class: "dim" }, [help, tell(rest)].filter(Boolean).join(" ")),
    );
  });
  const stream = h(
    "tr",
    {},
    h("td", {}, t("check.desk")),
    h(
      "td",
      {},
      h(
        "span",
        { class: `tag ${link.value.state === "open" ? "good" : "bad"}` },
        t(link.value.state === "open" ? "health.ok" : "health.broken"),
      ),
    ),
    h("td", { class: "dim" }, `${quantity(link.value.latency_ms, "ms")} · ${size(link.value.bytes)}`),
  );
  return card(t("health.checks"), h("table", {}, h("tbody", {}, rows, stream)));
}

/** A card for each part of the answer, whatever parts the server has. @param {Fields} system */
function sections(system) {
  const isPart = (/** @type {unknown} */ value) => value !== null && typeof value === "object";
  const single = Object.fromEntries(Object.entries(system).filter(([, value]) => !isPart(value)));
  const parts = Object.entries(system).filter(([, value]) => isPart(value));
  const cards = parts.map(([name, value]) =>
    card(word("system", name), Array.isArray(value) ? tableOf(value) : pairs(value)),
  );
  return parts.length ? [card(t("system.overview"), pairs(single)), ...cards] : [];
}

/** @param {string} title @param {Node} body */
function card(title, body) {
  return h("section", { class: "card-box" }, h("h2", {}, title), body);
}

/** @param {Fields[]} rows */
function tableOf(rows) {
  if (!rows.length) return h("p", { class: "dim" }, t("none"));
  const names = Object.keys(rows[0] ?? {});
  const head = h(
    "tr",
    {},
    names.map((name) => h("th", {}, word("system", name))),
  );
  return h(
    "table",
    {},
    h("thead", {}, head),
    h(
      "tbody",
      {},
      rows.map((row) =>
        h(
          "tr",
          {},
          names.map((name) => h("td", { class: "num" }, cell(name, row[name]))),
        ),
      ),
    ),
  );
}

/** @param {Fields} fields */
function pairs(fields) {
  const rows = Object.entries(fields).map(([name, value]) =>
    h("tr", {}, h("td", { class: "dim" }, word("system", name)), h("td", { class: "num" }, cell(name, value))),
  );
  return rows.length ? h("table", {}, h("tbody", {}, rows)) : h("p", { class: "dim" }, t("none"));
}

/** @param {string} name @param {unknown} value */
function cell(name, value) {
  if (value === true || value === false)
    return h("span", { class: `tag ${value ? "good" : "bad"}` }, t(value ? "yes" : "no"));
  return display(name, value);
}

/** A value with the unit that its name ends in. @param {string} name @param {unknown} value @returns {string} */
function display(name, value) {
  if (value === null || value === undefined) return "—";
  if (typeof value === "object") return tell(/** @type {Fields} */ (value));
  if (name === "name" && typeof value === "string") return word("table", value);
  if (name === "reason" && typeof value === "string") return word("reason", value);
  if (typeof value === "string") return /^\d{4}-\d\d-\d\dT/.test(value) ? when(value) : value;
  if (typeof value !== "number") return String(value);
  if (/(^|_)bytes$/.test(name)) return size(value);
  if (/_ms$/.test(name)) return quantity(value, "ms", 1);
  if (/_s$/.test(name)) return value < 60 ? quantity(value, "s", 1) : span(value);
  return count(value);
}

/** @param {Fields} fields @returns {string} */
function tell(fields) {
  return Object.entries(fields)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${word("system", name)} ${display(name, value)}`)
    .join(" · ");
}
