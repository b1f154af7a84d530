/** The places of a wall and their pictures. A picture that only changes its place goes on playing. */

import { fill, h, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { Picture } from "../live/picture.js";
import { tool } from "../live/picture-tools.js";
import { acceptDevice, offerDevices } from "../view/device-drag.js";
import { isPinned, shown } from "./layout.js";

/**
 * @typedef {object} TileActs what a tile asks of its wall
 * @property {(did: string, place: number) => void} put
 * @property {(place: number) => void} clear
 * @property {(did: string) => void} pin
 * @property {(did: string) => void} refused the picture will not come
 *
 * @typedef {object} Tile
 * @property {Picture} picture
 * @property {HTMLElement} cell
 * @property {HTMLButtonElement} pin
 * @property {import("../kit/store.js").Scope} scope
 */

export class Tiles {
  element = h("div", { class: "tiles", role: "group", "aria-label": t("nav.wall") });
  #scope;
  #acts;
  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  /** @type {HTMLElement[]} */
  #cells = [];
  #at = 0;

  /**
   * @param {import("../kit/store.js").Scope} scope
   * @param {TileActs} acts
   */
  constructor(scope, acts) {
    this.#scope = scope;
    this.#acts = acts;
    offerDevices(this.element, scope);
    scope.listen(this.element, "focusin", ({ target }) => {
      const place = this.#cells.findIndex((cell) => cell.contains(target));
      if (place >= 0) this.#mark(place);
    });
  }

  /** The place that keys speak of. */
  get place() {
    return this.#at;
  }

  /** The picture on it. */
  get picture() {
    const did = this.#cells[this.#at]?.dataset["did"];
    return did ? (this.#tiles.get(did)?.picture ?? null) : null;
  }

  /** @param {import("./layout.js").Layout} layout */
  show(layout) {
    const had = this.element.contains(document.activeElement);
    const dids = shown(layout);
    for (const [did, tile] of this.#tiles) if (!dids.includes(did)) this.#drop(did, tile);
    for (const cell of this.#cells) if (!cell.dataset["did"]) cell.remove();
    this.element.dataset["grid"] = String(layout.grid);
    this.element.classList.toggle("one", layout.full !== null);
    this.#cells = dids.map((did, place) => this.#cell(layout, did, place));
    if (layout.full !== null) this.#at = dids.indexOf(layout.full);
    this.#mark(Math.max(0, Math.min(this.#at, dids.length - 1)));
    if (had) this.focus(this.#at);
  }

  /** @param {number} place */
  focus(place) {
    this.#mark(place);
    this.#cells[place]?.focus();
  }

  /**
   * Move the focus on the screen, whatever the grid.
   * @param {number} dx
   * @param {number} dy
   */
  move(dx, dy) {
    const from = this.#cells[this.#at]?.getBoundingClientRect();
    if (!from) return;
    const [x, y] = [from.left + from.width / 2, from.top + from.height / 2];
    const ahead = this.#cells.flatMap((cell, place) => {
      const box = cell.getBoundingClientRect();
      const [right, down] = [box.left + box.width / 2 - x, box.top + box.height / 2 - y];
      const forward = right * dx + down * dy;
      const aside = Math.abs(right * dy) + Math.abs(down * dx);
      return forward > 1 && aside < forward + Math.max(from.width, from.height) ? [{ place, far: forward + 2 * aside }] : [];
    });
    const best = ahead.sort((a, b) => a.far - b.far)[0];
    this.focus(best ? best.place : this.#at);
  }

  /** @param {number} place */
  #mark(place) {
    this.#at = place;
    this.#cells.forEach((cell, i) => {
      cell.tabIndex = i === place ? 0 : -1;
      cell.classList.toggle("current", i === place);
    });
  }

  /**
   * @param {import("./layout.js").Layout} layout
   * @param {string | null} did
   * @param {number} place
   */
  #cell(layout, did, place) {
    const cell = did === null ? this.#empty() : this.#tile(did).cell;
    cell.style.setProperty("order", String(place));
    cell.dataset["place"] = String(place);
    cell.classList.toggle("full", did !== null && did === layout.full);
    cell.classList.toggle("pinned", isPinned(layout, did));
    const pin = did === null ? undefined : this.#tiles.get(did)?.pin;
    if (pin) paintPin(pin, isPinned(layout, did));
    return cell;
  }

  /** @param {string} did */
  #tile(did) {
    const known = this.#tiles.get(did);
    if (known) return known;
    const scope = this.#scope.inner();
    const placeOf = () => Number(cell.dataset["place"]);
    const pin = tool("pin", t("wall.pin"), () => this.#acts.pin(did));
    const remove = tool("x", t("wall.remove"), () => this.#acts.clear(placeOf()));
    const picture = new Picture(did, scope, [pin, remove]);
    const cell = h("div", { class: "tile", "data-did": did, draggable: "true" }, picture.element);
    acceptDevice(cell, (other) => this.#acts.put(other, placeOf()));
    scope.read(picture.player.standing, ({ phase }) => void (phase === "refused" && this.#acts.refused(did)));
    const tile = { picture, cell, pin, scope };
    this.#tiles.set(did, tile);
    this.element.append(cell);
    return tile;
  }

  /**
   * @param {string} did
   * @param {Tile} tile
   */
  #drop(did, tile) {
    tile.scope.close();
    tile.cell.remove();
    this.#tiles.delete(did);
  }

  #empty() {
    const hint = h("div", { class: "notice" }, icon("plus"), h("div", {}, h("b", {}, t("wall.empty")), t("wall.empty.do")));
    const cell = h("div", { class: "tile empty", role: "group", "aria-label": t("wall.empty") }, hint);
    acceptDevice(cell, (did) => this.#acts.put(did, Number(cell.dataset["place"])));
    this.element.append(cell);
    return cell;
  }
}

/**
 * @param {HTMLButtonElement} button
 * @param {boolean} pinned
 */
function paintPin(button, pinned) {
  const words = t(pinned ? "wall.unpin" : "wall.pin");
  fill(button, icon(pinned ? "pin-off" : "pin"));
  button.setAttribute("aria-pressed", String(pinned));
  button.setAttribute("aria-label", words);
  button.title = words;
}
