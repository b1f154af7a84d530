/** `/review`: a look back. One clock, one loop of frames; everything on the page follows it. */

import { h, icon } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { may } from "../net/session.js";
import { notAllowed } from "../view/notice.js";
import { DetailLoader } from "./detail.js";
import { hereButton } from "./here.js";
import { claimKeys } from "./keys.js";
import { ReviewMap } from "./map.js";
import { panel } from "./panel.js";
import { Replay } from "./replay.js";
import { Stepper } from "./step.js";
import { Timeline } from "./timeline.js";
import { transport } from "./transport.js";
import { Videos } from "./videos.js";
import { Voices } from "./voice.js";

/** @typedef {import("../kit/store.js").Scope} Scope */

/**
 * @param {HTMLElement} root
 * @param {Scope} scope
 */
export function mountReview(root, scope) {
  if (!may("review")) return void root.append(notAllowed());
  const replay = new Replay(scope);
  const loader = new DetailLoader(replay, scope);
  const stepper = new Stepper(replay, loader);
  const timeline = new Timeline(replay, scope);
  const videos = new Videos(replay, scope);
  const voices = new Voices(replay, scope);
  const box = h("div", { class: "map", role: "application", "aria-label": t("map") });
  const middle = h("div", { class: "review-map" }, box);
  const right = h("aside", { class: "right", "aria-label": t("review.media") }, videos.element, voices.element);
  const ground = () => map.corners;
  const below = h("div", { class: "below" }, transport(replay, timeline, stepper, ground, scope), timeline.element);
  const here = hereButton(replay, ground);
  root.append(panel(replay, here, scope), middle, right, below);
  const map = new ReviewMap(box, replay, loader, scope);
  middle.append(switches(replay, loader, map, scope));
  claimKeys(replay, { timeline, stepper, map }, scope);
  run(scope, (told_ms) => {
    replay.clock.advance(told_ms);
    for (const part of [map, timeline]) part.draw(told_ms);
    videos.draw();
    voices.draw();
  });
}

/**
 * What the map shows besides the ways.
 * @param {Replay} replay
 * @param {DetailLoader} loader
 * @param {ReviewMap} map
 * @param {Scope} scope
 */
function switches(replay, loader, map, scope) {
  const button = (/** @type {string} */ label, /** @type {string} */ key, /** @type {() => void} */ act) =>
    h("button", { onclick: act, title: t(`${label}.do`) }, t(label), key ? h("kbd", {}, key) : null);
  const raw = button("review.raw", "R", () => replay.change({ clean: !replay.view.value.clean }));
  const named = /** @type {const} */ ([["zones", "Z"], ["stops", ""], ["accuracy", "A"], ["live", ""]]);
  const others = named.map(([name, key]) => /** @type {const} */ ([name, button(`review.${name}`, key, () => replay.toggle(name))]));
  scope.read(replay.view, ({ on, clean }) => {
    raw.setAttribute("aria-pressed", String(!clean));
    for (const [name, one] of others) one.setAttribute("aria-pressed", String(on.has(name)));
  });
  const cut = h("div", { class: "map-hint", role: "status", hidden: true }, t("review.cut"));
  scope.read(loader.detail, (detail) => (cut.hidden = !detail?.cut));
  const zoom = (/** @type {1 | -1} */ step, /** @type {string} */ sign) =>
    h("button", { "aria-label": t(step > 0 ? "zoom.in" : "zoom.out"), title: t(step > 0 ? "zoom.in" : "zoom.out"), onclick: () => map.zoom(step) }, icon(sign));
  const fit = h("button", { title: t("review.fit.do"), onclick: () => map.fit() }, icon("maximize"), t("review.fit"), h("kbd", {}, "G"));
  const tools = h("div", { class: "map-bar", role: "toolbar", "aria-label": t("map.tools") }, raw, others.map(([, one]) => one), fit, zoom(1, "zoom-in"), zoom(-1, "zoom-out"));
  return h("div", { class: "review-tools" }, tools, cut);
}

/** A loop of frames until the scope closes. @param {Scope} scope @param {(told_ms: number) => void} frame */
function run(scope, frame) {
  let asked = 0;
  const tick = (/** @type {number} */ told_ms) => {
    frame(told_ms);
    if (!scope.closed) asked = requestAnimationFrame(tick);
  };
  asked = requestAnimationFrame(tick);
  scope.onClose(() => cancelAnimationFrame(asked));
}
