/** A sheet on the page: the same figures as in its files, each a link to the look back that proves it. */

import { h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";

/**
 * @typedef {object} Cell
 * @property {string} key
 * @property {unknown} value
 * @property {string} unit
 * @property {string} text as it is read
 * @property {string | null} link
 */

/**
 * @typedef {object} Table
 * @property {string} key
 * @property {string} title
 * @property {{key: string, name: string}[]} columns
 * @property {Cell[][]} rows
 * @property {Cell[] | null} totals
 */

/**
 * @typedef {object} Sheet
 * @property {string} title
 * @property {string} subject
 * @property {string} from
 * @property {string} to
 * @property {(Cell & {name: string})[]} summary
 * @property {{title: string, svg: string}} map
 * @property {Table[]} tables
 * @property {string[]} notes
 */

/** @param {Sheet} sheet */
export function drawn(sheet) {
  const figures = sheet.summary.flatMap((cell) => h("div", {}, h("dt", {}, cell.name), h("dd", { class: "num", "data-key": cell.key }, figure(cell))));
  return h(
    "article",
    { class: "sheet", "aria-label": sheet.title },
    h("header", {}, h("h2", {}, sheet.title), h("p", {}, sheet.subject), h("p", { class: "dim num" }, `${local(sheet.from)} – ${local(sheet.to)}`)),
    h("dl", { class: "figures" }, figures),
    sheet.map.svg ? picture(sheet.map) : null,
    sheet.tables.map(table),
    h("footer", { class: "dim" }, h("h3", {}, t("reports.notes")), h("ul", {}, sheet.notes.map((note) => h("li", {}, note)))),
  );
}

/** Times of a sheet are those of the organisation, wherever the desk stands. @param {string} iso */
const local = (iso) => `${iso.slice(0, 10)} ${iso.slice(11, 16)}`;

/** @param {Cell} cell */
const figure = (cell) => (cell.link && cell.value !== null ? h("a", { href: cell.link, title: t("reports.proof") }, cell.text) : cell.text);

/** As a picture it can run nothing. @param {Sheet["map"]} map */
function picture({ title, svg }) {
  return h("figure", {}, h("img", { src: `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`, alt: title }), h("figcaption", { class: "dim" }, title, legend()));
}

function legend() {
  return h("span", { class: "legend" }, ["zone", "seen", "unseen", "track"].map((kind) => h("span", {}, h("i", { class: kind }), t(`reports.map.${kind}`))));
}

/** @param {Table} table */
function table({ key, title, columns, rows, totals }) {
  const numeric = columns.map((_, at) => [...rows, totals ?? []].some((row) => row[at] && row[at]?.unit !== "text"));
  const cells = (/** @type {Cell[]} */ row) => row.map((cell, at) => h("td", { class: numeric[at] ? "num end" : null, "data-key": cell.key }, figure(cell)));
  const head = columns.map(({ name }, at) => h("th", { scope: "col", class: numeric[at] ? "end" : null }, name));
  return h(
    "section",
    { class: "listing", "data-table": key },
    h("h3", {}, title),
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, head)),
      h("tbody", {}, rows.map((row) => h("tr", {}, cells(row)))),
      totals ? h("tfoot", {}, h("tr", {}, cells(totals))) : null,
    ),
  );
}
