/** The officers where the clock has them: sign, course, name; who talks, who is in need, and since when nobody knows. */

import { span } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { token } from "../kit/theme.js";
import { takes } from "./boxes.js";
import { lastBefore } from "./clock.js";

/** @typedef {import("./track.js").Track} Track */
/** @typedef {CanvasRenderingContext2D} Context */

const HIT_PX = 18;
/** So many have their full name beside them. */
const NAMED_MAX = 16;
/** Who has been away so long is told with the time, milliseconds. */
const TOLD_LOST_MS = 60_000;
const LABEL_HEIGHT_PX = 18;

export class Movers {
  #colours = { halo: "", text: "", label: "", sos: "", dim: "", accent: "" };
  #font = "";
  /** Labels drawn once and copied. @type {Map<string, HTMLCanvasElement>} */
  #labels = new Map();
  #ratio = 1;
  /** Where each was drawn last. @type {{key: string, x: number, y: number}[]} */
  places = [];

  /** @param {number} ratio device pixels per pixel */
  restyle(ratio) {
    this.#ratio = ratio;
    this.#labels.clear();
    this.#colours = {
      halo: token("--map-halo"),
      text: token("--text"),
      label: token("--label"),
      sos: token("--sos"),
      dim: token("--dim"),
      accent: token("--accent"),
    };
    this.#font = `600 12px ${token("--font")}`;
  }

  /**
   * @param {Context} context
   * @param {import("../map/view.js").MapView} view
   * @param {readonly Track[]} tracks
   * @param {number} now_ms
   * @param {{chosen: string | null, talking: Set<string>, sos: Set<string>}} standing
   */
  draw(context, view, tracks, now_ms, { chosen, talking, sos }) {
    this.places = [];
    /** @type {import("./boxes.js").Box[]} */
    const taken = [];
    const order = [...tracks].sort((a, b) => Number(b.key === chosen) - Number(a.key === chosen));
    for (const track of order) {
      const place = track.at(now_ms);
      if (!place) continue;
      const [x, y] = [view.px(place.x), view.py(place.y)];
      if (!view.shows(x, y)) continue;
      this.places.push({ key: track.key, x, y });
      if (track.key === chosen) this.#ring(context, x, y, 15, this.#colours.accent);
      if (talking.has(track.key)) this.#ring(context, x, y, 11.5, this.#colours.text);
      if (sos.has(track.key)) this.#diamond(context, x, y);
      else if (place.lost_ms !== null) this.#lost(context, x, y, track.colour);
      else this.#mover(context, x, y, place.course, track.colour);
      this.#name(context, track, place, now_ms, [x, y], tracks.length <= NAMED_MAX || track.key === chosen, taken);
    }
  }

  /** The subject at a point of the map. @param {number} px @param {number} py @returns {string | null} */
  hit(px, py) {
    const near = this.places.map(({ key, x, y }) => ({ key, far: Math.hypot(x - px, y - py) })).filter(({ far }) => far <= HIT_PX);
    return near.sort((a, b) => a.far - b.far)[0]?.key ?? null;
  }

  /** @param {Context} context @param {number} x @param {number} y @param {number} radius @param {string} colour */
  #ring(context, x, y, radius, colour) {
    context.beginPath();
    context.arc(x, y, radius, 0, Math.PI * 2);
    context.lineWidth = 2;
    context.strokeStyle = colour;
    context.stroke();
  }

  /** @param {Context} context @param {number} x @param {number} y @param {number} course @param {string} colour */
  #mover(context, x, y, course, colour) {
    context.save();
    context.translate(x, y);
    context.beginPath();
    if (course === course) {
      context.rotate(course);
      context.moveTo(0, -9.5);
      context.lineTo(7, 8);
      context.lineTo(0, 4.6);
      context.lineTo(-7, 8);
      context.closePath();
    } else context.arc(0, 0, 6, 0, Math.PI * 2);
    context.lineJoin = "round";
    context.lineWidth = 3;
    context.strokeStyle = this.#colours.halo;
    context.stroke();
    context.fillStyle = colour;
    context.fill();
    context.restore();
  }

  /** Where somebody was last: hollow, so that it never looks like the present. @param {Context} context @param {number} x @param {number} y @param {string} colour */
  #lost(context, x, y, colour) {
    context.beginPath();
    context.arc(x, y, 6, 0, Math.PI * 2);
    context.fillStyle = this.#colours.halo;
    context.fill();
    context.setLineDash([3, 2.5]);
    context.lineWidth = 2;
    context.strokeStyle = colour;
    context.stroke();
    context.setLineDash([]);
  }

  /** @param {Context} context @param {number} x @param {number} y */
  #diamond(context, x, y) {
    context.save();
    context.translate(x, y);
    context.rotate(Math.PI / 4);
    context.fillStyle = this.#colours.sos;
    context.fillRect(-8, -8, 16, 16);
    context.lineWidth = 1.8;
    context.strokeStyle = "#ffffff";
    context.strokeRect(-8, -8, 16, 16);
    context.restore();
  }

  /**
   * @param {Context} context
   * @param {Track} track
   * @param {import("./track.js").Place} place
   * @param {number} now_ms
   * @param {[number, number]} at
   * @param {boolean} full
   * @param {import("./boxes.js").Box[]} taken
   */
  #name(context, track, place, now_ms, [x, y], full, taken) {
    const name = full ? track.title : (track.officer?.number ?? track.name);
    const lost_ms = place.lost_ms === null ? 0 : now_ms - place.lost_ms;
    const state = track.stateAt(now_ms)?.state;
    const why = state ? t(`review.state.${state}`) : t("review.state.unworn");
    const words = lost_ms > TOLD_LOST_MS && full ? `${name} · ${why} ${span(lost_ms / 1000)}` : name;
    const label = this.#label(words, lost_ms > TOLD_LOST_MS);
    const [width, height] = [label.width / this.#ratio, label.height / this.#ratio];
    if (takes(taken, [x + 12, y - height / 2, width, height])) context.drawImage(label, x + 12, y - height / 2, width, height);
  }

  /** @param {string} words @param {boolean} dim */
  #label(words, dim) {
    const key = `${words} ${dim}`;
    const known = this.#labels.get(key);
    if (known) return known;
    if (this.#labels.size > 400) this.#labels.clear();
    const canvas = document.createElement("canvas");
    const context = /** @type {Context} */ (canvas.getContext("2d"));
    context.font = this.#font;
    canvas.width = Math.ceil((context.measureText(words).width + 10) * this.#ratio);
    canvas.height = LABEL_HEIGHT_PX * this.#ratio;
    context.scale(this.#ratio, this.#ratio);
    context.font = this.#font;
    context.fillStyle = this.#colours.label;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = dim ? this.#colours.dim : this.#colours.text;
    context.textBaseline = "middle";
    context.fillText(words, 5, LABEL_HEIGHT_PX / 2 + 0.5);
    this.#labels.set(key, canvas);
    return canvas;
  }
}

/**
 * How exactly the place of each is known now.
 * @param {Context} context
 * @param {import("../map/view.js").MapView} view
 * @param {readonly Track[]} tracks
 * @param {import("./detail.js").Detail} detail
 * @param {number} now_ms
 * @param {number} metresPerPixel
 */
export function drawAccuracy(context, view, tracks, detail, now_ms, metresPerPixel) {
  for (const track of tracks) {
    for (const { t: time, x, y, accuracy_m } of detail.pieces.get(track.key) ?? []) {
      const i = lastBefore(time.length, (k) => (time[k] ?? 0) <= now_ms);
      const metres = accuracy_m[i];
      if (i < 0 || i === time.length - 1 || metres === null || metres === undefined) continue;
      context.beginPath();
      context.arc(view.px(x[i] ?? 0), view.py(y[i] ?? 0), metres / metresPerPixel, 0, Math.PI * 2);
      context.globalAlpha = 0.16;
      context.fillStyle = track.colour;
      context.fill();
      context.globalAlpha = 0.8;
      context.lineWidth = 1;
      context.strokeStyle = track.colour;
      context.stroke();
      context.globalAlpha = 1;
    }
  }
}
