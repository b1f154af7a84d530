/** Everything that can be done, by name: commands of the keys, places to go, devices; Ctrl K. */

import { fill, h, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { activeShortcuts } from "../kit/keys.js";
import { matches } from "../kit/pinyin.js";
import { may } from "../net/session.js";
import { go } from "../router.js";
import { openDialog } from "./dialog.js";
import { localHits } from "./search.js";

const ROWS_MAX = 14;

/** @returns {(import("./search.js").Hit & {text: string})[]} */
function actions() {
  /** @type {[string, string, boolean][]} */
  const places = [
    ["/", "nav.command", true],
    ["/wall", "nav.wall", may("live")],
    ["/wall/thumbnails", "wall.thumbnails", may("live")],
    ["/talk", "nav.talk", may("talk")],
    ["/review", "nav.review", may("review")],
    ["/reports", "nav.reports", may("review")],
    ["/incidents", "nav.incidents", may("incidents")],
    ["/zones", "nav.zones", true],
    ["/manage/devices", "devices", true],
    ["/manage/organisation", "organisation", true],
    ["/manage/officers", "officers", true],
    ["/manage/roster", "roster", true],
    ["/manage/alarms", "alarms", may("events")],
    ["/manage/zone-events", "zone.events", may("track")],
    ["/manage/users", "users", may("users")],
    ["/manage/audit", "audit", may("audit")],
    ["/manage/audit/viewings", "viewings", may("audit")],
    ["/health", "nav.health", may("system")],
  ];
  const goes = places
    .filter(([, , shown]) => shown)
    .map(([address, label]) =>
      entry("navigation", t("go.to", { place: t(label) }), "", t(`${label}.py`), () => go(address)),
    );
  const keys = activeShortcuts()
    .filter(({ key, end }) => key !== "Ctrl+K" && key !== "Escape" && !end)
    .filter(({ label }, index, all) => all.findIndex((other) => other.label === label) === index)
    .map(({ key, label, run }) => entry("keyboard", t(label), key, t(`${label}.py`), run));
  return [...goes, ...keys];
}

/**
 * @param {string} name icon
 * @param {string} title
 * @param {string} note
 * @param {string} pinyin
 * @param {() => void} choose
 */
function entry(name, title, note, pinyin, choose) {
  return { sign: icon(name), title, note, choose, text: `${title} ${pinyin}`.toLowerCase() };
}

export function openPalette() {
  const input = h("input", {
    type: "text",
    placeholder: t("palette.hint"),
    "aria-label": t("palette"),
    role: "combobox",
    "aria-expanded": "true",
    "aria-controls": "palette-rows",
  });
  const list = h("div", { class: "menu-rows", role: "listbox", id: "palette-rows" });
  const all = actions();
  /** @type {import("./search.js").Hit[]} */
  let rows = [];
  let at = 0;
  const mark = (/** @type {number} */ index) => {
    at = index;
    [...list.children].forEach((row, i) => row.setAttribute("aria-selected", String(i === index)));
    list.children[index]?.scrollIntoView({ block: "nearest" });
  };
  const choose = (/** @type {number} */ index) => {
    dialog.close();
    rows[index]?.choose();
  };
  const update = () => {
    const text = input.value.trim();
    const own = all.filter((action) => matches(action.text, text));
    rows = [...own, ...(text ? localHits(text) : [])].slice(0, ROWS_MAX);
    const options = rows.map((row, index) =>
      h(
        "button",
        { role: "option", tabindex: -1, onclick: () => choose(index) },
        row.sign,
        h("span", { class: "grow ellipsis" }, row.title),
        h("span", { class: "dim" }, row.note),
      ),
    );
    fill(list, options.length ? options : h("div", { class: "caption" }, t("search.none")));
    mark(0);
  };
  input.addEventListener("input", update);
  input.addEventListener("keydown", (event) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step && rows.length) mark((at + step + rows.length) % rows.length);
    if (event.key === "Enter") choose(at);
    if (step || event.key === "Enter") event.preventDefault();
  });
  const dialog = openDialog(t("palette"), h("div", { class: "body stack-body menu flat" }, input, list));
  update();
  input.focus();
}
