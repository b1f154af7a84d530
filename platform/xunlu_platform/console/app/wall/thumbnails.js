/** Every recorder of this desk's scope as a small still of the last minute: fetched for the cards in sight only. */

import { fill, h, icon } from "../kit/dom.js";
import { ago } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { post, Problem, reachFile } from "../net/http.js";
import { serverNow } from "../net/stream.js";
import { hiddenStates, unitFilter } from "../state/desk.js";
import { stateText } from "../state/display.js";
import { fleet } from "../state/fleet.js";
import { isBelow, unitById } from "../state/organisation.js";
import { Watermark } from "../live/watermark.js";
import { claimChoice } from "../command/show.js";
import { go } from "../router.js";
import { deviceTitle, recordedSign, stateSign } from "../view/device-sign.js";
import { complain, loading, notice } from "../view/notice.js";
import { addToWall, lastWall } from "./wall.js";

/** @typedef {import("../state/fleet.js").Device} Device */

const REFRESH_MS = 15_000;
const CARDS_MAX = 2000;
/** The watermark of a small image is small. */
const STAMP_SCALE = 0.6;
/** An image older than this no longer stands for the present. */
const OLD_MS = 5 * 60_000;

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountThumbnails(root, scope) {
  const grid = h("div", { class: "thumbs", role: "list", "aria-label": t("wall.thumbnails") });
  const empty = h("div", {});
  root.append(empty, grid);
  void post("/thumbs/watch").catch(complain);
  /** @type {Map<string, Card>} */
  const cards = new Map();
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) cards.get(didOf(target))?.see(isIntersecting);
  });
  const rebuild = () => {
    const devices = chosen();
    const dids = new Set(devices.map(({ did }) => did));
    for (const [did, card] of cards) if (!dids.has(did)) card.close(), cards.delete(did);
    devices.forEach((device, place) => {
      const card = cards.get(device.did) ?? new Card(device.did, observer);
      cards.set(device.did, card);
      card.describe(device, place);
      if (!card.element.parentElement) grid.append(card.element);
    });
    const none = notice(t("empty.devices"), t("empty.devices.ask"), "images");
    fill(empty, devices.length ? null : fleet.loaded.value ? none : loading());
  };
  for (const store of [fleet.changed, fleet.loaded, unitFilter, hiddenStates])
    scope.read(/** @type {import("../kit/store.js").Store<any>} */ (store), rebuild);
  scope.every(1000, () => cards.forEach((card) => card.age()));
  scope.every(REFRESH_MS, () => document.visibilityState === "visible" && void refresh(cards, scope));
  claimChoice(scope, showLive);
  scope.onClose(() => {
    observer.disconnect();
    cards.forEach((card) => card.close());
  });
}

/** Recorders that the lists beside show, too: gravest first, then by number. */
function chosen() {
  const path = unitById(unitFilter.value)?.path;
  const key = (/** @type {Device} */ device) => device.num ?? device.serial;
  return fleet.order
    .filter(({ kind, state }) => kind === "recorder" && !hiddenStates.value.includes(state))
    .filter(({ unit }) => path === undefined || isBelow(unit, path))
    .sort((a, b) => fleet.state[a.index] - fleet.state[b.index] || (key(a) < key(b) ? -1 : 1))
    .slice(0, CARDS_MAX);
}

/** One after the other: a wall of hundreds must not crowd out the live pictures. @param {Map<string, Card>} cards @param {import("../kit/store.js").Scope} scope */
async function refresh(cards, scope) {
  for (const card of [...cards.values()].filter(({ seen }) => seen)) {
    if (scope.closed) return;
    await card.load();
  }
}

/** @param {string} did */
function showLive(did) {
  addToWall(did);
  go(lastWall.value);
}

/** @param {Element} element */
const didOf = (element) => /** @type {HTMLElement} */ (element).dataset["did"] ?? "";

class Card {
  seen = false;
  element;
  #did;
  #observer;
  #image = h("img", { alt: "", hidden: true });
  #none = h("span", { class: "none faint" }, icon("camera"));
  #name = h("span", { class: "row ellipsis" });
  #age = h("span", { class: "num age" });
  #state = h("span", { class: "row" });
  #mark;
  #etag = "";
  #at_ms = 0;

  /**
   * @param {string} did
   * @param {IntersectionObserver} observer
   */
  constructor(did, observer) {
    this.#did = did;
    this.#observer = observer;
    const frame = h("span", { class: "frame" }, this.#image, this.#none);
    const foot = h("span", { class: "row foot" }, this.#name, h("span", { class: "grow" }), this.#age);
    const open = h("button", { class: "thumb", onclick: () => showLive(did) }, frame, foot, this.#state);
    this.element = h("div", { class: "card", role: "listitem", "data-did": did }, open);
    this.#mark = new Watermark(frame, STAMP_SCALE);
    observer.observe(this.element);
  }

  /**
   * @param {Device} device
   * @param {number} place among the others
   */
  describe(device, place) {
    fill(this.#name, stateSign(device), deviceTitle(device));
    const watched = device.live ? h("span", { class: "row" }, icon("eye"), device.live) : null;
    const recorded = h("span", { class: "row is-srec", title: t("live.recorded") }, recordedSign());
    const words = h("span", { class: `grow ellipsis is-${device.state}` }, stateText(device, device.state));
    fill(this.#state, words, device.srec ? recorded : null, watched);
    this.element.style.setProperty("order", String(place));
  }

  /** @param {boolean} seen whether it came into sight */
  see(seen) {
    this.seen = seen;
    if (seen) void this.load();
  }

  /** Fetch the newest; the browser asks by its tag and takes its own copy when nothing changed. */
  async load() {
    try {
      const response = await reachFile(`/devices/${encodeURIComponent(this.#did)}/thumb`);
      const etag = response.headers.get("etag") ?? "";
      if (etag !== this.#etag) this.#show(await response.blob());
      this.#etag = etag;
      this.#at_ms = Date.parse(response.headers.get("last-modified") ?? "") || 0;
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
    }
    this.age();
  }

  /** @param {Blob} blob */
  #show(blob) {
    URL.revokeObjectURL(this.#image.src);
    this.#image.src = URL.createObjectURL(blob);
    this.#image.hidden = false;
    this.#none.hidden = true;
  }

  age() {
    const age_ms = serverNow() - this.#at_ms;
    this.#age.textContent = this.#at_ms ? ago(age_ms / 1000) : t("thumb.none");
    this.element.classList.toggle("old", this.#at_ms > 0 && age_ms > OLD_MS);
    if (this.seen) this.#mark.keep();
  }

  close() {
    this.#observer.unobserve(this.element);
    URL.revokeObjectURL(this.#image.src);
    this.element.remove();
  }
}
