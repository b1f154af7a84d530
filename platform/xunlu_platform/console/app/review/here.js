/** Who was here: everybody who was on the ground that the map shows, around the time of the clock, joins the look back. */

import { h, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { post } from "../net/http.js";
import { featureOf } from "../who/ask.js";
import { busy, toast } from "../view/notice.js";
import { isoLocal, SUBJECTS_MAX } from "./address.js";

/** As far before and after the clock. */
const AROUND_MS = 300_000;

/**
 * @param {import("./replay.js").Replay} replay
 * @param {() => {lat: number, lng: number}[]} corners of what the map shows
 */
export function hereButton(replay, corners) {
  const find = async () => {
    const { now_ms } = replay.clock;
    const period = { from: isoLocal(Math.round(now_ms - AROUND_MS)), to: isoLocal(Math.round(now_ms + AROUND_MS)) };
    /** @type {{subjects: {subject: string}[], more: boolean}} */
    const { subjects, more } = await post("/review/who", { shape: featureOf(corners()), ...period, within_m: 0 });
    const before = replay.view.value.subjects;
    const all = [...new Set([...before, ...subjects.map(({ subject }) => subject)])];
    const shown = all.slice(0, SUBJECTS_MAX);
    const words = [t("review.here.found", { n: subjects.length, new: shown.length - before.length })];
    if (all.length > shown.length) words.push(t("who.first", { n: SUBJECTS_MAX, all: all.length }));
    if (more) words.push(t("who.more"));
    toast(words.join(" · "));
    if (shown.length > before.length) replay.change({ subjects: shown });
  };
  const button = h("button", { class: "quiet", title: t("review.here.do"), onclick: () => void busy(button, find) }, icon("users"), t("review.here"));
  return button;
}
