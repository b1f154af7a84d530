/** `/zones`: all zones in a list and on a map; one of them with what came of it; or one that is being drawn. */

import { mountSheet } from "../draw/sheet.js";
import { showShape } from "../draw/tools.js";
import { fill, h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { claimKey } from "../kit/keys.js";
import { may } from "../net/session.js";
import { go, route } from "../router.js";
import { units } from "../state/organisation.js";
import { notAllowed, notice } from "../view/notice.js";
import { mountEditor } from "./editor.js";
import { mountFacts } from "./facts.js";
import { mountZoneLayer } from "./layer.js";
import { mountList } from "./list.js";
import { drawn } from "./look.js";
import { zoneById, zones } from "./zones.js";

/** @typedef {import("../kit/store.js").Scope} Scope */
/** @typedef {{shape: any, name: string}} Given a shape from a file, to be looked at and saved */

/** What the address says. @param {URLSearchParams} query */
const viewOf = (query) => ({ id: Number(query.get("zone")) || null, edit: query.get("edit") });

/** @param {number | null} id @param {boolean} [edit] */
export function zoneAddress(id, edit = false) {
  if (id === null) return edit ? "/zones?edit=new" : "/zones";
  return `/zones?zone=${id}${edit ? "&edit=1" : ""}`;
}

/**
 * @param {HTMLElement} root
 * @param {Scope} scope
 */
export function mountZones(root, scope) {
  const left = h("aside", { class: "left", "aria-label": t("zones") });
  const box = h("div", { class: "map", role: "application", "aria-label": t("map") });
  const right = h("aside", { class: "right", "aria-label": t("details"), hidden: true });
  root.append(left, h("div", { class: "map-sheet" }, box), right);
  const map = mountSheet(box, scope);
  mountZoneLayer(map, scope, (zone) => go(zoneAddress(zone.id))).show(true);
  /** @type {Given | null} */
  let given = null;
  mountList(left, scope, (/** @type {Given} */ taken) => {
    given = taken;
    shown = "";
    go("/zones?edit=new");
    paint();
  });
  let inner = scope.inner();
  let shown = "";
  const paint = () => {
    const { path, query } = route.value;
    if (path !== "/zones" || zones.value === null) return;
    const { id, edit } = viewOf(query);
    // A form offers units: it waits for them.
    if (edit && !units.value.length) return;
    const zone = zoneById(id);
    const key = `${id} ${zone?.version_id} ${edit}`;
    // A drawing in hand is not thrown away because others changed something.
    if (key === shown || (edit && shown.startsWith(`${id} `) && shown.endsWith(` ${edit}`))) return;
    shown = key;
    inner.close();
    inner = scope.inner();
    right.hidden = id === null && !edit;
    fill(right);
    right.scrollTop = 0;
    if (edit && !may("zones")) right.append(notAllowed());
    else if (edit && (zone || id === null)) edited(right, map, inner, zone, given);
    else if (zone) looked(right, map, inner, zone);
    else if (id !== null) right.append(notice(t("zone.gone"), t("zone.gone.do"), "map"));
    if (!edit || id !== null) given = null;
  };
  scope.read(zones, paint);
  scope.read(route, paint);
  scope.read(units, paint);
  if (may("zones")) claimKey(scope, "Z", "key.zone.new", () => go(zoneAddress(null, true)));
  claimKey(scope, "Escape", "key.clear", () => go(zoneAddress(null)));
}

/**
 * @param {HTMLElement} right
 * @param {any} map
 * @param {Scope} scope
 * @param {import("./zones.js").Zone | null} zone
 * @param {Given | null} given
 */
function edited(right, map, scope, zone, given) {
  const done = (/** @type {import("./zones.js").Zone | null} */ saved) => go(zoneAddress(saved?.id ?? zone?.id ?? null), "replace");
  mountEditor(right, map, scope, { zone, shape: given?.shape, name: given?.name ?? "", done });
}

/**
 * @param {HTMLElement} right
 * @param {any} map
 * @param {Scope} scope
 * @param {import("./zones.js").Zone} zone
 */
function looked(right, map, scope, zone) {
  const strong = L.layerGroup(drawn(map, zone.shape, zone.kind, true)).addTo(map);
  scope.onClose(() => strong.remove());
  showShape(map, zone.shape);
  mountFacts(right, map, scope, zone);
}
