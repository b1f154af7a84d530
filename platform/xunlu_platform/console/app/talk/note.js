/** Voice notes: to record one, and to hear it. */

import { fill, h, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { post, query } from "../net/http.js";
import { NOTE_S_MAX, NoteRecorder, noteType } from "../net/note-recorder.js";
import { fleet } from "../state/fleet.js";
import { deviceTitle } from "../view/device-sign.js";
import { openDialog } from "../view/dialog.js";
import { busy, complain, toast } from "../view/notice.js";
import { field } from "../view/sign-in.js";
import { recipientChoice } from "./recipients.js";

const REFRESH_MS = 100;

/**
 * @param {{to: string, name: string} | null} whom null asks for a group or a unit
 * @param {{sent?: () => void, text?: string, instead?: Node | null}} [options] words above, and what else one may do
 */
export function askNote(whom, { sent = () => undefined, text = "", instead = null } = {}) {
  const choice = whom ? null : recipientChoice();
  const studio = new Studio();
  const send = h("button", { class: "primary" }, icon("send"), t("send"));
  studio.onchange = () => (send.disabled = studio.sound === null);
  studio.onchange();
  send.onclick = () =>
    void busy(send, async () => {
      const recipient = choice?.read() ?? { to: whom?.to ?? "", below: false };
      await post(`/messages/voice${query({ to: recipient.to, below: String(recipient.below) })}`, studio.sound);
      toast(t("order.sent"), "good");
      dialog.close();
      sent();
    });
  const dialog = openDialog(
    whom ? t("order.to", { name: whom.name }) : t("note"),
    h(
      "div",
      { class: "body stack-body" },
      text ? h("p", {}, text) : null,
      choice ? field(t("order.recipient"), choice.select) : null,
      studio.element,
      h("p", { class: "dim" }, t("note.hint", { n: NOTE_S_MAX })),
      h("footer", {}, instead, send),
    ),
  );
  dialog.addEventListener("close", () => studio.close());
  return dialog;
}

/**
 * A recorder that is away hears nothing of a call: offer to leave a note.
 * @param {string} did
 * @param {() => Promise<void>} call what was to be done
 * @returns {boolean} whether it is away
 */
export function offerNote(did, call) {
  const device = fleet.devices.get(did);
  if (!device?.st || device.st === "online") return false;
  const name = deviceTitle(device);
  const anyway = h("button", { type: "button" }, icon("mic"), t("note.call"));
  const dialog = askNote({ to: did, name }, { text: t("note.away", { name }), instead: anyway });
  anyway.onclick = () => void busy(anyway, async () => (await call(), dialog.close()));
  return true;
}

/** A button that records, and what was recorded. */
class Studio {
  /** @type {Blob | null} */
  sound = null;
  /** @type {() => unknown} */
  onchange = () => undefined;
  #recorder = new NoteRecorder(complain);
  #key = h("button", { type: "button" });
  #told = h("span", { class: "num grow", role: "timer" });
  #meter = h("meter", { max: 1, "aria-hidden": "true" });
  #heard = h("div", {});
  #ticking = setInterval(() => this.#tick(), REFRESH_MS);
  #address = "";

  constructor() {
    this.element = h("div", { class: "stack" }, h("div", { class: "row" }, this.#key, this.#told, this.#meter), this.#heard);
    this.#key.onclick = () => void busy(this.#key, () => this.#press());
    if (noteType() === null) fill(this.#heard, h("p", { class: "problem" }, t("note.unsupported")));
    this.#key.disabled = noteType() === null;
    this.#paint();
  }

  close() {
    clearInterval(this.#ticking);
    this.onchange = () => undefined;
    this.#recorder.stop();
    URL.revokeObjectURL(this.#address);
  }

  async #press() {
    if (this.#recorder.length_s !== null) return this.#recorder.stop();
    this.#take(null);
    await this.#recorder.start((sound) => this.#take(sound));
    this.#paint();
  }

  /** @param {Blob | null} sound */
  #take(sound) {
    URL.revokeObjectURL(this.#address);
    this.sound = sound?.size ? sound : null;
    this.#address = this.sound ? URL.createObjectURL(this.sound) : "";
    fill(this.#heard, this.sound ? h("audio", { controls: true, src: this.#address }) : sound ? h("p", { class: "problem" }, t("note.silent")) : null);
    this.#paint();
    this.onchange();
  }

  #paint() {
    const on = this.#recorder.length_s !== null;
    fill(this.#key, icon(on ? "circle-stop" : "mic"), t(on ? "note.stop" : this.sound ? "note.again" : "note.record"));
    this.#key.setAttribute("aria-pressed", String(on));
    this.#meter.hidden = !on;
    if (on) this.#told.textContent = "";
  }

  #tick() {
    const length_s = this.#recorder.length_s;
    if (length_s === null) return;
    this.#told.textContent = t("note.length", { n: Math.floor(length_s) });
    this.#meter.value = this.#recorder.level;
  }
}

/**
 * The player of a note; only who presses it loads the sound.
 * @param {import("../types").Order} order
 * @param {() => void} [heard] when it was played to its end
 */
export function notePlayer({ id, voice }, heard = () => undefined) {
  if (!voice) return h("span", { class: "dim" }, t("note"), " · ", t("note.gone"));
  const source = `/api/v1/messages/${encodeURIComponent(id)}/voice`;
  const sound = h("audio", { controls: true, preload: "none", controlslist: "nodownload", src: source, "aria-label": t("note.play") });
  sound.addEventListener("ended", heard);
  return h("span", { class: "row" }, sound, h("span", { class: "num dim" }, t("note.length", { n: Math.round(voice.duration_s) })));
}

/** Whether somebody is listening: a list that is drawn anew would cut them off. @param {HTMLElement} element */
export const isPlaying = (element) => [...element.querySelectorAll("audio")].some((sound) => !sound.paused && !sound.ended);
