/** The last events of a device, newest first; new ones come by the stream. */

import { fill, h, icon } from "../kit/dom.js";
import { when } from "../kit/format.js";
import { t, word } from "../kit/i18n.js";
import { get, query } from "../net/http.js";
import { begun, lastEvent } from "../state/feed.js";
import { failure, loading } from "../view/notice.js";

const SPAN_MS = 24 * 3_600_000;
const EVENTS_MAX = 50;
const SHOWN_FIRST = 8;

/** @typedef {import("../types").DeviceEvent} DeviceEvent */

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 * @param {string} did
 */
export function mountEvents(root, scope, did) {
  const list = h("ol", { class: "events" }, h("li", {}, loading()));
  root.append(h("section", {}, h("h3", {}, t("events"), h("span", { class: "faint" }, t("events.span"))), list));
  /** @type {DeviceEvent[]} */
  let events = [];
  let all = false;
  const paint = () => {
    const shown = events.slice(0, all ? EVENTS_MAX : SHOWN_FIRST);
    const more = () => {
      all = true;
      paint();
    };
    const rest = events.length > shown.length ? h("li", {}, h("button", { class: "link", onclick: more }, t("more"))) : null;
    fill(list, shown.length ? shown.map(row) : h("li", { class: "dim" }, t("events.none")), rest);
  };
  const load = async () => {
    try {
      const now = Date.now();
      const range = query({
        from: new Date(now - SPAN_MS).toISOString(),
        to: new Date(now + 60_000).toISOString(),
        limit: EVENTS_MAX,
      });
      events = (await get(`/devices/${encodeURIComponent(did)}/events${range}`)).items;
      paint();
    } catch (problem) {
      fill(list, h("li", {}, failure(problem, () => void load())));
    }
  };
  scope.read(begun, () => void load());
  scope.read(lastEvent, (event) => {
    if (event?.did !== did || events.some(({ id }) => id === event.id)) return;
    events = [event, ...events].slice(0, EVENTS_MAX);
    paint();
  });
}

/** @param {DeviceEvent} event */
function row(event) {
  const note = typeof event.payload?.["text"] === "string" ? event.payload["text"] : "";
  return h(
    "li",
    { class: "row" },
    h("time", { class: "faint num" }, when(event.at_ms ?? event.at)),
    event.type.startsWith("sos") ? icon("bell-ring") : null,
    h("span", { class: event.type === "sos" ? "is-sos" : null }, word("event", event.type)),
    h("span", { class: "dim ellipsis grow" }, note),
    event.late ? h("span", { class: "tag" }, t("late")) : null,
  );
}
