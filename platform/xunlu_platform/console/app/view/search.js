/** One search box: officer, number, squad, device, place; by characters or pinyin. */

import { fill, h, icon } from "../kit/dom.js";
import { t, word } from "../kit/i18n.js";
import { claimKey } from "../kit/keys.js";
import { begins, matches } from "../kit/pinyin.js";
import { get, query } from "../net/http.js";
import { offerDevices } from "./device-drag.js";
import { deviceTitle, stateSign } from "./device-sign.js";
import { chooseDevice, showPlace, showUnit } from "../command/show.js";
import { may } from "../net/session.js";
import { go } from "../router.js";
import { tool } from "../state/desk.js";
import { fleet } from "../state/fleet.js";
import { unitName, units } from "../state/organisation.js";

const DEVICES_MAX = 10;
const UNITS_MAX = 4;
const PLACES_WAIT_MS = 180;

/** @typedef {{sign: Node, title: string, note: string, choose: () => void, did?: string}} Hit `did` of a device, to drag it elsewhere */

/** What this desk knows itself: what begins so first. @param {string} text @returns {Hit[]} */
export function localHits(text) {
  const toolHits = may("track") && matches(t("who.search"), text) ? [{ begun: false, hit: whoHit() }] : [];
  const unitHits = best(units.value, (unit) => `${unit.name} ${unit.pinyin}`.toLowerCase(), text, UNITS_MAX);
  const deviceHits = best(fleet.order, (device) => device.search, text, DEVICES_MAX);
  const ranked = [
    ...unitHits.map(({ item, begun }) => ({ begun, hit: unitHit(item) })),
    ...deviceHits.map(({ item, begun }) => ({ begun, hit: deviceHit(item) })),
    ...toolHits,
  ];
  return ranked.sort((a, b) => Number(b.begun) - Number(a.begun)).map(({ hit }) => hit);
}

/**
 * @template T
 * @param {T[]} items
 * @param {(item: T) => string} textOf in lower case
 * @param {string} query
 * @param {number} max
 */
function best(items, textOf, query, max) {
  const found = items.filter((item) => matches(textOf(item), query));
  const ranked = found.map((item) => ({ item, begun: begins(textOf(item), query) }));
  return ranked.sort((a, b) => Number(b.begun) - Number(a.begun)).slice(0, max);
}

/** The map, with the tool that asks who was at a place. @returns {Hit} */
function whoHit() {
  const choose = () => {
    go("/");
    tool.set("who");
  };
  return { sign: icon("search"), title: t("who"), note: t("who.draw"), choose };
}

/** @param {import("../types").Unit} unit @returns {Hit} */
function unitHit(unit) {
  const choose = () => showUnit(unit.id);
  return { sign: icon("building-2"), title: unit.name, note: t(`unit.${unit.kind}`), choose };
}

/** @param {import("../state/fleet.js").Device} device @returns {Hit} */
function deviceHit(device) {
  const choose = () => chooseDevice(device.did);
  return { sign: stateSign(device), title: deviceTitle(device), note: unitName(device.unit), choose, did: device.did };
}

/** Places of the map, asked of the server. @param {string} text @returns {Promise<Hit[]>} */
async function placeHits(text) {
  const answer = await get(`/places${query({ q: text })}`);
  return answer.items.map((/** @type {any} */ place) => ({
    sign: icon("map"),
    title: place.name,
    note: place.kind ? word("place", place.kind) : "",
    choose: () => showPlace(place.lat, place.lon),
  }));
}

/**
 * @param {HTMLElement} box
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountSearch(box, scope) {
  const input = h("input", {
    type: "search",
    placeholder: t("search.hint"),
    "aria-label": t("search"),
    role: "combobox",
    autocomplete: "off",
    "aria-expanded": "false",
    "aria-controls": "search-hits",
    spellcheck: "false",
  });
  const list = h("div", { class: "menu hits", id: "search-hits", role: "listbox", hidden: true });
  box.append(icon("search"), input, h("kbd", {}, "/"), list);
  const hits = new HitList(input, list);
  scope.listen(input, "input", () => void hits.update());
  scope.listen(input, "focus", () => void hits.update());
  const leave = (/** @type {FocusEvent} */ event) => {
    if (!(event.relatedTarget instanceof Node && box.contains(event.relatedTarget))) hits.close();
  };
  scope.listen(box, "focusout", leave);
  scope.listen(input, "keydown", (event) => hits.key(event));
  scope.read(fleet.changed, () => hits.again());
  offerDevices(list, scope);
  claimKey(scope, "/", "key.search", () => {
    input.focus();
    input.select();
  });
}

class HitList {
  /** @type {Hit[]} */
  #hits = [];
  #at = 0;
  #asked = 0;
  #input;
  #list;

  /**
   * @param {HTMLInputElement} input
   * @param {HTMLElement} list
   */
  constructor(input, list) {
    this.#input = input;
    this.#list = list;
  }

  async update() {
    const text = this.#input.value.trim();
    const asked = ++this.#asked;
    if (!text) return this.close();
    this.#show(localHits(text));
    await new Promise((resolve) => setTimeout(resolve, PLACES_WAIT_MS));
    if (asked !== this.#asked) return;
    const places = await placeHits(text).catch(() => []);
    if (asked === this.#asked && document.activeElement === this.#input) this.#show([...localHits(text), ...places]);
  }

  /** Look once more among what has become known since; an answer that found something stays as it is under the hand. */
  again() {
    if (this.#list.hidden || this.#hits.length) return;
    const own = localHits(this.#input.value.trim());
    if (own.length) this.#show(own);
  }

  close() {
    this.#asked += 1;
    this.#list.hidden = true;
    this.#input.setAttribute("aria-expanded", "false");
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step && this.#hits.length) this.#mark((this.#at + step + this.#hits.length) % this.#hits.length);
    else if (event.key === "Enter") this.#choose(this.#at);
    else if (event.key === "Escape") {
      this.#input.value = "";
      this.#input.blur();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {Hit[]} hits */
  #show(hits) {
    this.#hits = hits;
    const rows = hits.map((hit, index) =>
      h(
        "button",
        {
          role: "option",
          id: `hit-${index}`,
          tabindex: -1,
          onclick: () => this.#choose(index),
          draggable: hit.did ? "true" : null,
          "data-did": hit.did,
        },
        hit.sign,
        h("span", { class: "grow ellipsis" }, hit.title),
        h("span", { class: "dim ellipsis" }, hit.note),
      ),
    );
    fill(this.#list, rows.length ? rows : h("div", { class: "caption" }, t("search.none")));
    this.#list.hidden = false;
    this.#input.setAttribute("aria-expanded", "true");
    this.#mark(0);
  }

  /** @param {number} index */
  #mark(index) {
    this.#at = index;
    [...this.#list.children].forEach((row, i) => row.setAttribute("aria-selected", String(i === index)));
    this.#input.setAttribute("aria-activedescendant", `hit-${index}`);
    this.#list.children[index]?.scrollIntoView({ block: "nearest" });
  }

  /** @param {number} index */
  #choose(index) {
    this.#hits[index]?.choose();
    this.#input.value = "";
    this.#input.blur();
    this.close();
  }
}
