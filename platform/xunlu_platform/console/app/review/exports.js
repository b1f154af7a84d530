/** Files of what is shown: the track of each device while it was worn, in the formats of the interface. */

import { h } from "../kit/dom.js";
import { when } from "../kit/format.js";
import { language, t } from "../kit/i18n.js";
import { query } from "../net/http.js";
import { openDialog } from "../view/dialog.js";
import { notice } from "../view/notice.js";
import { isoLocal } from "./address.js";

const FORMATS = ["gpx", "kml", "csv", "geojson", "html"];

/** @param {import("./replay.js").Replay} replay */
export function openExports(replay) {
  const rows = replay.tracks.value.flatMap((track) => track.worn.map((worn) => row(track.title, worn)));
  const body = rows.length
    ? h("table", { class: "keys" }, h("tbody", {}, rows))
    : notice(t("review.export.none"), t("review.export.none.do"), "route");
  const dialog = openDialog(t("review.export"), h("div", { class: "body stack-body" }, h("p", { class: "dim" }, t("review.export.do")), body));
  dialog.classList.add("broad");
}

/** @param {string} title @param {import("./types").Worn} worn */
function row(title, { did, from, to }) {
  const [from_ms, to_ms] = [Date.parse(from), Date.parse(to)];
  const asked = { from: isoLocal(from_ms), to: isoLocal(to_ms), language: language.value };
  const links = FORMATS.map((format) =>
    h("a", { class: "button", download: "", href: `/api/v1/devices/${encodeURIComponent(did)}/track${query({ ...asked, format })}` }, format.toUpperCase()),
  );
  return h(
    "tr",
    {},
    h("td", {}, title),
    h("td", { class: "mono dim" }, did),
    h("td", { class: "num dim" }, `${when(from_ms)} – ${when(to_ms)}`),
    h("td", {}, h("div", { class: "row" }, links)),
  );
}
