/** A step mark at the time of the clock: into an incident of that time, or into a new one. */

import { fill, h } from "../kit/dom.js";
import { clock } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { post } from "../net/http.js";
import { titleInput } from "../incidents/form.js";
import { ask } from "../view/dialog.js";
import { toast } from "../view/notice.js";
import { isoLocal } from "./address.js";

/** @typedef {import("./replay.js").Replay} Replay */
/** @typedef {import("./types").Moment} Moment */

/** @param {Replay} replay */
export function openMark(replay) {
  const { subjects, from_ms, to_ms, incident } = replay.view.value;
  if (!subjects.length) return toast(t("review.empty"), "bad");
  replay.clock.pause();
  const at_ms = Math.round(replay.clock.now_ms);
  const known = replay.moments.value.filter((moment) => moment.kind === "incident" && moment.at_ms <= at_ms && at_ms <= moment.until_ms);
  const into = h("select", {}, known.map(({ id, text }) => h("option", { value: id, selected: id === String(incident) }, text)), h("option", { value: "" }, t("incident.new")));
  const title = titleInput();
  const about = h("select", {});
  const choose = () => {
    const chosen = known.find(({ id }) => id === into.value);
    title.required = !chosen;
    title.closest("label")?.toggleAttribute("hidden", Boolean(chosen));
    fill(about, h("option", { value: "" }, t("everybody")), partOf(replay, chosen));
  };
  const questions = [
    { name: "text", label: t("incident.mark"), control: h("input", { maxlength: 500, required: true }) },
    { name: "into", label: t("incident.one"), control: into },
    { name: "title", label: t("incident.field.title"), control: title },
    { name: "subject", label: t("incident.field.subjects"), control: about },
  ];
  /** What was made stays made when the mark is refused. @type {number | undefined} */
  let made;
  const send = async (/** @type {Record<string, string>} */ values) => {
    const fresh = { title: values["title"], from: isoLocal(from_ms), to: isoLocal(to_ms), subjects };
    const id = values["into"] || (made ??= (await post("/incidents", fresh)).id);
    await post(`/incidents/${id}/marks`, { text: values["text"], at: isoLocal(at_ms), subject: values["subject"] || null });
    replay.reloadMoments();
  };
  ask(`${t("incident.mark.add")} · ${clock(at_ms)}`, questions, t("save"), send);
  into.addEventListener("change", choose);
  choose();
}

/** Those who are shown and have part in an incident; in a new one all have. @param {Replay} replay @param {Moment | undefined} incident */
function partOf(replay, incident) {
  const own = replay.tracks.value.filter(({ key }) => !incident || incident.detail["subjects"].includes(key));
  return own.map(({ key, title }) => h("option", { value: key }, title));
}
