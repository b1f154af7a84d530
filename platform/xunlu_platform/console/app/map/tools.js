/** Tools of the map: trails, box selection, nearest, layers, zoom. Each by button and by key. */

import { fill, h, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { claimKey } from "../kit/keys.js";
import { gathered, layers, selected, tool, trails } from "../state/desk.js";
import { fleet, worldX, worldY } from "../state/fleet.js";
import { openMenu } from "../view/menu.js";
import { gatherNearest, showNearest } from "../command/nearest.js";
import { showDevice } from "../command/show.js";

const GATHERED_MAX = 500;

/**
 * @param {any} map Leaflet's
 * @param {HTMLElement} box
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountTools(map, box, scope) {
  const near = () =>
    selected.value ? showNearest(selected.value) : tool.set(tool.value === "nearest" ? "none" : "nearest");
  const boxing = () => tool.set(tool.value === "box" ? "none" : "box");
  const buttons = {
    trails: h("button", { onclick: () => trails.set(!trails.value) }, icon("route"), t("trails"), h("kbd", {}, "T")),
    box: h("button", { onclick: boxing }, icon("square-dashed-mouse-pointer"), t("box"), h("kbd", {}, "X")),
    nearest: h("button", { onclick: near }, icon("users"), t("nearest"), h("kbd", {}, "N")),
    layers: h(
      "button",
      { onclick: () => chooseLayers(buttons.layers), "aria-haspopup": "menu" },
      icon("layers"),
      t("layers"),
    ),
  };
  const bar = h(
    "div",
    { class: "map-bar", role: "toolbar", "aria-label": t("map.tools") },
    Object.values(buttons),
    ...zoomButtons(map),
  );
  const hint = h("div", { class: "map-hint", role: "status", hidden: true });
  box.parentElement?.append(bar, hint);
  scope.read(trails, (on) => buttons.trails.setAttribute("aria-pressed", String(on)));
  scope.read(tool, (name) => {
    buttons.box.setAttribute("aria-pressed", String(name === "box"));
    buttons.nearest.setAttribute("aria-pressed", String(name === "nearest"));
    hint.hidden = name === "none";
    fill(hint, name === "none" ? "" : t(`tool.${name}`));
    box.classList.toggle("aiming", name !== "none");
    map.dragging[name === "box" ? "disable" : "enable"]();
  });
  claimKey(scope, "T", "key.trails", () => trails.set(!trails.value));
  claimKey(scope, "X", "key.box", boxing);
  claimKey(scope, "N", "key.nearest", near);
  // Leaflet answers these keys itself while the map has the focus.
  const zoom = (/** @type {number} */ steps) => void (document.activeElement === box || map.setZoom(map.getZoom() + steps));
  claimKey(scope, "+", "key.zoom-in", () => zoom(1));
  claimKey(scope, "=", "key.zoom-in", () => zoom(1));
  claimKey(scope, "-", "key.zoom-out", () => zoom(-1));
  map.on("click contextmenu", (/** @type {any} */ event) => {
    if (event.type === "click" && tool.value !== "nearest") return;
    tool.set("none");
    gatherNearest(event.latlng.lat, event.latlng.lng, null);
  });
  mountBox(map, box, scope);
}

/** @param {any} map */
function zoomButtons(map) {
  return [
    h("button", { "aria-label": t("zoom.in"), title: t("zoom.in"), onclick: () => map.zoomIn() }, icon("zoom-in")),
    h("button", { "aria-label": t("zoom.out"), title: t("zoom.out"), onclick: () => map.zoomOut() }, icon("zoom-out")),
  ];
}

/** @param {HTMLElement} anchor */
function chooseLayers(anchor) {
  const names = /** @type {("names" | "places" | "accuracy")[]} */ (["names", "places", "accuracy"]);
  const items = names.map((name) => ({
    label: t(`layer.${name}`),
    checked: layers.value[name],
    act: () => layers.set({ ...layers.value, [name]: !layers.value[name] }),
  }));
  openMenu(anchor, items);
}

/**
 * Drag a rectangle: everybody inside becomes a list.
 * @param {any} map
 * @param {HTMLElement} box
 * @param {import("../kit/store.js").Scope} scope
 */
function mountBox(map, box, scope) {
  const frame = h("div", { class: "box-frame", hidden: true });
  box.append(frame);
  /** @type {{x: number, y: number} | null} */
  let from = null;
  scope.listen(box, "pointerdown", (event) => {
    if (tool.value !== "box" || event.button !== 0) return;
    from = map.mouseEventToContainerPoint(event);
    box.setPointerCapture(event.pointerId);
  });
  scope.listen(box, "pointermove", (event) => {
    if (!from) return;
    const to = map.mouseEventToContainerPoint(event);
    frame.hidden = false;
    const place = {
      left: Math.min(from.x, to.x),
      top: Math.min(from.y, to.y),
      width: Math.abs(to.x - from.x),
      height: Math.abs(to.y - from.y),
    };
    for (const [name, px] of Object.entries(place)) frame.style.setProperty(name, `${px}px`);
  });
  scope.listen(box, "pointerup", (event) => {
    if (!from) return;
    const corners = [map.containerPointToLatLng([from.x, from.y]), map.mouseEventToLatLng(event)];
    from = null;
    frame.hidden = true;
    tool.set("none");
    gatherBox(L.latLngBounds(corners));
  });
}

/** @param {any} bounds Leaflet's */
function gatherBox(bounds) {
  const [west, east] = [worldX(bounds.getWest()), worldX(bounds.getEast())];
  const [north, south] = [worldY(bounds.getNorth()), worldY(bounds.getSouth())];
  const inside = fleet.order.filter(({ index }) => {
    const [x, y, flag] = [fleet.x[index] ?? -1, fleet.y[index] ?? -1, fleet.flags[index] ?? 0];
    return (flag & 9) === 1 && x >= west && x <= east && y >= north && y <= south;
  });
  showDevice(null);
  gathered.set({
    title: t("box.title", { n: inside.length }),
    rows: inside.slice(0, GATHERED_MAX).map(({ did }) => ({ did, note: "" })),
  });
}
