/** Elements without a framework: `h("button", {class: "primary", onclick}, "text")`. Text is always text, never markup. */

/** @typedef {Node | string | number | null | undefined | false} Child */

const ICONS = new URL("../../vendor/lucide-1.62.0/icons.svg", import.meta.url).href;
const SVG = "http://www.w3.org/2000/svg";

/** What `h` listens for, by element and type. @type {WeakMap<Node, Map<string, ((event: Event) => unknown) | null>>} */
const listeners = new WeakMap();

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
  if (name.startsWith("on")) listen(element, name.slice(2), value);
  else if (name === "style") for (const [key, text] of Object.entries(value)) element.style.setProperty(key, String(text));
  else if (name === "value" || name === "checked" || name === "selected") Reflect.set(element, name, value);
  else element.setAttribute(name, value === true ? "" : String(value));
}

/**
 * One listener of a type, in place of the one before.
 * @param {Node} element
 * @param {string} type
 * @param {((event: Event) => unknown) | null} listener
 */
function listen(element, type, listener) {
  const own = listeners.get(element) ?? new Map();
  if (!own.has(type)) element.addEventListener(type, (event) => own.get(type)?.(event));
  listeners.set(element, own.set(type, listener));
}

/**
 * @param {Element | DocumentFragment} element
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
 * Replace what is inside as `fill` does, while every element stays that has a counterpart: the one with its `data-key`, or
 * without a key the one of its tag in its place. It takes over attributes, words and listeners, so that a press, a drag
 * or the focus outlives the change. For what `h` made: its listeners know their element by the event.
 * @template {Element} E
 * @param {E} element
 * @param {...(Child | Child[])} children
 * @returns {E}
 */
export function refill(element, ...children) {
  const focused = document.activeElement;
  const wanted = document.createDocumentFragment();
  append(wanted, children);
  settle(element, wanted);
  // An element that had to move has lost it.
  if (focused instanceof HTMLElement && focused !== document.activeElement && element.contains(focused))
    focused.focus({ preventScroll: true });
  return element;
}

/** @param {Node} node */
const keyOf = (node) => (node instanceof HTMLElement ? node.dataset["key"] : undefined);

/**
 * @param {Node} element
 * @param {Node} wanted has the children that it shall have
 */
function settle(element, wanted) {
  const children = [...wanted.childNodes];
  const keys = new Set(children.map(keyOf));
  for (const node of [...element.childNodes]) if (!keys.has(keyOf(node))) node.remove();
  const kept = new Map([...element.childNodes].map((node) => [keyOf(node), node]));
  let at = element.firstChild;
  for (const child of children) {
    const key = keyOf(child);
    const node = key === undefined ? at : kept.get(key);
    kept.delete(key);
    if (!node || node.nodeName !== child.nodeName || keyOf(node) !== key) {
      element.insertBefore(child, at);
      continue;
    }
    become(node, child);
    if (node === at) at = node.nextSibling;
    else element.insertBefore(node, at);
  }
  for (let node = at; node; node = at) {
    at = node.nextSibling;
    node.remove();
  }
}

/**
 * @param {ChildNode} node
 * @param {ChildNode} wanted of the same name
 */
function become(node, wanted) {
  if (!(node instanceof Element && wanted instanceof Element)) {
    if (node.nodeValue !== wanted.nodeValue) node.nodeValue = wanted.nodeValue;
    return;
  }
  // What waits for an answer changes when it has it.
  if (node.hasAttribute("aria-busy")) return;
  for (const { name } of [...node.attributes]) if (!wanted.hasAttribute(name)) node.removeAttribute(name);
  for (const { name, value } of wanted.attributes)
    if (node.getAttribute(name) !== value) {
      if (name === "style" && node instanceof HTMLElement) node.style.cssText = value;
      else node.setAttribute(name, value);
    }
  if (node instanceof HTMLInputElement && wanted instanceof HTMLInputElement) node.checked = wanted.checked;
  const own = listeners.get(node);
  for (const type of own?.keys() ?? []) own?.set(type, null);
  for (const [type, listener] of listeners.get(wanted) ?? []) listen(node, type, listener);
  settle(node, wanted);
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
