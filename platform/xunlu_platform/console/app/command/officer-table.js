/**
 * The officer table: the map's accessible twin. Only the rows in sight exist; one of them has the focus, arrows move it,
 * Enter opens the drawer. Gravest state first, then by number.
 */

import { h, icon, refill } from "../kit/dom.js";
import { shortSpan } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { may } from "../net/session.js";
import { selected } from "../state/desk.js";
import { isFresh, stateText } from "../state/display.js";
import { fleet } from "../state/fleet.js";
import { shownNow } from "../state/moment.js";
import { watchDevices } from "../state/watch.js";
import { offerDevices } from "../view/device-drag.js";
import { recordedSign, sign, stateSign } from "../view/device-sign.js";
import { loading, notice } from "../view/notice.js";
import { chooseDevice } from "./show.js";

const ROW_PX = 30;
const SPARE_ROWS = 6;

/** @typedef {import("../state/fleet.js").Device} Device */

export class OfficerTable {
  /** @type {Device[]} */
  #devices = [];
  #box;
  #sheet = h("div", { class: "sheet", role: "rowgroup" });
  #empty = h("div");
  /** @type {string | null} */
  #focused = null;
  /** A row under the pointer's button may be about to be dragged: it must stay where it is. */
  #held = false;

  /**
   * @param {HTMLElement} box scrolls
   * @param {import("../kit/store.js").Scope} scope
   */
  constructor(box, scope) {
    this.#box = box;
    box.setAttribute("role", "grid");
    box.setAttribute("aria-label", t("officer.table"));
    // Beside it: a grid holds rows and nothing else.
    box.before(this.#empty);
    box.append(this.#sheet);
    scope.listen(box, "scroll", () => this.#paint(), { passive: true });
    scope.listen(box, "keydown", (event) => this.#key(event));
    scope.listen(box, "focusin", (event) => (this.#focused = event.target.dataset.did ?? null));
    scope.listen(box, "pointerdown", (event) => (this.#held = event.target.closest("[data-did]") !== null));
    for (const type of ["pointerup", "dragend"]) scope.listen(document, type, () => (this.#held = false));
    // A mouse's pointer is cancelled where the drag begins, a finger's where it scrolls.
    scope.listen(document, "pointercancel", ({ pointerType }) => (this.#held &&= pointerType === "mouse"));
    offerDevices(box, scope);
    scope.listen(box, "click", (event) => this.#choose(event.target.closest("[data-did]")?.dataset.did));
    scope.every(1000, () => this.#paint());
    scope.read(selected, () => this.#paint());
    const observer = new ResizeObserver(() => this.#paint());
    observer.observe(box);
    scope.onClose(() => observer.disconnect());
  }

  /**
   * @param {Device[]} devices what the filters let through
   * @param {boolean} loaded whether the fleet is known at all
   * @param {number} unfiltered how many there would be without the filter by state
   */
  show(devices, loaded, unfiltered) {
    this.#devices = devices.sort((a, b) => fleet.state[a.index] - fleet.state[b.index] || (key(a) < key(b) ? -1 : 1));
    this.#box.setAttribute("aria-rowcount", String(devices.length));
    refill(this.#empty, devices.length ? null : emptiness(loaded, unfiltered));
    this.#paint();
  }

  #paint() {
    if (this.#held) return;
    const first = Math.max(0, Math.floor(this.#box.scrollTop / ROW_PX) - SPARE_ROWS);
    const last = Math.min(
      this.#devices.length,
      Math.ceil((this.#box.scrollTop + this.#box.clientHeight) / ROW_PX) + SPARE_ROWS,
    );
    const had = this.#sheet.contains(document.activeElement);
    const shown = this.#devices.slice(first, last);
    watchDevices(
      "table",
      shown.map(({ did }) => did),
    );
    const anchor =
      shown.find(({ did }) => did === this.#focused) ?? shown.find(({ did }) => did === selected.value) ?? shown[0];
    this.#sheet.style.setProperty("height", `${this.#devices.length * ROW_PX}px`);
    refill(
      this.#sheet,
      shown.map((device, k) => row(device, first + k, device === anchor)),
    );
    if (had) /** @type {HTMLElement | null} */ (this.#sheet.querySelector('[tabindex="0"]'))?.focus({ preventScroll: true });
  }

  /** @param {string | undefined} did */
  #choose(did) {
    if (!did) return;
    this.#focused = did;
    chooseDevice(did);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const at = this.#devices.findIndex(({ did }) => did === /** @type {HTMLElement} */ (event.target).dataset["did"]);
    const page = Math.max(1, Math.floor(this.#box.clientHeight / ROW_PX) - 1);
    /** @type {Record<string, number>} */
    const steps = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: this.#devices.length - 1,
    };
    const wanted = steps[event.key];
    if (event.key === "Enter" || event.key === " ") this.#choose(this.#devices[at]?.did);
    else if (wanted === undefined || at < 0) return;
    else this.#focus(Math.max(0, Math.min(this.#devices.length - 1, wanted)));
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {number} index */
  #focus(index) {
    this.#focused = this.#devices[index]?.did ?? null;
    const top = index * ROW_PX;
    const box = this.#box;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + ROW_PX > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW_PX - box.clientHeight;
    this.#paint();
    /** @type {HTMLElement | null} */ (this.#sheet.querySelector('[tabindex="0"]'))?.focus({ preventScroll: true });
  }
}

/** What rows of one state are ordered by. @param {Device} device */
const key = (device) => device.num ?? device.serial;

/**
 * @param {Device} device
 * @param {number} index
 * @param {boolean} focusable
 */
function row(device, index, focusable) {
  const now_ms = shownNow();
  const late = device.tms !== null && device.st === "online" && !isFresh(device, now_ms);
  const age = device.tms === null ? "—" : shortSpan((now_ms - device.tms) / 1000);
  return h(
    "div",
    {
      class: "officer",
      role: "row",
      "data-key": device.did,
      "data-did": device.did,
      draggable: may("live") ? "true" : null,
      tabindex: focusable ? 0 : -1,
      "aria-rowindex": index + 1,
      "aria-selected": String(device.did === selected.value),
      style: { transform: `translateY(${index * ROW_PX}px)` },
    },
    h(
      "span",
      { role: "gridcell", class: "name row" },
      stateSign(device),
      h("span", { class: "ellipsis" }, device.name ?? (device.serial || device.did)),
      h("span", { class: "faint" }, device.num ?? ""),
      device.live || device.srec ? watched(device) : null,
    ),
    h(
      "span",
      { role: "gridcell", class: `word row is-${device.talk ? "talk" : device.state}` },
      device.talk ? [icon("mic"), t("talk.talks")] : stateText(device, device.state),
      device.warnings.length ? sign("warn") : null,
    ),
    h("span", { role: "gridcell", class: `age num ${late ? "is-warn" : "dim"}` }, age),
  );
}

/** Somebody watches, or the server records. @param {Device} device */
function watched(device) {
  const words = [device.live ? t("live.viewers", { n: device.live }) : "", device.srec ? t("live.recorded") : ""];
  const label = words.filter(Boolean).join(" · ");
  return h("span", { class: `watched ${device.srec ? "is-srec" : ""}`, title: label }, device.srec ? recordedSign() : icon("eye"), h("span", { class: "visually-hidden" }, label));
}

/**
 * @param {boolean} loaded
 * @param {number} unfiltered
 */
function emptiness(loaded, unfiltered) {
  if (!loaded) return loading();
  if (unfiltered) return notice(t("empty.filtered"), t("empty.filtered.do"), "list-filter");
  return notice(t("empty.devices"), t(may("devices") ? "empty.devices.do" : "empty.devices.ask"), "smartphone");
}
