/** What an officer said on the radio net today. */

import { fill, h } from "../kit/dom.js";
import { day } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { getAll, query } from "../net/http.js";
import { fleet } from "../state/fleet.js";
import { burstRow } from "../talk/burst.js";
import { failure, loading } from "../view/notice.js";

const SHOWN_MAX = 100;
const RELOAD_MS = 30_000;
/** A burst is registered a moment after it ended. */
const REGISTERED_MS = 3_000;

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 * @param {string} did
 */
export function mountBursts(root, scope, did) {
  const list = h("ol", { class: "events bursts" }, h("li", {}, loading()));
  root.append(h("section", {}, h("h3", {}, t("bursts"), h("span", { class: "faint" }, t("recordings.span"))), list));
  const load = async () => {
    try {
      const from = new Date(`${day(Date.now())}T00:00:00`).toISOString();
      const items = await getAll(`/bursts${query({ did, from })}`, SHOWN_MAX);
      if (!scope.closed) fill(list, items.length ? items.map(burstRow) : h("li", { class: "dim" }, t("bursts.none")));
    } catch (problem) {
      fill(list, h("li", {}, failure(problem, () => void load())));
    }
  };
  let talked = false;
  let due_ms = 0;
  scope.every(1000, () => {
    const talks = Boolean(fleet.devices.get(did)?.talk);
    if (talked && !talks) due_ms = Date.now() + REGISTERED_MS;
    talked = talks;
    if (Date.now() < due_ms || document.hidden) return;
    due_ms = Date.now() + RELOAD_MS;
    void load();
  });
}
