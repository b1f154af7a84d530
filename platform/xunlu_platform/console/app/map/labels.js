/** Names beside officers: the gravest first, never one over another; each text is drawn once and then copied. */

import { span } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { token } from "../kit/theme.js";
import { CLUSTER_PX } from "./painter.js";

const LABELS_MAX = 140;
const TRIED_MAX = 500;
import { shownNow } from "../state/moment.js";
const CACHE_MAX = 2000;
const HEIGHT_PX = 18;
const OFFSET_PX = 13;
const CELL_PX = 6;
const SIGN_PX = 6;
/** From this many single officers on, only those that matter have names below the zoom. */
const CROWD = 250;
const CROWD_ZOOM = 16;

/**
 * Measured when somebody wants a place for it, drawn when there is one: in a crowd one of fifty gets a place.
 * @typedef {{text: string, grave: boolean, width: number, canvas: HTMLCanvasElement | null}} Label
 */
/** @typedef {import("../state/fleet.js").Device} Device */

export class Labels {
  /** Indices of movers with a label. */
  placed = new Int32Array(LABELS_MAX);
  count = 0;
  /** @type {Map<string, Label>} */
  #cache = new Map();
  /** @type {(Label | null)[]} */
  #drawn = new Array(LABELS_MAX).fill(null);
  /** Which cells of the window are taken by a sign, a cluster or a label. */
  #taken = new Uint8Array(0);
  #columns = 0;
  #rows = 0;
  #ratio = 1;
  #font = "";
  #ruler = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));

  /** Forget what was drawn: theme, language or screen changed. @param {number} ratio */
  reset(ratio) {
    this.#ratio = ratio;
    this.#font = `12px ${token("--font")}`;
    this.#ruler.font = this.#font;
    this.#cache.clear();
  }

  /**
   * Choose labels, gravest first.
   * @param {import("../state/fleet.js").Fleet} fleet
   * @param {import("./view.js").MapView} view
   * @param {import("./layout.js").Layout} layout
   * @param {number} selected index, -1 none
   * @param {boolean} names whether ordinary names are wanted
   */
  update(fleet, view, layout, selected, names) {
    this.count = 0;
    this.#clear(fleet, view, layout);
    if (selected >= 0) this.#try(fleet, view, selected, true);
    const everybody = names && (layout.orderCount <= CROWD || view.zoom >= CROWD_ZOOM);
    const last = Math.max(0, layout.orderCount - TRIED_MAX);
    for (let k = layout.orderCount - 1; k >= last && this.count < LABELS_MAX; k--) {
      const i = layout.order[k];
      const sos = fleet.state[i] === 0;
      if (!sos && !everybody) break;
      if (i !== selected) this.#try(fleet, view, i, sos);
    }
  }

  /**
   * An empty window, but for signs and clusters: a name never hides somebody.
   * @param {import("../state/fleet.js").Fleet} fleet
   * @param {import("./view.js").MapView} view
   * @param {import("./layout.js").Layout} layout
   */
  #clear(fleet, view, layout) {
    this.#columns = Math.ceil(view.width / CELL_PX);
    this.#rows = Math.ceil(view.height / CELL_PX);
    if (this.#taken.length < this.#columns * this.#rows) this.#taken = new Uint8Array(this.#columns * this.#rows);
    else this.#taken.fill(0);
    for (let k = 0; k < layout.orderCount; k++) {
      const i = layout.order[k];
      this.#claim(view.px(fleet.x[i]) - SIGN_PX, view.py(fleet.y[i]) - SIGN_PX, 2 * SIGN_PX, 2 * SIGN_PX, true);
    }
    for (let c = 0; c < layout.clusters; c++)
      this.#claim(layout.clusterX[c] - CLUSTER_PX, layout.clusterY[c] - CLUSTER_PX, 2 * CLUSTER_PX, 2 * CLUSTER_PX, true);
  }

  /**
   * Take the cells of a box, if they are free or it must.
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   * @param {boolean} must
   */
  #claim(x, y, width, height, must) {
    const left = Math.max(0, Math.floor(x / CELL_PX));
    const right = Math.min(this.#columns - 1, Math.floor((x + width) / CELL_PX));
    const top = Math.max(0, Math.floor(y / CELL_PX));
    const bottom = Math.min(this.#rows - 1, Math.floor((y + height) / CELL_PX));
    for (let row = top; row <= bottom && !must; row++)
      for (let column = left; column <= right; column++) if (this.#taken[row * this.#columns + column]) return false;
    for (let row = top; row <= bottom; row++)
      this.#taken.fill(1, row * this.#columns + left, row * this.#columns + Math.max(left, right + 1));
    return true;
  }

  /**
   * @param {import("../state/fleet.js").Fleet} fleet
   * @param {import("./view.js").MapView} view
   * @param {number} i
   * @param {boolean} must whatever it covers
   */
  #try(fleet, view, i, must) {
    const device = fleet.order[i];
    if (!device) return;
    const label = this.#label(device);
    const x = view.px(fleet.x[i]) + OFFSET_PX;
    const y = view.py(fleet.y[i]) - HEIGHT_PX / 2;
    if (!this.#claim(x, y, label.width, HEIGHT_PX, must)) return;
    label.canvas ??= this.#render(label);
    this.#drawn[this.count] = label;
    this.placed[this.count++] = i;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} k which of `placed`
   * @param {number} x of the officer
   * @param {number} y of the officer
   */
  draw(context, k, x, y) {
    const label = this.#drawn[k];
    if (label?.canvas)
      context.drawImage(label.canvas, Math.round(x + OFFSET_PX), Math.round(y - HEIGHT_PX / 2), label.width, HEIGHT_PX);
  }

  /** @param {Device} device @returns {Label} */
  #label(device) {
    const text = labelText(device);
    const key = device.state === "sos" ? `!${text}` : text;
    const known = this.#cache.get(key);
    if (known) return known;
    if (this.#cache.size >= CACHE_MAX) this.#cache.clear();
    const width = Math.ceil(this.#ruler.measureText(text).width) + 10;
    const label = { text, grave: device.state === "sos", width, canvas: null };
    this.#cache.set(key, label);
    return label;
  }

  /** @param {Label} label */
  #render({ text, grave, width }) {
    const canvas = document.createElement("canvas");
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    canvas.width = width * this.#ratio;
    canvas.height = HEIGHT_PX * this.#ratio;
    context.scale(this.#ratio, this.#ratio);
    context.font = this.#font;
    context.fillStyle = token("--label");
    context.fillRect(0, 0, width, HEIGHT_PX);
    context.fillStyle = token(grave ? "--sos-text" : "--text");
    context.textBaseline = "middle";
    context.fillText(text, 5, HEIGHT_PX / 2 + 1);
    return canvas;
  }
}

/** Who, and the age where the place is not the present. @param {Device} device */
function labelText(device) {
  const name = device.name ? `${device.name} ${device.num ?? ""}` : device.serial || device.did;
  if (device.state === "sos") return `${name} · ${t("state.sos")}`;
  const old = device.state === "stale" || device.state === "nosignal" || device.state === "nofix";
  return old && device.tms !== null ? `${name} · ${span((shownNow() - device.tms) / 1000)}` : name;
}
