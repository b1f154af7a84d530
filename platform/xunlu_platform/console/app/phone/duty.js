/** What the officer sees of the own telephone: where it is and how exactly, what waits, who watches. */

import { fill, h, icon } from "../kit/dom.js";
import { ago, count, metres } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { speak } from "./voice.js";

/** A fix that may be wrong by more than this is no place to be found at. */
const COARSE_M = 100;
const OLD_S = 60;

/** @typedef {import("../kit/store.js").Scope} Scope */
/** @typedef {import("./telephone.js").Telephone} Telephone */

/**
 * @param {HTMLElement} page
 * @param {Scope} scope
 * @param {Telephone} phone
 */
export function mountDuty(page, scope, phone) {
  const list = h("ul", { class: "phone-duty" });
  page.append(list);
  for (const row of [lineRow, placeRow, outboxRow]) list.append(row(scope, phone));
  mountPreview(page, scope, phone);
  mountWords(page, scope, phone);
}

/** @param {string} sign @param {(words: HTMLElement, row: HTMLElement) => void} paint @returns {[HTMLLIElement, () => void]} */
function row(sign, paint) {
  const words = h("span", { class: "grow" });
  const item = h("li", { class: "row" }, icon(sign), words);
  return [item, () => paint(words, item)];
}

/** Only what changed: a reader of the screen is not told the same twice. @param {HTMLElement} element @param {string} text */
function tell(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {Scope} scope @param {Telephone} phone */
function lineRow(scope, phone) {
  const again = h("button", { class: "quiet", onclick: () => phone.line.join() }, icon("refresh-cw"), t("again"));
  const [item, paint] = row("radio", (words, whole) => {
    const { state, why } = phone.line.standing.value;
    whole.dataset["line"] = state;
    whole.classList.toggle("is-warn", state !== "open");
    tell(words, why || t(`phone.line.${state}`));
    again.hidden = state !== "off";
  });
  item.append(again);
  scope.read(phone.line.standing, paint);
  return item;
}

/** @param {Scope} scope @param {Telephone} phone */
function placeRow(scope, phone) {
  const [item, paint] = row("locate-fixed", (words, whole) => {
    const fix = phone.whereabouts.fix.value;
    const trouble = phone.whereabouts.trouble.value;
    const age_s = fix ? Math.max(0, (Date.now() - fix.timestamp) / 1000) : 0;
    whole.classList.toggle("is-warn", trouble !== "" || !fix || fix.coords.accuracy > COARSE_M || age_s > OLD_S);
    if (trouble) return tell(words, t(`phone.place.${trouble}`));
    tell(words, fix ? `${t("phone.place", { accuracy: metres(fix.coords.accuracy) })} · ${ago(age_s)}` : t("phone.place.looking"));
  });
  scope.read(phone.whereabouts.fix, paint);
  scope.read(phone.whereabouts.trouble, paint);
  scope.every(1000, paint);
  return item;
}

/** @param {Scope} scope @param {Telephone} phone */
function outboxRow(scope, phone) {
  const [item, paint] = row("upload", (words, whole) => {
    const waiting = phone.outbox.waiting.value;
    const lasting = phone.outbox.lasting.value;
    whole.dataset["waiting"] = String(waiting);
    whole.classList.toggle("is-warn", !lasting);
    tell(words, (waiting ? t("phone.outbox.waiting", { n: count(waiting) }) : t("phone.outbox.held")) + (lasting ? "" : ` · ${t("phone.outbox.volatile")}`));
  });
  scope.read(phone.outbox.waiting, paint);
  scope.read(phone.outbox.lasting, paint);
  return item;
}

/**
 * Who watches, above everything else, with the key that closes the camera.
 * @param {HTMLElement} page
 * @param {Scope} scope
 * @param {Telephone} phone
 */
export function mountWatched(page, scope, { camera }) {
  const words = h("b", { class: "grow", role: "status" });
  const close = h("button", { class: "danger", onclick: () => camera.refuse() }, icon("x"), t("phone.camera.close"));
  const allow = h("button", { onclick: () => camera.allow() }, icon("video"), t("phone.camera.allow"));
  const box = h("section", { class: "phone-camera row" }, icon("eye"), words, close, allow);
  page.append(box);
  let told = "";
  scope.read(camera.standing, ({ phase, by }) => {
    box.dataset["phase"] = phase;
    tell(words, t(`phone.camera.${phase}`, { by: by || t("phone.dispatch") }));
    close.hidden = phase !== "opening" && phase !== "live";
    allow.hidden = phase !== "closed";
    // Said aloud once when it begins: the telephone may be in a pocket.
    if (phase === "live" && told !== "live") void speak(words.textContent ?? "");
    told = phase;
  });
}

/** What the camera shows to others. @param {HTMLElement} page @param {Scope} scope @param {Telephone} phone */
function mountPreview(page, scope, { camera }) {
  const preview = h("video", { class: "phone-preview", playsinline: true, autoplay: true, "aria-label": t("phone.camera") });
  preview.muted = true;
  page.append(preview);
  scope.read(camera.media, (media) => {
    preview.srcObject = media;
    preview.hidden = media === null;
  });
}

/** What was read aloud stays until it was seen. @param {HTMLElement} page @param {Scope} scope @param {Telephone} phone */
function mountWords(page, scope, { commands }) {
  const words = h("p", { class: "grow", role: "alert" });
  const seen = h("button", { onclick: () => commands.words.set("") }, icon("check"), t("order.read"));
  const box = h("section", { class: "phone-words row" }, icon("megaphone"), words, seen);
  page.append(box);
  scope.read(commands.words, (text) => {
    box.hidden = text === "";
    fill(words, text);
  });
}
