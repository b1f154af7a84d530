/** A list of the server as a table: loading, failure and emptiness designed; more on demand, by cursor. */

import { fill, h, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { get } from "../net/http.js";
import { failure, loading, notice } from "../view/notice.js";

const PAGE = 100;

/**
 * @template T
 * @typedef {object} Column
 * @property {string} label key of words
 * @property {(item: T) => import("../kit/dom.js").Child | import("../kit/dom.js").Child[]} cell
 * @property {string} [kind] class of the cells
 */

/** @template T */
export class Listing {
  element = h("div", { class: "listing" });
  /** @type {T[]} */
  items = [];
  /** What is shown of them. @type {(item: T) => boolean} */
  keep = () => true;
  #columns;
  #empty;
  #act;
  #path = "";
  #loads = 0;
  #waiting = true;
  /** @type {string | null} */
  #next = null;

  /**
   * @param {Column<T>[]} columns
   * @param {{title: string, detail: string, icon: string}} empty what stands there when there is nothing
   * @param {((item: T) => void) | null} [act] when a row is chosen
   */
  constructor(columns, empty, act = null) {
    this.#columns = columns;
    this.#empty = empty;
    this.#act = act;
  }

  /** Load the first page of a path. @param {string} path with query */
  async load(path) {
    fill(this.element, loading());
    await this.refresh(path);
  }

  /** The first page of a path in place of what is shown, once it is there. @param {string} path with query */
  async refresh(path) {
    this.#path = path;
    this.items = [];
    this.#next = null;
    this.#waiting = true;
    await this.#more();
  }

  /** The same list again. */
  async reload() {
    await this.load(this.#path);
  }

  async #more() {
    const asked = ++this.#loads;
    const separator = this.#path.includes("?") ? "&" : "?";
    const after = this.#next === null ? "" : `&after=${encodeURIComponent(this.#next)}`;
    try {
      const answer = await get(`${this.#path}${separator}limit=${PAGE}${after}`);
      if (asked !== this.#loads) return;
      this.items = [...this.items, ...answer.items];
      this.#next = answer.next;
      this.#waiting = false;
      this.paint();
    } catch (problem) {
      if (asked === this.#loads)
        fill(
          this.element,
          failure(problem, () => void this.reload()),
        );
    }
  }

  /** Show again what is loaded: what its cells tell besides the items has changed. */
  paint() {
    if (this.#waiting) return;
    const items = this.items.filter(this.keep);
    if (!items.length && this.#next === null)
      return void fill(this.element, notice(this.#empty.title, this.#empty.detail, this.#empty.icon));
    const head = h(
      "tr",
      {},
      this.#columns.map(({ label, kind }) => h("th", { scope: "col", class: kind ?? null }, label ? t(label) : "")),
    );
    const more =
      this.#next === null
        ? null
        : h("button", { class: "more", onclick: () => void this.#more() }, icon("chevron-down"), t("more"));
    fill(
      this.element,
      h(
        "table",
        {},
        h("thead", {}, head),
        h(
          "tbody",
          {},
          items.map((item) => this.#row(item)),
        ),
      ),
      more,
    );
  }

  /** @param {T} item */
  #row(item) {
    const cells = this.#columns.map(({ cell, kind }) => h("td", { class: kind ?? null }, ...[cell(item)].flat()));
    if (!this.#act) return h("tr", {}, cells);
    const act = this.#act;
    const choose = (/** @type {Event} */ event) => {
      if (!(event.target instanceof Element && event.target.closest("button, a, input"))) act(item);
    };
    const key = (/** @type {KeyboardEvent} */ event) =>
      event.key === "Enter" && event.target === event.currentTarget && act(item);
    return h("tr", { tabindex: 0, class: "choice", onclick: choose, onkeydown: key }, cells);
  }
}
