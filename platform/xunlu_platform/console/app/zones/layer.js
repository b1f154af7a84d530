/** Zones on a map: all that are in force, or were at the moment that is shown; each with its name where there is room. */

import { boundsOf, widen } from "../draw/shape.js";
import { fill, h, icon, refill } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { theme } from "../kit/theme.js";
import { moment } from "../state/moment.js";
import { complain } from "../view/notice.js";
import { drawn, kindSign, summary } from "./look.js";
import { isEmpty, manning, posts } from "./posts.js";
import { followZones } from "./then.js";
import { loadZones, zones } from "./zones.js";

/** From this zoom on zones have names, and so many at most. */
const NAMES_ZOOM = 13;
const NAMES_MAX = 60;

/** @typedef {import("./zones.js").Zone} Zone */

/**
 * @param {any} map Leaflet's
 * @param {import("../kit/store.js").Scope} scope
 * @param {(zone: Zone) => void} choose when a name is clicked
 */
export function mountZoneLayer(map, scope, choose) {
  map.createPane("zones").style.setProperty("z-index", "430");
  const shapes = L.layerGroup();
  const names = L.layerGroup();
  /** The names that are there, by zone. @type {Map<number, ReturnType<typeof tag>>} */
  const tags = new Map();
  /** Those of a moment that is over. @type {Zone[] | null} */
  let then = null;
  const shownZones = () => then ?? zones.value ?? [];
  const paint = () => {
    shapes.clearLayers();
    for (const zone of shownZones()) for (const layer of drawn(map, zone.shape, zone.kind)) shapes.addLayer(layer);
  };
  const named = () => {
    if (map.getZoom() < NAMES_ZOOM || !map.hasLayer(shapes)) return [];
    const seen = map.getBounds();
    return shownZones().filter((zone) => seen.intersects(boundsOf(zone.shape))).slice(0, NAMES_MAX);
  };
  // Whoever has a name under the keys or the pointer keeps it.
  const label = () => {
    const wanted = new Map(named().map((zone) => [zone.id, zone]));
    for (const [id, { marker }] of tags) if (!wanted.has(id)) names.removeLayer(marker), tags.delete(id);
    for (const [id, zone] of wanted) {
      const known = tags.get(id) ?? tag(map, zone, choose);
      tags.set(id, known);
      known.show(zone);
      names.addLayer(known.marker);
    }
  };
  const show = (/** @type {Zone[] | null} */ found) => ((then = found), paint(), label());
  const look = followZones(scope, show);
  scope.read(zones, () => (paint(), label()));
  scope.read(moment, (ms) => {
    look(ms);
    // What is in force today was perhaps not then.
    if ((ms === null) !== (then === null)) show(ms === null ? null : []);
  });
  scope.read(theme, paint);
  scope.read(posts, label);
  map.on("moveend", label);
  map.on("zoomend", () => shapes.eachLayer((/** @type {any} */ layer) => widen(map, layer)));
  if (zones.value === null) void loadZones().catch(complain);
  return {
    /** @param {boolean} shown */
    show(shown) {
      if (shown === map.hasLayer(shapes)) return;
      for (const group of [shapes, names]) group[shown ? "addTo" : "remove"](map);
      label();
    },
  };
}

/** Words for who does not see the sign and the map. @param {string} words */
const unseen = (words) => h("span", { class: "visually-hidden" }, words);

/**
 * The name of a zone in its middle: pointing at it tells the facts, choosing it opens the zone.
 * @param {any} map
 * @param {Zone} zone as it is now
 * @param {(zone: Zone) => void} choose
 */
function tag(map, zone, choose) {
  const facts = h("div", { class: "tip", hidden: true });
  /** @type {any[]} */
  let raised = [];
  const tell = (/** @type {boolean} */ on) => {
    facts.hidden = !on;
    fill(facts, on ? [...summary(zone), manning(posts.value.get(zone.id))] : null);
    for (const layer of raised) layer.remove();
    raised = on ? drawn(map, zone.shape, zone.kind, true).map((layer) => layer.addTo(map)) : [];
  };
  const button = h("button", {
    class: "zone-tag",
    onclick: (/** @type {Event} */ event) => (event.stopPropagation(), tell(false), choose(zone)),
    onpointerenter: () => tell(true),
    onpointerleave: () => tell(false),
    onfocus: () => tell(true),
    onblur: () => tell(false),
  });
  const box = L.divIcon({ className: "zone-name-box", html: h("div", {}, button, facts), iconSize: null });
  const marker = L.marker(boundsOf(zone.shape).getCenter(), { icon: box, pane: "zones", keyboard: false, interactive: false });
  marker.on("remove", () => tell(false));
  const show = (/** @type {Zone} */ now) => {
    zone = now;
    marker.setLatLng(boundsOf(zone.shape).getCenter());
    refill(
      button,
      unseen(`${t("zone")} `),
      kindSign(zone.kind),
      zone.name,
      unseen(`, ${t(`zone.kind.${zone.kind}`)}`),
      isEmpty(posts.value.get(zone.id)) ? h("span", { class: "is-warn row" }, icon("triangle-alert"), t("post.empty")) : null,
    );
    if (!facts.hidden) tell(true);
  };
  return { marker, show };
}
