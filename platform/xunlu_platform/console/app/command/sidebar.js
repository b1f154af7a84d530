/** Left: the organisation with counts, filters by state, and the officer table. They decide together what the map shows. */

import { h, icon, refill } from "../kit/dom.js";
import { count } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { hiddenStates, unitFilter } from "../state/desk.js";
import { PRESENT } from "../state/display.js";
import { fleet } from "../state/fleet.js";
import { isBelow, unitById, units } from "../state/organisation.js";
import { sign } from "../view/device-sign.js";
import { OfficerTable } from "./officer-table.js";
import { mountTree } from "./tree.js";

/** @typedef {import("../state/display.js").State} State */
/** @typedef {import("../state/fleet.js").Device} Device */

const REBUILD_MS = 400;

/** What is switched together. @type {[State, State[]][]} */
const GROUPS = [
  ["sos", ["sos"]],
  ["rec", ["rec"]],
  ["duty", ["duty"]],
  ["stale", ["stale", "nofix"]],
  ["nosignal", ["nosignal", "unknown"]],
  ["off", ["sleep", "off"]],
];

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountSidebar(root, scope) {
  const tree = h("div", { class: "tree", role: "tree", "aria-label": t("organisation") });
  const chips = h("div", { class: "chips", role: "group", "aria-label": t("filter.states") });
  const title = h("div", { class: "table-title row" });
  const body = h("div", { class: "rows" });
  const summary = h("div", { class: "head" });
  root.append(h("section", {}, summary, tree), h("section", { class: "filters" }, title, chips), body);
  const table = new OfficerTable(body, scope);
  const paintTree = mountTree(tree, scope);
  const rebuild = () => {
    const inUnit = fleet.order.filter(belongs);
    const shown = inUnit.filter((device) => !hiddenStates.value.includes(device.state));
    fleet.filter((device) => belongs(device) && !hiddenStates.value.includes(device.state));
    table.show(shown, fleet.loaded.value, inUnit.length);
    paintSummary(summary);
    paintTree();
    paintChips(chips, inUnit);
    paintTitle(title, shown.length, inUnit.length);
  };
  const slowly = throttle(rebuild, scope);
  scope.read(fleet.changed, slowly);
  scope.read(fleet.loaded, slowly);
  scope.read(units, slowly);
  scope.read(unitFilter, rebuild);
  scope.read(hiddenStates, rebuild);
}

/** Recorders and trackers of the chosen unit; stations do not patrol. @param {Device} device */
function belongs(device) {
  if (device.kind === "station") return false;
  const unit = unitById(unitFilter.value);
  return unit === null || isBelow(device.unit, unit.path);
}

/** @param {HTMLElement} box */
function paintSummary(box) {
  const all = fleet.order.filter((device) => device.kind !== "station");
  const present = all.filter((device) => PRESENT.has(device.state)).length;
  const rec = all.filter((device) => device.state === "rec").length;
  const figure = (/** @type {number} */ n, /** @type {string} */ word) => h("span", {}, h("b", {}, count(n)), ` ${t(word)}`);
  refill(
    box,
    h("h2", {}, t("organisation")),
    h(
      "span",
      { class: "figures" },
      figure(present, "count.present"),
      figure(rec, "count.rec"),
      figure(all.length - present, "count.away"),
    ),
  );
}

/**
 * @param {HTMLElement} box
 * @param {Device[]} devices
 */
function paintChips(box, devices) {
  const chips = GROUPS.map(([name, states]) => {
    const n = devices.filter((device) => states.includes(device.state)).length;
    const shown = !states.some((state) => hiddenStates.value.includes(state));
    const toggle = () =>
      hiddenStates.set(
        shown
          ? [...hiddenStates.value, ...states]
          : hiddenStates.value.filter((state) => !states.includes(/** @type {State} */ (state))),
      );
    const label = t(`state.${name}`);
    return h(
      "button",
      {
        class: "chip-button",
        "data-key": name,
        "aria-pressed": String(shown),
        onclick: toggle,
        title: label,
        "aria-label": `${label} ${n}`,
      },
      sign(name),
      count(n),
    );
  });
  refill(box, chips);
}

/**
 * @param {HTMLElement} box
 * @param {number} shown
 * @param {number} all
 */
function paintTitle(box, shown, all) {
  const unit = unitById(unitFilter.value);
  const people = shown === all ? t("people", { n: count(all) }) : t("people.of", { n: count(shown), all: count(all) });
  const clear = unit
    ? h(
        "button",
        { class: "quiet", "aria-label": t("filter.clear"), title: t("filter.clear"), onclick: () => unitFilter.set(null) },
        icon("x"),
      )
    : null;
  refill(box, h("span", { class: "ellipsis grow" }, `${unit?.name ?? t("everybody")} · ${people}`), clear);
}

/**
 * Run now, and at most once in a while.
 * @param {() => void} act
 * @param {import("../kit/store.js").Scope} scope
 */
function throttle(act, scope) {
  /** @type {ReturnType<typeof setTimeout> | null} */
  let waiting = null;
  let last = -Infinity;
  scope.onClose(() => waiting !== null && clearTimeout(waiting));
  return () => {
    if (waiting !== null) return;
    const wait_ms = Math.max(0, last + REBUILD_MS - performance.now());
    waiting = setTimeout(() => {
      waiting = null;
      last = performance.now();
      act();
    }, wait_ms);
  };
}
