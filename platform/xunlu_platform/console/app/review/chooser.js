/** Whom to add: officers by name, number or pinyin, those who have left as well, and devices that nobody wears. */

import { fill, h, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { get, query } from "../net/http.js";
import { claimChoice } from "../command/show.js";
import { fleet } from "../state/fleet.js";
import { unitName } from "../state/organisation.js";
import { complain, toast } from "../view/notice.js";
import { SUBJECTS_MAX } from "./address.js";
import { subjectOf } from "./open.js";

const HITS_MAX = 12;
const WAIT_MS = 150;

/** @typedef {{key: string, title: string, note: string}} Hit */

/**
 * @param {import("./replay.js").Replay} replay
 * @param {import("../kit/store.js").Scope} scope
 */
export function chooser(replay, scope) {
  const input = h("input", { type: "search", placeholder: t("officer.find"), "aria-label": t("review.add"), autocomplete: "off", spellcheck: "false" });
  const hits = h("div", { class: "menu flat", role: "listbox", "aria-label": t("officers") });
  const box = h("div", { class: "chooser", hidden: true }, input, hits);
  const open = () => {
    box.hidden = !box.hidden;
    if (!box.hidden) input.focus();
  };
  const button = h("button", { class: "quiet", onclick: open }, icon("plus"), t("review.add"));
  const take = (/** @type {string} */ key) => {
    if (replay.view.value.subjects.length >= SUBJECTS_MAX) return toast(t("review.full", { n: SUBJECTS_MAX }), "bad");
    replay.add(key);
    input.value = "";
    fill(hits);
    input.focus();
  };
  let asked = 0;
  const look = async () => {
    const mine = ++asked;
    const text = input.value.trim();
    if (!text) return void fill(hits);
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    if (mine !== asked) return;
    const found = await hitsOf(text);
    if (mine !== asked || scope.closed) return;
    const rows = found.map(({ key, title, note }) => h("button", { role: "option", onclick: () => take(key) }, h("span", { class: "grow ellipsis" }, title), h("span", { class: "dim ellipsis" }, note)));
    fill(hits, rows.length ? rows : h("div", { class: "caption" }, t("search.none")));
  };
  input.addEventListener("input", () => void look().catch(complain));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") hits.querySelector("button")?.click();
    if (event.key === "Escape") ((box.hidden = true), button.focus());
  });
  scope.read(replay.standing, ({ phase }) => phase === "empty" && (box.hidden = false));
  claimChoice(scope, (did) => void subjectOf(did).then(take).catch(complain));
  return { button, box };
}

/** @param {string} text @returns {Promise<Hit[]>} */
async function hitsOf(text) {
  /** @type {{items: import("../types").Officer[]}} */
  const { items } = await get(`/officers${query({ q: text, limit: HITS_MAX })}`);
  const officers = items.map(({ id, name, number, unit_id, active }) => ({
    key: `o${id}`,
    title: `${name} ${number}`,
    note: active ? unitName(unit_id) : t("officer.inactive"),
  }));
  const lower = text.toLowerCase();
  const bare = fleet.order.filter(({ did, serial, num }) => !num && `${did} ${serial}`.toLowerCase().includes(lower));
  return [...officers, ...bare.map(({ did, serial, unit }) => ({ key: `d${did}`, title: serial || did, note: unitName(unit) }))].slice(0, HITS_MAX);
}
