/** Who saw whom live, from when to when. It can only be read. */

import { h } from "../kit/dom.js";
import { day, size, span, when } from "../kit/format.js";
import { t, word } from "../kit/i18n.js";
import { query } from "../net/http.js";
import { fleet } from "../state/fleet.js";
import { deviceTitle } from "../view/device-sign.js";
import { listen } from "./devices.js";
import { Listing } from "./listing.js";
import { periodOf } from "./choices.js";

/** @typedef {import("../types").ViewingRecord} ViewingRecord */

const DAY_MS = 86_400_000;

/**
 * @param {HTMLElement} root
 * @param {import("../kit/store.js").Scope} scope
 */
export function mountViewings(root, scope) {
  /** @type {Listing<ViewingRecord>} */
  const list = new Listing(
    [
      { label: "username", cell: (row) => row.username },
      { label: "officer", cell: (row) => seen(row.did) },
      { label: "viewing.asked", cell: (row) => when(row.asked_at), kind: "num" },
      { label: "viewing.began", cell: (row) => (row.began_at ? when(row.began_at) : t("viewing.never")), kind: "num" },
      { label: "viewing.ended", cell: ended, kind: "num" },
      { label: "viewing.length", cell: length, kind: "num" },
      { label: "viewing.sent", cell: (row) => size(row.sent_bytes), kind: "num dim" },
    ],
    { title: t("viewing.none"), detail: t("audit.none.do"), icon: "eye" },
  );
  const filters = {
    account: h("input", { type: "search", placeholder: t("username"), "aria-label": t("username") }),
    from: h("input", { type: "date", "aria-label": t("from"), value: day(Date.now() - 6 * DAY_MS) }),
    to: h("input", { type: "date", "aria-label": t("to"), value: day(Date.now()) }),
  };
  const reload = () => {
    const period = periodOf(filters.from.value, filters.to.value);
    return list.load(`/viewings${query({ account: filters.account.value.trim(), ...period })}`);
  };
  root.append(h("div", { class: "row filters" }, Object.values(filters)), list.element);
  listen(filters, reload, scope);
  scope.read(fleet.loaded, () => list.paint());
  void reload();
}

/** @param {string} did */
function seen(did) {
  const live = fleet.devices.get(did);
  return h("a", { href: `/?device=${encodeURIComponent(did)}` }, live ? deviceTitle(live) : did);
}

/** @param {ViewingRecord} row */
function ended({ began_at, ended_at, why }) {
  if (!began_at) return "—";
  if (!ended_at) return h("span", { class: "tag good" }, t("viewing.now"));
  return [when(ended_at), why ? h("span", { class: "dim" }, ` ${word("viewing.why", why)}`) : null];
}

/** @param {ViewingRecord} row */
function length({ began_at, ended_at }) {
  return began_at ? span(((ended_at ? Date.parse(ended_at) : Date.now()) - Date.parse(began_at)) / 1000) : "—";
}
