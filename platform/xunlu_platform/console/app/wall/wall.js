/**
 * The wall: up to sixteen live pictures, everything in its address. Pictures come by dragging, from the list, or by
 * turns; the keys speak of the place that has the focus.
 */

import { fill, h, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { claimKey } from "../kit/keys.js";
import { SavedStore } from "../kit/store.js";
import { claimChoice } from "../command/show.js";
import { go, route } from "../router.js";
import { alarms } from "../state/alarms.js";
import { complain } from "../view/notice.js";
import { askCarousel, Turns } from "./carousel.js";
import * as layouts from "./layout.js";
import { Tiles } from "./tiles.js";

/** @typedef {import("./layout.js").Layout} Layout */
/** @typedef {import("../kit/store.js").Scope} Scope */

/** The wall as it was last. */
export const lastWall = new SavedStore("wall", "/wall?grid=4");
/** Whether an SOS takes the first place by itself. */
const sosFirst = new SavedStore("wall.sos", true);

const CAROUSEL = { every_s: 20, units: [] };

/** Add a device to the wall as it was last, from wherever. @param {string} did */
export function addToWall(did) {
  const layout = layouts.parseLayout(new URLSearchParams(lastWall.value.split("?")[1] ?? ""));
  lastWall.set(layouts.addressOf(layouts.put(layout, did)));
}

/**
 * @param {HTMLElement} root
 * @param {Scope} scope
 */
export function mountPictures(root, scope) {
  let layout = layouts.parseLayout(route.value.query);
  const change = (/** @type {Layout} */ next, /** @type {"push" | "replace"} */ how = "push") =>
    go(layouts.addressOf(next), how);
  const turns = new Turns();
  const tiles = new Tiles(scope, {
    put: (did, place) => change(layouts.put(layout, did, place)),
    clear: (place) => change(layouts.clear(layout, place)),
    pin: (did) => change(layouts.togglePin(layout, did)),
    refused: (did) => turns.pass(did),
  });
  const bar = h("div", { class: "wall-bar", role: "toolbar", "aria-label": t("wall.tools") });
  root.append(bar, tiles.element);
  const paint = paintBar(bar, () => layout, change, turns, scope);
  scope.read(route, ({ path, query }) => {
    if (path !== "/wall") return;
    if (![...query].length && lastWall.value !== path) return go(lastWall.value, "replace");
    layout = layouts.parseLayout(query);
    lastWall.set(layouts.addressOf(layout));
    tiles.show(layout);
    paint();
  });
  scope.read(sosFirst, paint);
  claimChoice(scope, (did) => {
    change(layouts.put(layout, did, layouts.shown(layout)[tiles.place] === null ? tiles.place : null));
    tiles.focus(Math.max(0, layout.places.indexOf(did)));
  });
  scope.every(1000, () => {
    if (layout.carousel && turns.left_s(layout) === 0) change(turns.next(layout), "replace");
    paint();
  });
  raiseSos(scope, (did) => change(layouts.promote(layout, did), "replace"));
  claimKeys(scope, tiles, () => layout, change);
}

/**
 * Every new SOS once, the gravest last, so that it ends up first.
 * @param {Scope} scope
 * @param {(did: string) => void} promote
 */
function raiseSos(scope, promote) {
  /** @type {Set<number>} */
  const known = new Set();
  scope.read(alarms, (open) => {
    const fresh = open.filter(({ id, kind, state, late }) => kind === "sos" && state === "new" && !late && !known.has(id));
    for (const alarm of fresh.reverse()) {
      known.add(alarm.id);
      if (sosFirst.value) promote(alarm.did);
    }
  });
}

/**
 * @param {HTMLElement} bar
 * @param {() => Layout} now
 * @param {(next: Layout) => void} change
 * @param {Turns} turns
 * @param {Scope} scope
 * @returns {() => void} paints again
 */
function paintBar(bar, now, change, turns, scope) {
  const sizes = layouts.GRIDS.map((grid, i) =>
    h("button", { title: `${t("wall.grid", { n: grid })} (${i + 1})`, onclick: () => change({ ...now(), grid, full: null }) }, grid),
  );
  const carousel = h("button", { onclick: () => toggleCarousel(now, change, turns) });
  const sos = h("button", { onclick: () => sosFirst.set(!sosFirst.value), title: t("wall.sos.do") }, icon("bell-ring"), t("wall.sos"));
  const screen = h("button", { onclick: () => void fillScreen(), title: `${t("wall.screen")} (F)` }, icon("maximize"), t("wall.screen"));
  const group = h("span", { class: "row sizes", role: "group", "aria-label": t("wall.grids") }, icon("layout-grid"), sizes);
  bar.append(group, carousel, sos, h("span", { class: "grow" }), screen);
  scope.listen(document, "fullscreenchange", () => screen.setAttribute("aria-pressed", String(document.fullscreenElement !== null)));
  return () => {
    const layout = now();
    sizes.forEach((button, i) => button.setAttribute("aria-pressed", String(layouts.GRIDS[i] === layout.grid)));
    sos.setAttribute("aria-pressed", String(sosFirst.value));
    carousel.setAttribute("aria-pressed", String(layout.carousel !== null));
    const words = layout.carousel ? t("wall.carousel.left", { n: turns.left_s(layout) }) : t("wall.carousel");
    if (carousel.textContent !== words) fill(carousel, icon("repeat"), words);
  };
}

/**
 * @param {() => Layout} now
 * @param {(next: Layout) => void} change
 * @param {Turns} turns
 */
function toggleCarousel(now, change, turns) {
  if (now().carousel) change({ ...now(), carousel: null });
  else askCarousel(CAROUSEL, (carousel) => change(turns.next({ ...now(), carousel })));
}

/** The wall without anything else; toasts and dialogs are inside. */
async function fillScreen() {
  const act = document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
  await act.catch(complain);
}

/**
 * @param {Scope} scope
 * @param {Tiles} tiles
 * @param {() => Layout} now
 * @param {(next: Layout) => void} change
 */
function claimKeys(scope, tiles, now, change) {
  layouts.GRIDS.forEach((grid, i) =>
    claimKey(scope, String(i + 1), `key.grid.${grid}`, () => change({ ...now(), grid, full: null })),
  );
  const steps = /** @type {[string, number, number][]} */ ([
    ["ArrowLeft", -1, 0],
    ["ArrowRight", 1, 0],
    ["ArrowUp", 0, -1],
    ["ArrowDown", 0, 1],
  ]);
  for (const [key, dx, dy] of steps) claimKey(scope, key, "key.wall.move", () => tiles.move(dx, dy));
  const enlarge = () => {
    const layout = now();
    const did = tiles.picture?.did ?? null;
    change({ ...layout, full: layout.full === null ? did : null });
  };
  claimKey(scope, "Enter", "key.wall.full", enlarge);
  claimKey(scope, "P", "key.wall.pin", () => tiles.picture && change(layouts.togglePin(now(), tiles.picture.did)));
  claimKey(scope, "M", "key.wall.sound", () => tiles.picture?.toggleSound());
  claimKey(scope, "S", "key.wall.snapshot", () => void tiles.picture?.snapshot());
  claimKey(scope, "Delete", "key.wall.remove", () => tiles.picture && change(layouts.clear(now(), tiles.place)));
  claimKey(scope, "F", "key.wall.screen", () => void fillScreen());
  claimKey(scope, "Escape", "key.wall.back", () => now().full !== null && change({ ...now(), full: null }));
}
