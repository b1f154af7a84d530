/** One shift: made, changed and taken back in a dialog. */

import { h } from "../kit/dom.js";
import { day } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { SavedStore } from "../kit/store.js";
import { del, post, put } from "../net/http.js";
import { ask } from "../view/dialog.js";
import { minutes, timesOf } from "./week.js";

/** @typedef {import("./week.js").Shift} Shift */

/** What was typed last, for the next shift. */
const usual = new SavedStore("roster.shift", "08:00-16:00");

/**
 * @param {{id: number, number: string, name: string}} officer
 * @param {string} date `YYYY-MM-DD`
 * @param {Shift | null} shift null makes one
 * @param {import("../zones/zones.js").Zone[]} zones
 * @param {() => void} changed
 */
export function editShift(officer, date, shift, zones, changed) {
  const [from = "", to = ""] = shift ? [minutes(shift.begins_at), minutes(shift.ends_at)] : usual.value.split("-");
  const questions = [
    { name: "from", label: t("roster.from"), control: h("input", { type: "time", required: true, value: from }) },
    { name: "to", label: t("roster.to"), control: h("input", { type: "time", required: true, value: to }), hint: t("roster.to.hint") },
    { name: "zone", label: t("roster.post"), control: postSelect(zones, shift) },
    { name: "note", label: t("roster.note"), control: h("input", { maxlength: 200, value: shift?.note ?? "" }) },
  ];
  const begins = shift ? day(Date.parse(shift.begins_at)) : date;
  const title = `${t(shift ? "roster.change" : "roster.add")} · ${officer.name} ${officer.number} · ${begins}`;
  ask(title, questions, t("save"), async (values) => {
    const { from = "", to = "", zone, note = "" } = values;
    const body = { officer_id: officer.id, ...timesOf(begins, from, to), zone_id: zone ? Number(zone) : null, note: note.trim() };
    await (shift ? put(`/roster/${shift.id}`, body) : post("/roster", body));
    usual.set(`${from}-${to}`);
    changed();
  });
}

/**
 * @param {Shift[]} shifts of one officer and day
 * @param {() => void} changed
 */
export function deleteShifts(shifts, changed) {
  const told = shifts.map((one) => `${one.officer.name} ${day(Date.parse(one.begins_at))} ${minutes(one.begins_at)}–${minutes(one.ends_at)}`);
  const act = async () => {
    for (const { id } of shifts) await del(`/roster/${id}`);
    changed();
  };
  ask(t("roster.delete"), [], t("roster.delete"), act, { danger: true, text: told.join("; ") });
}

/** Posts first: that is where shifts mostly are. @param {import("../zones/zones.js").Zone[]} zones @param {Shift | null} shift */
function postSelect(zones, shift) {
  const known = [...zones].sort((a, b) => Number(b.kind === "post") - Number(a.kind === "post") || a.name.localeCompare(b.name, "zh-CN"));
  const gone = shift?.zone && !known.some(({ id }) => id === shift.zone?.id) ? [shift.zone] : [];
  const options = [...gone, ...known].map(({ id, name, kind }) =>
    h("option", { value: id, selected: id === shift?.zone?.id }, `${name} (${t(`zone.kind.${kind}`)})`),
  );
  return h("select", {}, h("option", { value: "" }, t("roster.post.none")), options);
}
