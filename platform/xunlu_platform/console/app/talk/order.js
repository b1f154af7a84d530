/** Orders by text or voice: to write one, what it says, and what became of it at each who should get it. */

import { h, icon } from "../kit/dom.js";
import { when } from "../kit/format.js";
import { t, word } from "../kit/i18n.js";
import { post } from "../net/http.js";
import { myself } from "../state/talk.js";
import { ask } from "../view/dialog.js";
import { busy, complain, toast } from "../view/notice.js";
import { notePlayer } from "./note.js";
import { recipientChoice } from "./recipients.js";

/** @typedef {import("../types").Order} Order */

const TEXT_CHARACTERS_MAX = 500;
/** @type {Record<string, string>} */
const COLOURS = { read: "good", failed: "bad", delivered: "info" };

/**
 * @param {{to: string, name: string} | null} whom null asks for a group or a unit
 * @param {() => void} [sent]
 */
export function askOrder(whom, sent = () => undefined) {
  const control = h("textarea", { rows: 3, maxlength: TEXT_CHARACTERS_MAX, required: true });
  const speak = h("select", {}, h("option", { value: "yes" }, t("order.speak")), h("option", { value: "" }, t("order.silent")));
  const choice = whom ? null : recipientChoice();
  const questions = [
    ...(choice ? [{ name: "to", label: t("order.recipient"), control: choice.select }] : []),
    { name: "text", label: t("order.text"), control },
    { name: "speak", label: t("order.how"), control: speak, hint: t("order.hint") },
  ];
  const title = whom ? t("order.to", { name: whom.name }) : t("order.write");
  ask(title, questions, t("send"), async ({ text, speak: spoken }) => {
    const recipient = choice?.read() ?? { to: whom?.to, below: false };
    await post("/messages", { ...recipient, text, speak: spoken === "yes" });
    toast(t("order.sent"), "good");
    sent();
  });
}

/** Say that this account has read it. @param {Order} order @param {() => unknown} then */
export async function sayRead(order, then) {
  await post(`/messages/${encodeURIComponent(order.id)}/read`);
  then();
}

/** Whether it waits for this account to read it. @param {Order} order */
export const isUnread = (order) => order.targets.some(({ id, state }) => id === myself() && state !== "read");

/** What it says; a note that was heard to its end counts as read. @param {Order} order @param {() => unknown} then */
export function content(order, then) {
  if (order.text !== null) return order.text;
  return notePlayer(order, () => isUnread(order) && void sayRead(order, then).catch(complain));
}

/** A button for who has not read it yet. @param {Order} order @param {() => unknown} then */
export function readButton(order, then) {
  if (!isUnread(order)) return null;
  const read = h("button", {}, icon("check-check"), t("order.read"));
  read.onclick = () => void busy(read, () => sayRead(order, then));
  return read;
}

/** How far it came, at each of them. @param {Order} order */
export function deliveries({ text, targets }) {
  return h(
    "span",
    { class: "row wrap" },
    targets.map(({ name, state, delivered_at, read_at, why }) => {
      const step = state === "read" && text === null ? "played" : state;
      const title = why === null ? when(read_at ?? delivered_at) : word("order.why", why);
      return h("span", { class: `tag ${COLOURS[state] ?? ""}`, title }, `${name} · ${t(`order.state.${step}`)}`);
    }),
  );
}
