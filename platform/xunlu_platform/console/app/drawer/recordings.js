/** What the server recorded of a device today, to be played here; every playback is written down. */

import { fill, h, icon } from "../kit/dom.js";
import { clock, day, size, span, when } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { getAll, query } from "../net/http.js";
import { fleet } from "../state/fleet.js";
import { Watermark } from "../live/watermark.js";
import { openDialog } from "../view/dialog.js";
import { failure, loading } from "../view/notice.js";

/** @typedef {import("../types").ServerRecording} ServerRecording */

const SHOWN_MAX = 200;
const RELOAD_MS = 30_000;
const DAY_MS = 86_400_000;

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 * @param {string} did
 */
export function mountRecordings(root, scope, did) {
  const list = h("ol", { class: "events recordings" }, h("li", {}, loading()));
  root.append(h("section", {}, h("h3", {}, t("recordings"), h("span", { class: "faint" }, t("recordings.span"))), list));
  const load = async () => {
    try {
      const from = new Date(`${day(Date.now())}T00:00:00`);
      const range = { did, from: from.toISOString(), to: new Date(from.getTime() + DAY_MS).toISOString() };
      const items = await getAll(`/recordings${query(range)}`, SHOWN_MAX);
      if (!scope.closed) fill(list, items.length ? items.map(row) : h("li", { class: "dim" }, t("recordings.none")));
    } catch (problem) {
      fill(list, h("li", {}, failure(problem, () => void load())));
    }
  };
  let recorded = false;
  let due_ms = 0;
  // A recording is registered a moment after it ended.
  scope.every(1000, () => {
    const now = fleet.devices.get(did)?.srec ?? false;
    if (recorded && !now) due_ms = 0;
    recorded = now;
    if (Date.now() < due_ms || document.hidden) return;
    due_ms = Date.now() + RELOAD_MS;
    void load();
  });
}

/** @param {ServerRecording} recording */
function row(recording) {
  const { started_at, ended_at, size_bytes, why, gaps, complete } = recording;
  const length_s = (Date.parse(ended_at) - Date.parse(started_at)) / 1000;
  const notes = [
    gaps.length ? t("recordings.gaps", { n: gaps.length }) : "",
    complete ? "" : t("recordings.incomplete"),
  ].filter(Boolean);
  return h(
    "li",
    { class: "row" },
    h("time", { class: "faint num" }, when(started_at)),
    h("span", { class: "grow ellipsis" }, `${span(length_s)} · ${size(size_bytes)}`),
    notes.length ? h("span", { class: "tag warn" }, notes.join(" · ")) : null,
    h("span", { class: `tag ${why === "sos" ? "bad" : ""}` }, t(`recordings.why.${why}`)),
    h(
      "button",
      { class: "quiet", "aria-label": t("recordings.play", { at: when(started_at) }), onclick: () => play(recording) },
      icon("play"),
    ),
  );
}

/** @param {ServerRecording} recording */
function play(recording) {
  const video = h("video", {
    controls: true,
    autoplay: true,
    playsinline: true,
    disablepictureinpicture: true,
    controlslist: "nodownload nofullscreen noremoteplayback",
    src: `/api/v1/recordings/${encodeURIComponent(recording.id)}/file`,
  });
  const box = h("div", { class: "playback" }, video);
  const mark = new Watermark(box);
  const keep = setInterval(() => mark.keep(), 1000);
  const at = h("time", { class: "num" });
  const problem = h("p", { class: "problem", role: "alert" });
  const started_ms = Date.parse(recording.started_at);
  video.addEventListener("timeupdate", () => (at.textContent = clock(started_ms + video.currentTime * 1000)));
  video.addEventListener("error", () => (problem.textContent = t("recordings.broken")));
  const who = recording.officer ? `${recording.officer.name} ${recording.officer.number}` : recording.did;
  const facts = h("div", { class: "row dim" }, at, h("span", { class: "grow" }), h("span", { class: "mono" }, `SHA-256 ${recording.sha256.slice(0, 16)}…`));
  const dialog = openDialog(`${who} · ${when(recording.started_at)}`, h("div", { class: "body stack-body" }, box, facts, problem));
  dialog.classList.add("broad");
  dialog.addEventListener("close", () => {
    clearInterval(keep);
    video.removeAttribute("src");
    video.load();
  });
}
