/** What the lanes below the map show of each subject, and what they show of all together: drawn, never asked. */

import { span } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { token } from "../kit/theme.js";
import { gapsOf, gravityOf, incidentOf, laneOf, SIGNS, wordsOf } from "./moments.js";

/** @typedef {import("./types").Span} Span */
/** @typedef {import("./types").Moment} Moment */
/** @typedef {import("./track.js").Track} Track */
/** @typedef {CanvasRenderingContext2D} Context */
/** What has a pattern; `unseen` is a recording without a picture. @typedef {import("./types").Explained | "unseen"} Tiled */

export const ROW_PX = 40;
export const SHARED_PX = 20;
export const SHARED = /** @type {const} */ (["talk", "alarms", "orders", "zones", "incidents"]);
const BAR_Y = 6;
const BAR_PX = 8;
const SPEED_PX = 18;
/** Top of the speed graph, m/s; its scale is that of the root, so that walking can be seen beside driving. */
const SPEED_TOP_MPS = 12;
const TILE_PX = 8;
const SIGN_PX = 6;
const WORDS_MIN_PX = 44;
const PATHS = new Map(Object.entries(SIGNS).map(([kind, path]) => [kind, new Path2D(path)]));

export class LanePainter {
  #colours = { line: "", text: "", dim: "", warn: "", sos: "", faint: "", accent: "", raise: "" };
  #font = "";
  /** @type {Map<string, CanvasPattern | string>} */
  #patterns = new Map();

  restyle() {
    this.#colours = {
      line: token("--line"),
      text: token("--text"),
      dim: token("--dim"),
      warn: token("--warn"),
      sos: token("--sos"),
      faint: token("--faint"),
      accent: token("--accent"),
      raise: token("--raise"),
    };
    this.#font = `11px ${token("--font")}`;
    this.#patterns.clear();
  }

  /**
   * The lane of a subject.
   * @param {Context} context
   * @param {Track} track
   * @param {readonly Moment[]} recordings
   * @param {Scale} scale
   * @param {number} y
   */
  row(context, track, recordings, scale, y) {
    context.fillStyle = this.#colours.line;
    context.fillRect(0, y + ROW_PX - 1, scale.width, 1);
    this.#speed(context, track, scale, y + ROW_PX - 3);
    for (const state of track.states) this.#state(context, track, state, scale, y);
    for (const recording of recordings) {
      const { at_ms, until_ms } = recording;
      if (until_ms < scale.from_ms || at_ms > scale.to_ms) continue;
      context.fillStyle = track.colour;
      context.fillRect(scale.x(at_ms), y + BAR_Y, Math.max(2, scale.x(until_ms) - scale.x(at_ms)), BAR_PX);
      for (const gap of gapsOf(recording)) this.#unseen(context, track.colour, gap, scale, y + BAR_Y);
    }
  }

  /** A stretch of a recording without a picture. @param {Context} context @param {string} colour @param {Span} gap @param {Scale} scale @param {number} y */
  #unseen(context, colour, { from_ms, to_ms }, scale, y) {
    const [x0, x1] = scale.clip(from_ms, to_ms);
    if (x1 <= x0) return;
    const width = Math.max(2, x1 - x0);
    context.fillStyle = this.#colours.raise;
    context.fillRect(x0, y, width, BAR_PX);
    context.fillStyle = this.#pattern(context, "unseen", colour);
    context.fillRect(x0, y, width, BAR_PX);
  }

  /** @param {Context} context @param {Track} track @param {import("./types").StateSpan} part @param {Scale} scale @param {number} y */
  #state(context, track, { from_ms, to_ms, state }, scale, y) {
    const [x0, x1] = scale.clip(from_ms, to_ms);
    if (x1 <= x0) return;
    const width = Math.max(1, x1 - x0);
    const known = state === "on_air" || state === "back_filled";
    context.fillStyle = this.#pattern(context, state, track.colour);
    context.globalAlpha = state === "on_air" ? 0.38 : 1;
    if (known) context.fillRect(x0, y + BAR_Y + 2, width, BAR_PX - 4);
    else context.fillRect(x0, y + BAR_Y - 2, width, ROW_PX - BAR_Y - 2);
    context.globalAlpha = 1;
    if (state === "on_air" || width < WORDS_MIN_PX) return;
    const reason = t(`review.state.${state}`);
    const words = known ? reason : t("review.gap", { span: span((to_ms - from_ms) / 1000), why: reason });
    this.#words(context, words, x0 + 6, y + ROW_PX - 14, width - 10, reason);
  }

  /** The whole sentence, or what matters of it, or nothing. @param {Context} context @param {string} words @param {number} x @param {number} y @param {number} room @param {string} short */
  #words(context, words, x, y, room, short) {
    context.font = this.#font;
    const fits = [words, short].find((one) => context.measureText(one).width <= room);
    if (!fits) return;
    context.fillStyle = this.#colours.raise;
    context.fillRect(x - 3, y - 8, context.measureText(fits).width + 6, 16);
    context.fillStyle = this.#colours.dim;
    context.textBaseline = "middle";
    context.fillText(fits, x, y);
  }

  /** @param {Context} context @param {Track} track @param {Scale} scale @param {number} base */
  #speed(context, track, scale, base) {
    context.beginPath();
    for (const { t: time, speed } of track.pieces) {
      if ((time.at(-1) ?? 0) < scale.from_ms || (time[0] ?? 0) > scale.to_ms) continue;
      let begun = false;
      let column = -1;
      for (let i = 0; i < time.length; i++) {
        const mps = speed[i] ?? NaN;
        const x = scale.x(time[i] ?? 0);
        if (mps !== mps || x < -2 || x > scale.width + 2 || Math.abs(x - column) < 0.5) continue;
        column = x;
        const height = Math.min(1, Math.sqrt(mps / SPEED_TOP_MPS)) * SPEED_PX;
        context[begun ? "lineTo" : "moveTo"](x, base - height);
        begun = true;
      }
    }
    context.lineWidth = 1;
    context.globalAlpha = 0.85;
    context.strokeStyle = track.colour;
    context.stroke();
    context.globalAlpha = 1;
  }

  /**
   * What happened to all of them.
   * @param {Context} context
   * @param {readonly Moment[]} moments in order of time
   * @param {(key: string) => string} colourOf
   * @param {Scale} scale
   */
  shared(context, moments, colourOf, scale) {
    for (const moment of moments) {
      const lane = laneOf(moment);
      if (!lane || moment.until_ms < scale.from_ms || moment.at_ms > scale.to_ms) continue;
      const y = SHARED.indexOf(lane) * SHARED_PX;
      const x = scale.x(moment.at_ms);
      context.fillStyle = this.#ink(moment) || colourOf(moment.subject) || this.#colours.text;
      if (lane === "talk") context.fillRect(x, y + 5, Math.max(2, scale.x(moment.until_ms) - x), SHARED_PX - 10);
      else if (moment.kind === "incident") this.#period(context, moment, scale, y, firstStep(moments, moment, scale));
      else this.#sign(context, moment, x, y);
    }
    context.fillStyle = this.#colours.line;
    SHARED.forEach((_, i) => context.fillRect(0, (i + 1) * SHARED_PX - 1, scale.width, 1));
  }

  /** Of what matters more than whose it is. @param {Moment} moment */
  #ink(moment) {
    const gravity = gravityOf(moment);
    return gravity === "bad" ? this.#colours.sos : gravity === "warn" ? this.#colours.warn : "";
  }

  /** @param {Context} context in its colour @param {Moment} moment @param {number} x @param {number} y */
  #sign(context, moment, x, y) {
    context.save();
    context.translate(x - SIGN_PX, y + 4);
    context.fill(/** @type {Path2D} */ (PATHS.get(moment.kind)));
    context.restore();
    if (gravityOf(moment) !== "bad") return;
    context.font = this.#font;
    context.textBaseline = "middle";
    context.fillText(wordsOf(moment), x + 10, y + SHARED_PX / 2);
  }

  /**
   * The time of an incident, with its name where there is room.
   * @param {Context} context
   * @param {Moment} moment
   * @param {Scale} scale
   * @param {number} y
   * @param {number} taken from here on by signs
   */
  #period(context, { at_ms, until_ms, text }, scale, y, taken) {
    const [x, end] = scale.clip(at_ms, until_ms);
    context.globalAlpha = 0.22;
    context.fillStyle = this.#colours.accent;
    context.fillRect(x, y + 3, end - x, SHARED_PX - 6);
    context.globalAlpha = 1;
    context.lineWidth = 1;
    context.strokeStyle = this.#colours.accent;
    context.strokeRect(x + 0.5, y + 3.5, Math.max(1, end - x - 1), SHARED_PX - 7);
    this.#words(context, text, x + 8, y + SHARED_PX / 2, Math.min(end, taken) - x - 12, text);
  }

  /**
   * How many were there at each time of the whole range, and what of it the lanes show.
   * @param {Context} context
   * @param {readonly Track[]} tracks
   * @param {readonly Moment[]} moments key ones
   * @param {Scale} scale of the whole range
   * @param {Span} shown
   * @param {number} height
   */
  density(context, tracks, moments, scale, shown, height) {
    const there = presence(tracks, scale);
    context.fillStyle = this.#colours.accent;
    context.globalAlpha = 0.55;
    there.forEach((count, x) => {
      const high = (count / Math.max(1, tracks.length)) * (height - 5);
      if (count) context.fillRect(x, height - Math.max(2, high), 1, Math.max(2, high));
    });
    context.globalAlpha = 1;
    for (const moment of moments) {
      context.fillStyle = gravityOf(moment) === "bad" ? this.#colours.sos : this.#colours.dim;
      context.fillRect(scale.x(moment.at_ms) - 0.5, 0, gravityOf(moment) === "bad" ? 2.5 : 1, 4);
    }
    const [x0, x1] = [scale.x(shown.from_ms), scale.x(shown.to_ms)];
    if (x1 - x0 >= scale.width - 1) return;
    context.lineWidth = 1.5;
    context.strokeStyle = this.#colours.text;
    context.strokeRect(x0 + 0.75, 0.75, Math.max(4, x1 - x0 - 1.5), height - 1.5);
  }

  /** @param {Context} context @param {Tiled} state @param {string} colour */
  #pattern(context, state, colour) {
    const key = `${state} ${colour}`;
    const known = this.#patterns.get(key);
    if (known) return known;
    const { faint, warn, sos } = this.#colours;
    const inks = { on_air: colour, back_filled: colour, unseen: colour, no_fix: warn, no_signal: faint, off_planned: faint, off_unplanned: warn, server_down: sos };
    const made = state === "on_air" ? colour : (context.createPattern(tileOf(state, inks[state]), "repeat") ?? colour);
    this.#patterns.set(key, made);
    return made;
  }
}

/** Where moments lie on a lane. */
export class Scale {
  /** @param {Span} span @param {number} width pixels */
  constructor({ from_ms, to_ms }, width) {
    this.from_ms = from_ms;
    this.to_ms = to_ms;
    this.width = width;
    this.px_per_ms = width / Math.max(1, to_ms - from_ms);
  }

  /** @param {number} ms */
  x(ms) {
    return (ms - this.from_ms) * this.px_per_ms;
  }

  /** @param {number} x pixels */
  ms(x) {
    return this.from_ms + x / this.px_per_ms;
  }

  /** Both ends of what is in sight. @param {number} from_ms @param {number} to_ms @returns {[number, number]} */
  clip(from_ms, to_ms) {
    return [Math.max(0, this.x(from_ms)), Math.min(this.width, this.x(to_ms))];
  }
}

/** Where the first step of an incident that is in sight lies. @param {readonly Moment[]} moments @param {Moment} incident @param {Scale} scale */
function firstStep(moments, incident, scale) {
  const step = moments.find((one) => one.kind === "step_mark" && incidentOf(one) === incidentOf(incident) && one.at_ms > scale.from_ms);
  return step ? scale.x(step.at_ms) - SIGN_PX : Infinity;
}

/** Subjects with a fix in each column. @param {readonly Track[]} tracks @param {Scale} scale */
function presence(tracks, scale) {
  const steps = new Int32Array(Math.ceil(scale.width) + 2);
  for (const { pieces } of tracks)
    for (const { t: time } of pieces) {
      const [x0, x1] = scale.clip(time[0] ?? 0, time.at(-1) ?? 0);
      if (x1 < x0) continue;
      const [first, past] = [Math.floor(x0), Math.floor(x1) + 1];
      steps[first] = (steps[first] ?? 0) + 1;
      steps[past] = (steps[past] ?? 0) - 1;
    }
  let count = 0;
  return Array.from(steps.subarray(0, Math.ceil(scale.width)), (step) => (count += step));
}

/** One tile of a pattern: states differ without colour, too. @param {Tiled} state @param {string} ink */
function tileOf(state, ink) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = TILE_PX;
  const context = /** @type {Context} */ (canvas.getContext("2d"));
  context.strokeStyle = context.fillStyle = ink;
  context.globalAlpha = state === "back_filled" || state === "unseen" ? 0.9 : 0.42;
  const line = (/** @type {number[]} */ [x0 = 0, y0 = 0, x1 = 0, y1 = 0]) => (context.beginPath(), context.moveTo(x0, y0), context.lineTo(x1, y1), context.stroke());
  if (state === "back_filled") [[-2, 2, 2, -2], [0, 8, 8, 0], [6, 10, 10, 6]].forEach(line);
  if (state === "unseen") [[-2, 6, 2, 10], [0, 0, 8, 8], [6, -2, 10, 2]].forEach(line);
  if (state === "no_fix") [[2, 2], [6, 6]].forEach(([x = 0, y = 0]) => context.fillRect(x, y, 1.6, 1.6));
  if (state === "no_signal") [[-2, 2, 2, -2], [0, 8, 8, 0], [6, 10, 10, 6]].forEach(line);
  if (state === "off_planned") line([0, 4, 8, 4]);
  if (state === "off_unplanned") [[0, 0, 8, 8], [0, 8, 8, 0]].forEach(line);
  if (state === "server_down") [[4, 0, 4, 8], [0, 0, 0, 8]].forEach(line);
  return canvas;
}
