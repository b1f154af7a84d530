/** A carousel: the recorders of some squads, or all on duty, take turns on the places that are not pinned. */

import { h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { isCarried, PRESENT } from "../state/display.js";
import { fleet } from "../state/fleet.js";
import { isBelow, unitById, unitsInOrder } from "../state/organisation.js";
import { ask } from "../view/dialog.js";
import { TURN_MAX_S, TURN_MIN_S, turn } from "./layout.js";

/** @typedef {import("./layout.js").Layout} Layout */

/** Who could not be shown is left out for a while, not for ever. */
const PASSED_OVER_MS = 5 * 60_000;

export class Turns {
  #since_ms = performance.now();
  /** When a picture was refused, `performance.now()`. @type {Map<string, number>} */
  #refused = new Map();

  /** A picture will not come. @param {string} did */
  pass(did) {
    this.#refused.set(did, performance.now());
  }

  /** Begin the interval anew. */
  restart() {
    this.#since_ms = performance.now();
  }

  /** Seconds until the next turn. @param {Layout} layout */
  left_s({ carousel }) {
    return Math.max(0, Math.ceil((carousel?.every_s ?? 0) - (performance.now() - this.#since_ms) / 1000));
  }

  /** The layout of the next turn. @param {Layout} layout */
  next(layout) {
    this.restart();
    const needy = (/** @type {string} */ did) => fleet.devices.get(did)?.state === "sos";
    return turn(layout, this.#candidates(layout.carousel?.units ?? []), needy);
  }

  /** Recorders on duty, by number. @param {number[]} ids of units; none: everybody's */
  #candidates(ids) {
    const paths = ids.flatMap((id) => unitById(id)?.path ?? []);
    const now = performance.now();
    for (const [did, at] of this.#refused) if (now - at > PASSED_OVER_MS) this.#refused.delete(did);
    const key = (/** @type {import("../types").Live} */ live) => live.num ?? live.serial;
    return fleet.order
      .filter((device) => isCarried(device.kind) && PRESENT.has(device.state) && !this.#refused.has(device.did))
      .filter((device) => !ids.length || paths.some((path) => isBelow(device.unit, path)))
      .sort((a, b) => (key(a) < key(b) ? -1 : 1))
      .map(({ did }) => did);
  }
}

/**
 * @param {import("./layout.js").Carousel} carousel as it stands
 * @param {(carousel: import("./layout.js").Carousel) => void} begin
 */
export function askCarousel(carousel, begin) {
  const interval = h("input", { type: "number", min: TURN_MIN_S, max: TURN_MAX_S, required: true, value: carousel.every_s });
  const options = unitsInOrder().map(({ unit, depth }) =>
    h("option", { value: unit.id, selected: carousel.units.includes(unit.id) }, `${"　".repeat(depth)}${unit.name}`),
  );
  const squads = h("select", { multiple: true, size: Math.min(10, Math.max(4, options.length)) }, options);
  const questions = [
    { name: "interval", label: t("wall.carousel.every"), control: interval },
    { name: "squads", label: t("wall.carousel.units"), control: squads, hint: t("wall.carousel.units.hint") },
  ];
  ask(t("wall.carousel"), questions, t("wall.carousel.begin"), async () =>
    begin({ every_s: Number(interval.value), units: [...squads.selectedOptions].map(({ value }) => Number(value)) }),
  );
}
