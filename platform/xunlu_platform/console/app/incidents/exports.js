/** What was handed over of an incident, and what is being made. */

import { fill, h, icon } from "../kit/dom.js";
import { size, when } from "../kit/format.js";
import { language, t, word } from "../kit/i18n.js";
import { get, post } from "../net/http.js";
import { openDialog } from "../view/dialog.js";
import { busy, failure, loading } from "../view/notice.js";

/** @typedef {import("./types").Export} Export */

const LOOK_MS = 1500;

/** @param {import("./types").Incident} incident */
export function openExports({ id, title }) {
  const list = h("div", { class: "listing", "aria-live": "polite" }, loading());
  const key = h("p", { class: "dim" });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let next;
  const load = async () => {
    clearTimeout(next);
    try {
      /** @type {Export[]} */
      const made = await get(`/incidents/${id}/exports`);
      const waits = made.some(({ state }) => state === "queued" || state === "running");
      make.disabled = waits;
      fill(list, made.length ? h("table", {}, h("tbody", {}, made.map((one) => row(id, one)))) : h("p", { class: "dim" }, t("incident.export.none")));
      if (waits && dialog.open) next = setTimeout(() => void load(), LOOK_MS);
    } catch (problem) {
      fill(
        list,
        failure(problem, () => void load()),
      );
    }
  };
  const order = async () => {
    await post(`/incidents/${id}/exports`, { language: language.value });
    await load();
  };
  const make = h("button", { class: "primary", onclick: () => void busy(make, order).then(load) }, icon("plus"), t("incident.export.new"));
  const body = h("div", { class: "body stack-body" }, h("p", { class: "dim" }, t("incident.export.do")), list, key, h("footer", {}, make));
  const dialog = openDialog(`${t("export")} · ${title}`, body);
  dialog.classList.add("broad");
  dialog.addEventListener("close", () => clearTimeout(next));
  void load();
  void get("/export-key").then(({ fingerprint }) => fill(key, t("incident.export.key"), " ", h("span", { class: "mono" }, fingerprint)), () => undefined);
}

/** @param {number} id @param {Export} made */
function row(id, made) {
  return h(
    "tr",
    {},
    h("td", { class: "num" }, when(made.asked_at)),
    h("td", {}, made.author),
    h("td", {}, standing(made)),
    h("td", { class: "end" }, made.state === "done" ? h("a", { class: "button", download: "", href: `/api/v1/incidents/${id}/exports/${made.id}/file` }, icon("download"), size(made.size_bytes)) : null),
  );
}

/** @param {Export} made */
function standing({ state, done_bytes, total_bytes, why, sha256 }) {
  const words = t(`incident.export.${state}`);
  if (state === "running" && total_bytes) return [words, " ", h("progress", { max: total_bytes, value: done_bytes, "aria-label": words })];
  if (state === "failed") return [h("span", { class: "tag bad" }, words), " ", word("incident.export.why", why ?? "")];
  return [words, sha256 && state === "done" ? h("div", { class: "mono dim" }, `SHA-256 ${sha256.slice(0, 16)}…`) : null];
}
