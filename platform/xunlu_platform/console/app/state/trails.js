/** Where a device was in the last minutes, as this desk saw it: no request, so no look into a person's history. */

import { selected } from "./desk.js";
import { fleet, worldX, worldY } from "./fleet.js";

const POINTS_MAX = 240;
/** Beyond this many devices only the selected one gets a trail. */
const DEVICES_MAX = 1000;
const SPAN_MS = 10 * 60_000;
/** Two fixes farther apart than this are not joined. */
const GAP_MS = 60_000;

/** A ring of fixes. */
class Trail {
  x = new Float64Array(POINTS_MAX);
  y = new Float64Array(POINTS_MAX);
  ms = new Float64Array(POINTS_MAX);
  count = 0;
  #next = 0;

  /**
   * @param {number} x world coordinate
   * @param {number} y world coordinate
   * @param {number} ms time of the fix
   */
  add(x, y, ms) {
    this.x[this.#next] = x;
    this.y[this.#next] = y;
    this.ms[this.#next] = ms;
    this.#next = (this.#next + 1) % POINTS_MAX;
    this.count = Math.min(POINTS_MAX, this.count + 1);
  }

  /** Index of the n-th oldest. @param {number} n */
  at(n) {
    return (this.#next - this.count + n + POINTS_MAX) % POINTS_MAX;
  }
}

/** @type {Map<string, Trail>} */
const trailsByDevice = new Map();

fleet.onFix.add((device) => {
  if (device.lat === null || device.lon === null || device.tms === null) return;
  let trail = trailsByDevice.get(device.did);
  if (!trail) {
    if (trailsByDevice.size >= DEVICES_MAX && device.did !== selected.value) return;
    trail = new Trail();
    trailsByDevice.set(device.did, trail);
  }
  trail.add(worldX(device.lon), worldY(device.lat), device.tms);
});

/** What was seen belongs to another time. */
export function forgetTrails() {
  trailsByDevice.clear();
}

/**
 * Draw one trail as a path of the context's present style; the caller strokes.
 * @param {CanvasRenderingContext2D} context
 * @param {string} did
 * @param {import("../map/view.js").MapView} view
 * @param {number} now_ms server time
 */
export function traceTrail(context, did, view, now_ms) {
  const trail = trailsByDevice.get(did);
  if (!trail) return;
  let before_ms = 0;
  for (let n = 0; n < trail.count; n++) {
    const i = trail.at(n);
    const ms = trail.ms[i] ?? 0;
    if (now_ms - ms > SPAN_MS) continue;
    const px = view.px(trail.x[i] ?? 0);
    const py = view.py(trail.y[i] ?? 0);
    if (ms - before_ms > GAP_MS) context.moveTo(px, py);
    else context.lineTo(px, py);
    before_ms = ms;
  }
}
