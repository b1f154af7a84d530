/** Messages that could not be understood, with the reason; the payload stays on the server. */

import { h } from "../kit/dom.js";
import { size, when } from "../kit/format.js";
import { t, word } from "../kit/i18n.js";
import { Listing } from "./listing.js";

/** @typedef {{id: number, at: string, topic: string, reason: string, message: string, bytes: number}} DeadLetter */

/** @param {HTMLElement} root */
export function mountDeadLetters(root) {
  /** @type {Listing<DeadLetter>} */
  const list = new Listing(
    [
      { label: "time", cell: (row) => when(row.at), kind: "num" },
      { label: "dead.topic", cell: (row) => row.topic, kind: "mono" },
      { label: "dead.reason", cell: (row) => h("span", { class: "tag warn" }, word("reason", row.reason)) },
      { label: "dead.message", cell: (row) => row.message },
      { label: "dead.size", cell: (row) => size(row.bytes), kind: "num" },
    ],
    { title: t("dead.none"), detail: t("dead.none.do"), icon: "check" },
  );
  root.append(
    h(
      "div",
      { class: "main" },
      h("header", { class: "page-head" }, h("h1", {}, t("dead-letters"))),
      h("p", { class: "dim lead" }, t("dead.lead")),
      list.element,
    ),
  );
  void list.load("/dead-letters");
}
