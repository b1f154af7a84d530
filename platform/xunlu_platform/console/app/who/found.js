/** Who was at a place: the question, and what the platform found. */

import { Store } from "../kit/store.js";
import { askFile, post } from "../net/http.js";
import { isoLocal } from "../review/address.js";

/** @typedef {{did: string, entered: string, left: string, closest_m: number, fixes: number, confidence: "inside" | "passing"}} Stay */
/** @typedef {{id: string, did: string | null, at: string, until: string | null, text: string, url: string}} Covering */
/**
 * @typedef {object} Visitor
 * @property {string} subject `o{officer id}` or `d{did}`
 * @property {{id: number, number: string, name: string} | null} officer
 * @property {string | null} unit
 * @property {Stay[]} stays
 * @property {Covering[]} recordings
 * @property {Covering[]} bursts
 */
/**
 * @typedef {object} Question
 * @property {any} shape GeoJSON feature, WGS-84
 * @property {number} from_ms
 * @property {number} to_ms
 * @property {number} within_m
 */
/** @typedef {{question: Question, area: any, subjects: Visitor[], more: boolean, review: string | null}} Found */

/** What the drawer lists and the map shows. @type {Store<Found | null>} */
export const found = new Store(/** @type {Found | null} */ (null));

/** @param {Question} question as the interface takes it */
const bodyOf = ({ shape, from_ms, to_ms, within_m }) => ({ shape, from: isoLocal(from_ms), to: isoLocal(to_ms), within_m });

/** @param {Question} question */
export async function find(question) {
  found.set({ question, ...(await post("/review/who", bodyOf(question))) });
}

/** The same as a table for a spreadsheet. @param {Question} question */
export async function tableOf(question) {
  return (await askFile("/review/who?format=csv", bodyOf(question))).blob();
}
