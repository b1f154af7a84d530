/** Every burst of the radio net, by group, talker and day: also of groups that are over, and of whoever has left. */

import { fill, h } from "../kit/dom.js";
import { day, when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { get, query } from "../net/http.js";
import { periodOf } from "../manage/choices.js";
import { listen } from "../manage/devices.js";
import { Listing } from "../manage/listing.js";
import { complain } from "../view/notice.js";
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
    talker: h("select", { "aria-label": t("bursts.talker") }),
    from: h("input", { type: "date", "aria-label": t("from"), value: day(Date.now()) }),
    to: h("input", { type: "date", "aria-label": t("to"), value: day(Date.now()) }),
  };
  const period = () => periodOf(filters.from.value, filters.to.value);
  const reload = () => {
    const [kind, id] = filters.talker.value.split(" ");
    return list.load(`/bursts${query({ gid: filters.gid.value, [kind || "talker"]: id, ...period() })}`);
  };
  const reoffer = async () => {
    /** @type {import("../types").Heard} */
    const { groups, talkers } = await get(`/bursts/heard${query(period())}`);
    offer(filters.gid, t("talk.groups.all"), groups.map(groupChoice));
    offer(filters.talker, t("bursts.talkers.all"), talkers.map(talkerChoice));
  };
  root.append(h("div", { class: "row filters" }, Object.values(filters)), list.element);
  for (const date of [filters.from, filters.to]) scope.listen(date, "change", () => void reoffer().catch(complain));
  listen(filters, reload, scope);
  void reoffer().catch(complain);
  void reload();
}

/** @param {import("../types").Heard["groups"][number]} group @returns {[string, string]} */
const groupChoice = ({ gid, name, open }) => [gid, open ? name : t("bursts.group.over", { name })];

/** @param {import("../types").Heard["talkers"][number]} who @returns {[string, string]} */
function talkerChoice({ officer, talker, name }) {
  return officer ? [`officer ${officer.id}`, `${officer.name} ${officer.number}`] : [`talker ${talker}`, name];
}

/**
 * Choices, with the one that was chosen, also when nothing was said there or by them at another time.
 * @param {HTMLSelectElement} select
 * @param {string} all
 * @param {[string, string][]} choices value and words
 */
function offer(select, all, choices) {
  const chosen = select.selectedOptions[0];
  const kept = chosen?.value && !choices.some(([value]) => value === chosen.value) ? [/** @type {[string, string]} */ ([chosen.value, chosen.text])] : [];
  const options = [...kept, ...choices].map(([value, words]) => h("option", { value, selected: value === chosen?.value }, words));
  fill(select, h("option", { value: "" }, all), options);
}
