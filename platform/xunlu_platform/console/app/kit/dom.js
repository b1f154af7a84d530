/** Elements without a framework: `h("button", {class: "primary", onclick}, "text")`. Text is always text, never markup. */

/** @typedef {Node | string | number | null | undefined | false} Child */

const ICONS = new URL("../../vendor/lucide-1.62.0/icons.svg", import.meta.url).href;
const SVG = "http://www.w3.org/2000/svg";

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [attributes] `on…` are listeners, `style` goes through the CSSOM (the page's policy
 *   forbids style attributes), `null`, `undefined` and `false` leave an attribute out
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) assign(element, name, value);
  append(element, children);
  return element;
}

/**
 * @param {HTMLElement} element
 * @param {string} name
 * @param {any} value
 */
function assign(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "style") for (const [key, text] of Object.entries(value)) element.style.setProperty(key, String(text));
  else if (name === "value" || name === "checked" || name === "selected") Reflect.set(element, name, value);
  else element.setAttribute(name, value === true ? "" : String(value));
}

/**
 * @param {Element} element
 * @param {(Child | Child[])[]} children
 */
function append(element, children) {
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

/**
 * Replace what is inside.
 * @template {Element} E
 * @param {E} element
 * @param {...(Child | Child[])} children
 * @returns {E}
 */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

/**
 * Say which links lead to where the person is.
 * @param {HTMLAnchorElement[]} links
 * @param {(link: HTMLAnchorElement) => boolean} here
 */
export function markCurrent(links, here) {
  for (const link of links) {
    if (here(link)) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

/**
 * One icon of the outline set.
 * @param {string} name
 * @param {string} [label] for an icon that stands alone
 */
export function icon(name, label) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${ICONS}#${name}`);
  svg.append(use);
  return svg;
}

/**
 * A shape of our own, for the state signs.
 * @param {string} path
 * @param {string} name class
 */
export function shape(path, name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", name);
  svg.setAttribute("viewBox", "0 0 12 12");
  svg.setAttribute("aria-hidden", "true");
  const node = document.createElementNS(SVG, "path");
  node.setAttribute("d", path);
  svg.append(node);
  return svg;
}
