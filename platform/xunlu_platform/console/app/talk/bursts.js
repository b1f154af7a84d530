/** Every burst of the radio net, by group, officer and day. */

import { fill, h } from "../kit/dom.js";
import { day, when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { query } from "../net/http.js";
import { isCarried } from "../state/display.js";
import { groups } from "../state/talk.js";
import { fleet } from "../state/fleet.js";
import { periodOf } from "../manage/choices.js";
import { listen } from "../manage/devices.js";
import { Listing } from "../manage/listing.js";
import { deviceTitle } from "../view/device-sign.js";
import { groupName, lengthOf, notesOf, playButton, playBurst, talkerOf } from "./burst.js";

/** @typedef {import("../types").Burst} Burst */

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountBurstList(root, scope) {
  /** @type {Listing<Burst>} */
  const list = new Listing(
    [
      { label: "time", cell: (row) => when(row.started_at), kind: "num" },
      { label: "bursts.talker", cell: talkerOf },
      { label: "talk.group", cell: groupName },
      { label: "bursts.length", cell: lengthOf, kind: "num" },
      { label: "", cell: notesOf },
      { label: "", cell: playButton, kind: "end" },
    ],
    { title: t("bursts.none"), detail: t("bursts.none.do"), icon: "radio" },
    playBurst,
  );
  const filters = {
    gid: h("select", { "aria-label": t("talk.group") }),
    did: h("select", { "aria-label": t("officer") }),
    from: h("input", { type: "date", "aria-label": t("from"), value: day(Date.now()) }),
    to: h("input", { type: "date", "aria-label": t("to"), value: day(Date.now()) }),
  };
  scope.read(groups, (known) => offer(filters.gid, t("talk.groups.all"), known.map(({ gid, name }) => [gid, name])));
  scope.read(fleet.loaded, () => offer(filters.did, t("everybody"), recorders()));
  const reload = () => {
    const period = periodOf(filters.from.value, filters.to.value);
    return list.load(`/bursts${query({ gid: filters.gid.value, did: filters.did.value, ...period })}`);
  };
  root.append(h("div", { class: "row filters" }, Object.values(filters)), list.element);
  listen(filters, reload, scope);
  void reload();
}

/** @returns {[string, string][]} */
function recorders() {
  const worn = fleet.order.filter((device) => isCarried(device.kind));
  return worn.map((device) => /** @type {[string, string]} */ ([device.did, deviceTitle(device)])).sort((a, b) => (a[1] < b[1] ? -1 : 1));
}

/**
 * Choices, with the one that was chosen.
 * @param {HTMLSelectElement} select
 * @param {string} all
 * @param {[string, string][]} choices value and words
 */
function offer(select, all, choices) {
  const chosen = select.value;
  fill(select, h("option", { value: "" }, all), choices.map(([value, words]) => h("option", { value, selected: value === chosen }, words)));
}
