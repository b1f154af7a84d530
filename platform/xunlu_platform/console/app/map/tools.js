/** Tools of the map: trails, selection by a box or a lasso, nearest, layers, zoom. Each by button and by key. */

import { fill, h, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { claimKey } from "../kit/keys.js";
import { layers, selected, tool, trails } from "../state/desk.js";
import { opened } from "../past/bar.js";
import { may } from "../net/session.js";
import { openMenu } from "../view/menu.js";
import { gatherNearest, showNearest } from "../command/nearest.js";
import { drawWho } from "../who/ask.js";
import { mountFoundPlace } from "../who/layer.js";
import { mountAreas } from "./area.js";

/** Tools that a drag draws with. */
const DRAWN = new Set(["box", "lasso", "who"]);

/**
 * @param {any} map Leaflet's
 * @param {HTMLElement} box
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountTools(map, box, scope) {
  const near = () =>
    selected.value ? showNearest(selected.value) : tool.set(tool.value === "nearest" ? "none" : "nearest");
  const toggle = (/** @type {"box" | "lasso" | "who"} */ name) => tool.set(tool.value === name ? "none" : name);
  const boxing = () => toggle("box");
  const lassoing = () => toggle("lasso");
  const asking = () => toggle("who");
  const buttons = {
    trails: h("button", { onclick: () => trails.set(!trails.value) }, icon("route"), t("trails"), h("kbd", {}, "T")),
    box: h("button", { onclick: boxing }, icon("square-dashed-mouse-pointer"), t("box"), h("kbd", {}, "X")),
    lasso: h("button", { onclick: lassoing }, icon("pencil"), t("lasso"), h("kbd", {}, "Q")),
    nearest: h("button", { onclick: near }, icon("users"), t("nearest"), h("kbd", {}, "N")),
    who: h("button", { hidden: !may("track"), onclick: asking }, icon("search"), t("who"), h("kbd", {}, "H")),
    past: h("button", { hidden: !may("track"), onclick: () => opened.set(!opened.value) }, icon("history"), t("past"), h("kbd", {}, "B")),
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
  const drawing = () => {
    tool.set("none");
    const bounds = map.getBounds();
    drawWho([bounds.getSouthWest(), bounds.getNorthEast()]);
  };
  const corners = h("button", { class: "quiet", onclick: drawing }, icon("pencil"), t("who.corners"), h("kbd", {}, "Enter"));
  let inner = scope.inner();
  box.parentElement?.append(bar, hint);
  scope.read(trails, (on) => buttons.trails.setAttribute("aria-pressed", String(on)));
  scope.read(opened, (on) => buttons.past.setAttribute("aria-pressed", String(on)));
  scope.read(tool, (name) => {
    buttons.box.setAttribute("aria-pressed", String(name === "box"));
    buttons.lasso.setAttribute("aria-pressed", String(name === "lasso"));
    buttons.nearest.setAttribute("aria-pressed", String(name === "nearest"));
    buttons.who.setAttribute("aria-pressed", String(name === "who"));
    hint.hidden = name === "none";
    fill(hint, name === "none" ? "" : t(`tool.${name}`), name === "who" ? corners : null);
    inner.close();
    inner = scope.inner();
    if (name === "who") claimKey(inner, "Enter", "key.who.corners", drawing);
    box.classList.toggle("aiming", name !== "none");
    map.dragging[DRAWN.has(name) ? "disable" : "enable"]();
  });
  claimKey(scope, "T", "key.trails", () => trails.set(!trails.value));
  claimKey(scope, "X", "key.box", boxing);
  claimKey(scope, "Q", "key.lasso", lassoing);
  claimKey(scope, "N", "key.nearest", near);
  if (may("track")) claimKey(scope, "H", "key.who", asking);
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
  mountAreas(map, box, scope);
  mountFoundPlace(map, scope);
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
  const names = /** @type {("names" | "places" | "accuracy" | "zones")[]} */ (["names", "zones", "places", "accuracy"]);
  const items = names.map((name) => ({
    label: t(`layer.${name}`),
    checked: layers.value[name],
    act: () => layers.set({ ...layers.value, [name]: !layers.value[name] }),
  }));
  openMenu(anchor, items);
}
