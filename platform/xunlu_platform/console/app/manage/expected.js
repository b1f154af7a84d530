/** The list imported beforehand: a recorder on it is approved and bound as soon as it asks. */

import { h, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { request } from "../net/http.js";
import { ask } from "../view/dialog.js";
import { busy, complain, toast } from "../view/notice.js";
import { Listing } from "./listing.js";

const COLUMNS = "serial,vendor,model,unit,officer_number,inspection_report";

/** @typedef {{serial: string, vendor: string, model: string, unit: {name: string} | string | null, officer_number: string | null, inspection_report: string | null}} Expected */

/** @param {HTMLElement} root */
export function mountExpected(root) {
  /** @type {Listing<Expected>} */
  const list = new Listing(
    [
      { label: "device.serial", cell: (row) => row.serial, kind: "mono" },
      { label: "device.vendor", cell: (row) => row.vendor },
      { label: "device.model", cell: (row) => row.model },
      { label: "unit", cell: (row) => (typeof row.unit === "string" ? row.unit : (row.unit?.name ?? "—")) },
      { label: "officer.number", cell: (row) => row.officer_number ?? "—" },
      { label: "device.report", cell: (row) => row.inspection_report ?? "—" },
      { label: "", cell: (row) => removal(row, () => void list.reload()), kind: "end" },
    ],
    { title: t("expected.none"), detail: t("expected.none.do"), icon: "upload" },
  );
  const file = h("input", { type: "file", accept: ".csv,text/csv", hidden: true });
  const choose = h("button", { class: "primary", onclick: () => file.click() }, icon("upload"), t("expected.import"));
  file.addEventListener("change", () => void busy(choose, () => send(file, list)));
  const template = h(
    "a",
    {
      class: "button",
      download: "expected-devices.csv",
      href: URL.createObjectURL(new Blob([`\ufeff${COLUMNS}\n`], { type: "text/csv" })),
    },
    icon("download"),
    t("expected.template"),
  );
  root.append(
    h(
      "div",
      { class: "main" },
      h("header", { class: "page-head" }, h("h1", {}, t("expected")), h("div", { class: "row" }, template, choose, file)),
      h("p", { class: "dim lead" }, t("expected.lead", { columns: COLUMNS })),
      list.element,
    ),
  );
  void list.load("/expected-devices");
}

/**
 * @param {HTMLInputElement} input
 * @param {Listing<Expected>} list
 */
async function send(input, list) {
  const file = input.files?.[0];
  if (!file) return;
  try {
    const answer = await request("POST", "/expected-devices", file);
    toast(t("expected.imported", { n: answer?.imported ?? answer?.count ?? answer?.items?.length ?? 0 }), "good");
  } catch (problem) {
    complain(problem);
  }
  input.value = "";
  void list.reload();
}

/**
 * @param {Expected} row
 * @param {() => void} changed
 */
function removal(row, changed) {
  const act = async () => {
    await request("DELETE", `/expected-devices/${encodeURIComponent(row.vendor)}/${encodeURIComponent(row.serial)}`);
    changed();
  };
  const sure = () =>
    ask(t("expected.remove"), [], t("expected.remove"), act, {
      danger: true,
      text: t("expected.remove.sure", { serial: row.serial }),
    });
  return h("button", { class: "quiet", "aria-label": t("expected.remove"), onclick: sure }, icon("trash-2"));
}
