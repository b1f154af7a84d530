/** The organisation as a tree: arrows move and fold, Enter limits lists and map to the unit. */

import { h, icon, refill } from "../kit/dom.js";
import { count } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { SavedStore } from "../kit/store.js";
import { unitFilter } from "../state/desk.js";
import { childrenOf, countUnits, rootUnits } from "../state/organisation.js";

/** @typedef {import("../types").Unit} Unit */

/** Units whose children are folded away. */
const folded = new SavedStore("folded", /** @type {number[]} */ ([]));

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 * @returns {() => void} paints again with new counts
 */
export function mountTree(root, scope) {
  /** @type {number | null} */
  let at = null;
  const paint = () => {
    const had = root.contains(document.activeElement);
    const counts = countUnits();
    const rows = rootUnits().flatMap((unit) => branch(unit, 0, counts));
    const current = rows.find((row) => Number(row.dataset["unit"]) === at) ?? rows[0];
    if (current) current.tabIndex = 0;
    refill(root, rows);
    if (had) /** @type {HTMLElement | null} */ (root.querySelector('[tabindex="0"]'))?.focus();
  };
  scope.read(folded, paint);
  scope.read(unitFilter, paint);
  scope.listen(root, "focusin", (event) => {
    at = Number(event.target.dataset.unit);
    for (const row of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-unit]")))
      row.tabIndex = row === event.target ? 0 : -1;
  });
  scope.listen(root, "keydown", (event) => move(root, event));
  return paint;
}

/**
 * @param {Unit} unit
 * @param {number} depth
 * @param {Map<number, import("../state/organisation.js").Counts>} counts
 * @returns {HTMLElement[]}
 */
function branch(unit, depth, counts) {
  const children = childrenOf(unit.id);
  const open = !folded.value.includes(unit.id);
  const own = counts.get(unit.id);
  const fold = () => folded.set(open ? [...folded.value, unit.id] : folded.value.filter((id) => id !== unit.id));
  const choose = () => unitFilter.set(unitFilter.value === unit.id ? null : unit.id);
  const twist = h(
    "span",
    { class: "twist", onclick: (/** @type {Event} */ event) => (event.stopPropagation(), fold()) },
    children.length ? icon(open ? "chevron-down" : "chevron-right") : null,
  );
  const row = h(
    "div",
    {
      class: "unit",
      role: "treeitem",
      tabindex: -1,
      "data-key": unit.id,
      "data-unit": unit.id,
      "data-depth": depth,
      onclick: choose,
      onfold: fold,
      "aria-level": depth + 1,
      "aria-selected": String(unitFilter.value === unit.id),
      "aria-expanded": children.length ? String(open) : null,
      style: { "padding-left": `${4 + depth * 14}px` },
    },
    twist,
    h("span", { class: "grow ellipsis" }, unit.name),
    own?.sos ? h("span", { class: "badge" }, own.sos) : null,
    own?.warn ? h("span", { class: "is-warn row", title: t("count.warn", { n: own.warn }) }, icon("triangle-alert")) : null,
    h("span", { class: "dim num" }, own ? `${count(own.present)} / ${count(own.total)}` : ""),
  );
  return [row, ...(open ? children.flatMap((child) => branch(child, depth + 1, counts)) : [])];
}

/**
 * @param {HTMLElement} root
 * @param {KeyboardEvent} event
 */
function move(root, event) {
  const rows = /** @type {HTMLElement[]} */ ([...root.querySelectorAll("[data-unit]")]);
  const at = rows.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const row = rows[at];
  if (!row) return;
  const expanded = row.getAttribute("aria-expanded");
  if (event.key === "ArrowDown") rows[at + 1]?.focus();
  else if (event.key === "ArrowUp") rows[at - 1]?.focus();
  else if (event.key === "Home") rows[0]?.focus();
  else if (event.key === "End") rows.at(-1)?.focus();
  else if (event.key === "ArrowRight" && expanded === "false") row.dispatchEvent(new Event("fold"));
  else if (event.key === "ArrowLeft" && expanded === "true") row.dispatchEvent(new Event("fold"));
  else if (event.key === "Enter" || event.key === " ") row.click();
  else return;
  event.preventDefault();
  event.stopPropagation();
}
