/** The form of an incident: its name, its time, and its place on a map. */

import { h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { isoLocal } from "../review/address.js";
import { askWithPlace } from "./place.js";

/**
 * @typedef {object} Draft
 * @property {string} title
 * @property {number} from_ms
 * @property {number} to_ms
 * @property {any} [place] GeoJSON feature
 * @property {import("./place.js").Corner[]} [ground] what the map shows when there is no place
 */

/** What is asked, as the interface takes it. @typedef {{title: string, from: string, to: string, place: any}} Answer */

/**
 * A moment that a person sets, to the second.
 * @param {number} ms
 */
export function timeInput(ms) {
  const control = h("input", { type: "datetime-local", step: 1, required: true });
  control.value = isoLocal(Math.floor(ms / 1000) * 1000).slice(0, 19);
  return control;
}

/** @param {string | undefined} local of `timeInput` */
export const timeOf = (local) => isoLocal(new Date(local ?? "").getTime());

/** @param {string} [title] */
export function titleInput(title = "") {
  return h("input", { value: title, maxlength: 120, required: true });
}

/**
 * @param {string} heading
 * @param {Draft} draft
 * @param {string} action words of the button
 * @param {(answer: Answer) => Promise<unknown>} act
 * @param {string} [text]
 */
export function askIncident(heading, { title, from_ms, to_ms, place, ground }, action, act, text) {
  const questions = [
    { name: "title", label: t("incident.field.title"), control: titleInput(title) },
    { name: "from", label: t("incident.field.from"), control: timeInput(from_ms) },
    { name: "to", label: t("incident.field.to"), control: timeInput(to_ms) },
  ];
  const send = (/** @type {Record<string, string>} */ { title = "", from, to }, /** @type {any} */ drawn) => act({ title, from: timeOf(from), to: timeOf(to), place: drawn });
  askWithPlace(heading, questions, action, send, { shape: place, ground, text });
}
