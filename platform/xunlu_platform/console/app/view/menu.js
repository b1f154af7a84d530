/** A small menu below a button: arrows move, Escape closes, focus returns. */

import { h, icon } from "../kit/dom.js";

/** @typedef {{caption: string} | {label: string, icon?: string, checked?: boolean, act: () => void}} MenuItem */

/** Closes the menu that is open. */
let close = () => undefined;

/**
 * @param {HTMLElement} anchor
 * @param {MenuItem[]} items
 */
export function openMenu(anchor, items) {
  const again = anchor.getAttribute("aria-expanded") === "true";
  close();
  if (again) return;
  const menu = h("div", { class: "menu", role: "menu" }, items.map(row));
  const box = anchor.getBoundingClientRect();
  (document.fullscreenElement ?? document.body).append(menu);
  menu.style.setProperty("top", `${box.bottom + 4}px`);
  menu.style.setProperty("left", `${Math.max(8, Math.min(box.left, innerWidth - menu.offsetWidth - 8))}px`);
  anchor.setAttribute("aria-expanded", "true");
  const rows = /** @type {HTMLElement[]} */ ([...menu.querySelectorAll("button")]);
  const away = (/** @type {Event} */ event) => {
    if (event.target instanceof Node && !menu.contains(event.target) && !anchor.contains(event.target)) close();
  };
  close = () => {
    document.removeEventListener("pointerdown", away);
    anchor.setAttribute("aria-expanded", "false");
    menu.remove();
    close = () => undefined;
    return undefined;
  };
  document.addEventListener("pointerdown", away);
  menu.addEventListener("keydown", (event) => {
    const at = rows.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step) rows.at((at + step + rows.length) % rows.length)?.focus();
    if (event.key === "Escape" || event.key === "Tab") close();
    if (event.key === "Escape") anchor.focus();
    if (step || event.key === "Escape") event.preventDefault();
    event.stopPropagation();
  });
  rows[0]?.focus();
}

/** @param {MenuItem} item */
function row(item) {
  if ("caption" in item) return h("div", { class: "caption" }, item.caption);
  const act = () => {
    close();
    item.act();
  };
  const sign = item.checked === undefined ? (item.icon ? icon(item.icon) : null) : icon(item.checked ? "check" : "blank");
  const role = item.checked === undefined ? "menuitem" : "menuitemcheckbox";
  return h(
    "button",
    { role, "aria-checked": item.checked === undefined ? null : String(item.checked), onclick: act },
    sign,
    item.label,
  );
}
