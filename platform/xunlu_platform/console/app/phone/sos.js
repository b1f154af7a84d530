/** The SOS key of this telephone: a long press, a countdown in which it can be taken back, then the alarm. */

import { fill, h, icon } from "../kit/dom.js";
import { clock } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { LONG_PRESS_MS } from "../view/ptt-key.js";
import { keyOf } from "./outbox.js";

const COUNTDOWN_S = 5;

/**
 * @param {HTMLElement} page
 * @param {import("../kit/store.js").Scope} scope
 * @param {import("./telephone.js").Telephone} phone
 */
export function mountSos(page, scope, phone) {
  const raise = h("button", { class: "phone-sos danger" }, icon("siren"), t("phone.sos"), h("small", {}, t("phone.sos.hold")));
  const cancel = h("button", {}, icon("x"), t("phone.sos.cancel"), h("small", {}, t("phone.sos.cancel.hold")));
  const told = h("p", { role: "status" });
  const on = h("section", { class: "phone-sos-on" }, h("b", {}, icon("siren"), t("phone.sos.on")), told, cancel);
  const place = h("div", {});
  page.append(place);
  onLongPress(raise, () => countDown(scope, () => phone.raiseSos()));
  onLongPress(cancel, () => phone.cancelSos());
  const paint = () => {
    const sos = phone.sos.value;
    const shown = sos ? on : raise;
    if (place.firstElementChild !== shown) fill(place, shown);
    if (!sos) return;
    const words = t(phone.outbox.holds(keyOf(sos)) ? "phone.sos.waiting" : "phone.sos.held", { time: clock(sos.at_ms) });
    if (told.textContent !== words) told.textContent = words;
  };
  scope.read(phone.sos, paint);
  scope.read(phone.outbox.waiting, paint);
}

/**
 * Count down before the whole page; whoever does nothing calls for help.
 * @param {import("../kit/store.js").Scope} scope
 * @param {() => void} act
 */
function countDown(scope, act) {
  const left = h("p", { class: "num", role: "timer", "aria-live": "assertive" });
  const stop = h("button", { onclick: () => dialog.close() }, icon("x"), t("cancel"));
  const dialog = h("dialog", { class: "phone-countdown", "aria-label": t("phone.sos") }, h("h2", {}, t("phone.sos.soon")), left, stop);
  const ends_ms = performance.now() + COUNTDOWN_S * 1000;
  const tick = () => {
    const left_s = Math.ceil((ends_ms - performance.now()) / 1000);
    if (left_s > 0) return void (left.textContent = String(left_s));
    dialog.close();
    act();
  };
  const timer = setInterval(tick, 100);
  dialog.onclose = () => {
    clearInterval(timer);
    dialog.remove();
  };
  scope.onClose(() => dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  tick();
}

/**
 * Nobody calls for help by a slip: it counts after a while.
 * @param {HTMLButtonElement} button
 * @param {() => void} act
 */
function onLongPress(button, act) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  const up = () => {
    clearTimeout(waiting);
    button.classList.remove("pressing");
  };
  const down = () => {
    up();
    button.classList.add("pressing");
    waiting = setTimeout(() => (up(), act()), LONG_PRESS_MS);
  };
  const holds = (/** @type {KeyboardEvent} */ event) => event.key === " " || event.key === "Enter";
  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    button.setPointerCapture(event.pointerId);
    down();
  });
  button.addEventListener("keydown", (event) => void (holds(event) && (event.preventDefault(), event.repeat || down())));
  button.addEventListener("keyup", (event) => void (holds(event) && up()));
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  for (const type of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) button.addEventListener(type, up);
}
