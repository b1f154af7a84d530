/** One burst of the radio net: a line, and its playback with the floor log around it. */

import { fill, h, icon } from "../kit/dom.js";
import { ago, clock, size, span, when } from "../kit/format.js";
import { t, word } from "../kit/i18n.js";
import { get } from "../net/http.js";
import { openDialog } from "../view/dialog.js";
import { failure, loading } from "../view/notice.js";

/** @typedef {import("../types").Burst} Burst */

/** @param {Burst} burst */
export function talkerOf({ officer, talker_name, talker }) {
  return officer ? `${officer.name} ${officer.number}` : talker_name || talker;
}

/** @param {Burst} burst */
export const groupName = ({ group_name, gid }) => group_name ?? gid;

/** @param {Burst} burst */
export const lengthOf = ({ started_at, ended_at }) => span((Date.parse(ended_at) - Date.parse(started_at)) / 1000);

/** What must be known of it before anybody relies on it. @param {Burst} burst */
export function notesOf({ urgency, lost, complete }) {
  return [
    urgency === 2 ? h("span", { class: "tag bad" }, t("talk.emergency")) : null,
    lost ? h("span", { class: "tag warn" }, t("bursts.lost", { n: lost })) : null,
    complete ? null : h("span", { class: "tag warn" }, t("recordings.incomplete")),
  ];
}

/** @param {Burst} burst */
export function playButton(burst) {
  const words = t("recordings.play", { at: when(burst.started_at) });
  return h("button", { class: "quiet", "aria-label": words, title: words, onclick: () => playBurst(burst) }, icon("play"));
}

/** A line of the drawer. @param {Burst} burst */
export function burstRow(burst) {
  return h(
    "li",
    { class: "row" },
    h("time", { class: "faint num" }, when(burst.started_at)),
    h("span", { class: "grow ellipsis" }, `${lengthOf(burst)} · ${groupName(burst)}`),
    notesOf(burst),
    playButton(burst),
  );
}

/** @param {Burst} burst */
export function playBurst(burst) {
  const source = `/api/v1/bursts/${encodeURIComponent(burst.id)}/audio`;
  const sound = h("audio", { controls: true, autoplay: true, controlslist: "nodownload", src: source });
  const at = h("time", { class: "num" });
  const problem = h("p", { class: "problem", role: "alert" });
  const started_ms = Date.parse(burst.started_at);
  sound.addEventListener("timeupdate", () => (at.textContent = clock(started_ms + sound.currentTime * 1000)));
  sound.addEventListener("error", () => (problem.textContent = t("recordings.broken")));
  const facts = h("div", { class: "row dim wrap" }, at, h("span", { class: "grow" }), size(burst.size_bytes), h("span", { class: "mono" }, `SHA-256 ${burst.sha256.slice(0, 16)}…`));
  const log = h("div", {}, loading());
  const title = `${talkerOf(burst)} · ${groupName(burst)} · ${when(burst.started_at)}`;
  const dialog = openDialog(title, h("div", { class: "body stack-body" }, sound, facts, problem, placeOf(burst), h("h3", {}, t("floor-log")), log));
  dialog.addEventListener("close", () => {
    sound.removeAttribute("src");
    sound.load();
  });
  void showLog(log, burst);
}

/** @param {Burst} burst */
function placeOf({ place, did, started_at }) {
  if (!place) return h("p", { class: "dim" }, t("bursts.nowhere"));
  const words = t("bursts.place", { lat: place.lat.toFixed(5), lon: place.lon.toFixed(5), ago: ago(place.age_s) });
  return h("p", { class: "dim", title: when(started_at) }, did ? h("a", { href: `/?device=${encodeURIComponent(did)}` }, words) : words);
}

/** @param {HTMLElement} box @param {Burst} burst */
async function showLog(box, burst) {
  try {
    const { items } = await get(`/bursts/${encodeURIComponent(burst.id)}/log`);
    const rows = items.map((/** @type {import("../types").FloorEntry} */ line) =>
      h(
        "tr",
        { class: line.grant === burst.grant ? "own" : null },
        h("td", { class: "num" }, when(line.at)),
        h("td", {}, word("floor-log", line.what)),
        h("td", { title: line.who }, line.who_name ?? line.who),
        h("td", { class: "dim", title: line.by }, line.by_name ?? line.by ?? ""),
      ),
    );
    fill(box, rows.length ? h("table", { class: "keys" }, h("tbody", {}, rows)) : h("p", { class: "dim" }, t("floor-log.none")));
  } catch (problem) {
    fill(box, failure(problem, () => void showLog(box, burst)));
  }
}
