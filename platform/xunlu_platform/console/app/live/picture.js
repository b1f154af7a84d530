/**
 * A live picture with everything that makes it trustworthy: whose it is, where, whether it lives, how old it is, who looks.
 * It plays only while somebody can see it. A picture that stands still keeps its last frame, grey, with its age.
 */

import { fill, h, icon } from "../kit/dom.js";
import { ago, clock, quantity, rate, span } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { serverNow } from "../net/stream.js";
import { isFresh } from "../state/display.js";
import { lastCommand } from "../state/feed.js";
import { fleet } from "../state/fleet.js";
import { unitName, units } from "../state/organisation.js";
import { deviceTitle, recordedSign, stateSign } from "../view/device-sign.js";
import { complain } from "../view/notice.js";
import { pictureTools } from "./picture-tools.js";
import { followDevice, placeOf } from "./place.js";
import { Player } from "./player.js";
import { saveSnapshot } from "./snapshot.js";
import { Watermark } from "./watermark.js";

/** A glance at another tab ends no session; 4G costs money, so a longer one does. */
const HIDDEN_MS = 5_000;
/** A short stall shows by colour and badge; a longer one is told in words over the picture. */
const TOLD_STALL_S = 3;
const ASKING = new Set(["idle", "asking", "connecting", "waiting"]);
/** Slug of the problem with a recorder that is not connected; the fleet tells when it is back. */
const OFFLINE = "offline";

export class Picture {
  player;
  did;
  /** Text over a picture stands on dark, whatever the theme. */
  element = h("figure", { class: "picture", "data-theme": "dark" });
  #still = h("canvas", { class: "still", hidden: true });
  #badge = h("span", { class: "live-badge" });
  #title = h("span", { class: "row grow title" });
  #signs = h("span", { class: "row" });
  #clock = h("time", { class: "num" });
  #place = h("span", { class: "num grow ellipsis place" });
  #figures = h("span", { class: "num figures-line" });
  #words = h("figcaption", { class: "words", role: "status" });
  #mark;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #hiding;
  #inSight = true;
  #told = "";

  /**
   * @param {string} did
   * @param {import("../kit/store.js").Scope} scope
   * @param {HTMLElement[]} [tools] besides its own: what its place offers
   */
  constructor(did, scope, tools = []) {
    this.did = did;
    this.player = new Player(did);
    const top = h("div", { class: "over top" }, this.#badge, this.#title, this.#signs);
    const bottom = h("div", { class: "over bottom" }, this.#clock, this.#place, this.#figures);
    const bar = h("div", { class: "tools", role: "toolbar", "aria-label": t("live.tools") }, pictureTools(this, scope), tools);
    this.element.dataset["did"] = did;
    this.element.append(this.player.video, this.#still);
    this.#mark = new Watermark(this.element);
    this.element.append(top, bottom, this.#words, bar);
    scope.read(this.player.standing, () => this.#restate());
    scope.read(this.player.blocked, () => this.#say());
    scope.read(fleet.changed, () => this.#name());
    scope.read(units, () => this.#name());
    scope.read(lastCommand, (command) => command && this.player.hear(command));
    scope.every(1000, () => this.#tick());
    this.#watchSight(scope);
    followDevice(did, scope);
    scope.onClose(() => this.player.close());
  }

  get live() {
    return fleet.devices.get(this.did);
  }

  toggleSound() {
    this.player.video.muted = !this.player.video.muted;
  }

  /** Hand out a still of what is seen. */
  async snapshot() {
    const { video } = this.player;
    const source = this.#still.hidden ? video : this.#still;
    const size = this.#still.hidden
      ? { width: video.videoWidth, height: video.videoHeight }
      : { width: this.#still.width, height: this.#still.height };
    const live = this.live;
    if (!live || !size.width) return complain(t("snapshot.none"));
    await saveSnapshot(source, size, live, this.player.age_s ?? 0).catch(complain);
  }

  async toggleFullScreen() {
    const act = document.fullscreenElement === this.element ? document.exitFullscreen() : this.element.requestFullscreen();
    await act.catch(complain);
  }

  /** Play only while the tab is shown and the picture is in sight. @param {import("../kit/store.js").Scope} scope */
  #watchSight(scope) {
    const settle = () => {
      const seen = this.#inSight && document.visibilityState === "visible";
      clearTimeout(this.#hiding);
      if (!seen) this.#hiding = setTimeout(() => this.player.active && this.player.pause(), HIDDEN_MS);
      else if (this.player.phase === "idle") this.player.play();
    };
    const observer = new IntersectionObserver(([entry]) => {
      this.#inSight = entry?.isIntersecting ?? true;
      settle();
    });
    observer.observe(this.element);
    scope.listen(document, "visibilitychange", settle);
    scope.listen(window, "pagehide", () => this.player.pause());
    scope.onClose(() => {
      observer.disconnect();
      clearTimeout(this.#hiding);
    });
  }

  #restate() {
    const { phase } = this.player.standing.value;
    const before = this.element.dataset["phase"];
    if (before === "live" && phase !== "live") this.#freeze();
    if (phase === "live") this.#still.hidden = true;
    this.element.dataset["phase"] = phase;
    fill(this.#badge, phase === "live" ? h("span", { class: "lamp" }) : null, t(`live.phase.${phase}`));
    this.#tick();
    this.#say();
  }

  /** The last frame outlives its session. */
  #freeze() {
    const { video } = this.player;
    if (!video.videoWidth) return;
    this.#still.width = video.videoWidth;
    this.#still.height = video.videoHeight;
    this.#still.getContext("2d")?.drawImage(video, 0, 0);
    this.#still.hidden = false;
  }

  #name() {
    const live = this.live;
    const title = live ? deviceTitle(live) : this.did;
    const unit = live ? unitName(live.unit) : "";
    fill(
      this.#title,
      live ? stateSign(live) : null,
      h("b", { class: "ellipsis" }, title),
      h("span", { class: "soft ellipsis" }, unit),
    );
    this.element.setAttribute("aria-label", t("live.of", { who: title, unit }));
    this.element.dataset["state"] = live?.state ?? "";
    this.#sign();
    const back = this.player.standing.value.slug === OFFLINE && live?.st === "online";
    if (back && this.#inSight) this.player.play();
  }

  /** Whether the officer talks on the radio net, who else looks, and whether the server records. */
  #sign() {
    const live = this.live;
    const viewers = live?.live ?? 0;
    const talks = h("span", { class: "row is-talk", title: t("talk.talks") }, icon("mic"));
    const watched = h("span", { class: "row soft", title: t("live.viewers", { n: viewers }) }, icon("eye"), viewers);
    const recorded = h("span", { class: "row is-srec", title: t("live.recorded") }, recordedSign(), t("live.rec"));
    fill(this.#signs, live?.talk ? talks : null, live?.srec ? recorded : null, viewers ? watched : null);
  }

  #tick() {
    const { phase } = this.player;
    const { age_s } = this.player;
    this.#mark.keep();
    this.#sign();
    this.#clock.textContent = clock(serverNow());
    this.#locate();
    const figures = this.player.figures.value;
    const told = phase === "live" && figures;
    const stood = age_s !== null && phase !== "live";
    const age = stood ? t("live.age", { span: span(age_s) }) : told ? t("live.delay", { ms: delayOf(age_s) }) : "";
    const rest = told ? [rate(figures.bitrate_bps), quantity(figures.loss_percent, "%", 1)] : [];
    this.#figures.textContent = [age, ...rest].filter(Boolean).join(" · ");
    this.#figures.title = told ? t("live.figures", details(figures)) : "";
    this.element.classList.toggle("aged", stood && age_s > TOLD_STALL_S);
    if (stood) this.#say();
  }

  /** Where its officer is, as far as the last fix tells. */
  #locate() {
    const live = this.live;
    const now_ms = serverNow();
    this.#place.textContent = live ? placeOf(live, (fix_ms) => ago((now_ms - fix_ms) / 1000)) : "";
    this.#place.classList.toggle("is-warn", live !== undefined && !isFresh(live, now_ms));
  }

  /** What is, and what to do, over a picture that is not the present. */
  #say() {
    const { phase, title, detail } = this.player.standing.value;
    const blocked = this.player.blocked.value && phase !== "live";
    const age_s = this.player.age_s;
    const fresh = phase === "live" || (phase === "stalled" && !title && (age_s ?? 0) < TOLD_STALL_S);
    const head = blocked ? t("live.blocked") : fresh ? "" : title || t(`live.say.${phase}`);
    const told = [phase, blocked, head, detail].join("\n");
    if (told === this.#told) return;
    this.#told = told;
    this.#words.hidden = !head;
    fill(this.#words, head ? this.#sentence(head, blocked ? "" : detail, blocked) : null);
  }

  /**
   * @param {string} head
   * @param {string} detail
   * @param {boolean} blocked
   */
  #sentence(head, detail, blocked) {
    const { phase } = this.player;
    const act = () => (blocked ? void this.player.unblock() : this.player.play());
    const button = h("button", { onclick: act }, icon(blocked ? "play" : "refresh-cw"), t(blocked ? "live.play" : "again"));
    const waits = ASKING.has(phase) && !blocked;
    return h(
      "div",
      { class: "say" },
      waits ? h("span", { class: "spinner" }) : null,
      h("b", {}, head),
      detail ? h("span", {}, detail) : null,
      waits ? null : button,
    );
  }
}

/** Time since the newest frame in whole tens: the figure changes with every frame. @param {number | null} age_s */
function delayOf(age_s) {
  return Math.round((age_s ?? 0) * 100) * 10;
}

/** @param {import("./stats.js").Figures} figures */
function details({ width, height, fps, jitter_ms, rtt_ms }) {
  return { width, height, fps: fps.toFixed(0), jitter: jitter_ms.toFixed(0), rtt: rtt_ms === null ? "—" : rtt_ms.toFixed(0) };
}
