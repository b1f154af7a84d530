/**
 * Who is drawn by itself, in which order, and who goes into a cluster. Computed when data or window changed, never for a
 * glide. Cells are anchored to the world, so that clusters do not swim while the map is dragged. Nothing is allocated.
 */

import { STATES } from "../state/display.js";

const CELL_PX = 46;
const MERGE_PX = 38;
const CLUSTER_MIN = 4;
const CLUSTER_ZOOM_MAX = 16;
const MARGIN_PX = 40;
const SOS = STATES.indexOf("sos");

export class Layout {
  /** Indices of movers drawn by themselves, least important first. */
  order = new Int32Array(256);
  orderCount = 0;
  clusterX = new Float64Array(64);
  clusterY = new Float64Array(64);
  clusterCount = new Int32Array(64);
  clusterState = new Uint8Array(64);
  clusterWarn = new Uint8Array(64);
  clusters = 0;
  /** Movers inside the window, clustered or not. */
  inView = 0;
  #cellOf = new Int32Array(256);
  #visible = new Int32Array(256);
  #cellCount = new Int32Array(0);
  #cellX = new Float64Array(0);
  #cellY = new Float64Array(0);
  #cellState = new Uint8Array(0);
  #cellWarn = new Uint8Array(0);
  #cellCluster = new Int32Array(0);
  #columns = 0;
  #rows = 0;
  #byState = new Int32Array(STATES.length + 1);

  /**
   * @param {import("../state/fleet.js").Fleet} fleet
   * @param {import("./view.js").MapView} view
   * @param {number} first index of a mover that stays out of clusters, -1 none
   * @param {number} second another one
   */
  update(fleet, view, first, second) {
    this.#reserve(fleet.order.length, view);
    this.#collect(fleet, view, first, second);
    this.#cluster();
    this.#sort(fleet);
  }

  /**
   * @param {number} movers
   * @param {import("./view.js").MapView} view
   */
  #reserve(movers, view) {
    if (movers > this.order.length) {
      const room = movers * 2;
      this.order = new Int32Array(room);
      this.#cellOf = new Int32Array(room);
      this.#visible = new Int32Array(room);
    }
    this.#columns = Math.ceil(view.width / CELL_PX) + 4;
    this.#rows = Math.ceil(view.height / CELL_PX) + 4;
    const cells = this.#columns * this.#rows;
    if (cells > this.#cellCount.length) {
      this.#cellCount = new Int32Array(cells);
      this.#cellX = new Float64Array(cells);
      this.#cellY = new Float64Array(cells);
      this.#cellState = new Uint8Array(cells);
      this.#cellWarn = new Uint8Array(cells);
      this.#cellCluster = new Int32Array(cells);
      this.clusterX = new Float64Array(cells);
      this.clusterY = new Float64Array(cells);
      this.clusterCount = new Int32Array(cells);
      this.clusterState = new Uint8Array(cells);
      this.clusterWarn = new Uint8Array(cells);
    }
    this.#cellCount.fill(0, 0, cells);
    this.#cellX.fill(0, 0, cells);
    this.#cellY.fill(0, 0, cells);
    this.#cellWarn.fill(0, 0, cells);
    this.#cellState.fill(STATES.length, 0, cells);
  }

  /**
   * Put everybody inside the window into a cell.
   * @param {import("../state/fleet.js").Fleet} fleet
   * @param {import("./view.js").MapView} view
   * @param {number} first
   * @param {number} second
   */
  #collect(fleet, view, first, second) {
    const { x, y, flags, state } = fleet;
    const baseColumn = Math.floor(view.left / CELL_PX) - 1;
    const baseRow = Math.floor(view.top / CELL_PX) - 1;
    const clusters = view.zoom <= CLUSTER_ZOOM_MAX;
    let visible = 0;
    for (let i = 0, n = fleet.order.length; i < n; i++) {
      const flag = flags[i];
      if ((flag & 9) !== 1) continue;
      const px = view.px(x[i]);
      const py = view.py(y[i]);
      if (px < -MARGIN_PX || py < -MARGIN_PX || px > view.width + MARGIN_PX || py > view.height + MARGIN_PX) continue;
      this.#visible[visible++] = i;
      const alone = !clusters || state[i] === SOS || (flag & 64) !== 0 || i === first || i === second;
      this.#cellOf[i] = alone ? -1 : this.#addToCell(px, py, view, baseColumn, baseRow, state[i], flag);
    }
    this.inView = visible;
  }

  /**
   * @param {number} px
   * @param {number} py
   * @param {import("./view.js").MapView} view
   * @param {number} baseColumn
   * @param {number} baseRow
   * @param {number} state
   * @param {number} flag
   */
  #addToCell(px, py, view, baseColumn, baseRow, state, flag) {
    const column = Math.floor((px + view.left) / CELL_PX) - baseColumn;
    const row = Math.floor((py + view.top) / CELL_PX) - baseRow;
    if (column < 0 || row < 0 || column >= this.#columns || row >= this.#rows) return -1;
    const cell = row * this.#columns + column;
    this.#cellCount[cell] += 1;
    this.#cellX[cell] += px;
    this.#cellY[cell] += py;
    if (state < this.#cellState[cell]) this.#cellState[cell] = state;
    if (flag & 4) this.#cellWarn[cell] = 1;
    return cell;
  }

  /** Full cells become clusters; a cluster too near to one before it joins that one. */
  #cluster() {
    this.clusters = 0;
    for (let row = 0; row < this.#rows; row++)
      for (let column = 0; column < this.#columns; column++) {
        const cell = row * this.#columns + column;
        const count = this.#cellCount[cell];
        this.#cellCluster[cell] = -1;
        if (count < CLUSTER_MIN) continue;
        const x = this.#cellX[cell] / count;
        const y = this.#cellY[cell] / count;
        const near = this.#near(row, column, x, y);
        const at = near === -1 ? this.clusters++ : near;
        const before = near === -1 ? 0 : this.clusterCount[at];
        const share = count / (before + count);
        this.clusterX[at] = before ? this.clusterX[at] * (1 - share) + x * share : x;
        this.clusterY[at] = before ? this.clusterY[at] * (1 - share) + y * share : y;
        this.clusterCount[at] = before + count;
        const state = this.#cellState[cell];
        this.clusterState[at] = before ? Math.min(this.clusterState[at], state) : state;
        this.clusterWarn[at] = (before ? this.clusterWarn[at] : 0) | this.#cellWarn[cell];
        this.#cellCluster[cell] = at;
      }
  }

  /**
   * The cluster of a neighbouring cell that a new one would overlap, or -1.
   * @param {number} row
   * @param {number} column
   * @param {number} x
   * @param {number} y
   */
  #near(row, column, x, y) {
    for (let dr = -1; dr <= 0; dr++)
      for (let dc = -1; dc <= 1; dc++) {
        if (dr === 0 && dc >= 0) break;
        const r = row + dr;
        const c = column + dc;
        if (r < 0 || c < 0 || c >= this.#columns) continue;
        const at = this.#cellCluster[r * this.#columns + c];
        if (at < 0) continue;
        const dx = this.clusterX[at] - x;
        const dy = this.clusterY[at] - y;
        if (dx * dx + dy * dy < MERGE_PX * MERGE_PX) return at;
      }
    return -1;
  }

  /** Counting sort of the single ones by state: the gravest last, on top. @param {import("../state/fleet.js").Fleet} fleet */
  #sort(fleet) {
    const counts = this.#byState.fill(0);
    let single = 0;
    for (let k = 0; k < this.inView; k++) {
      const i = this.#visible[k];
      const cell = this.#cellOf[i];
      if (cell >= 0 && this.#cellCluster[cell] >= 0) continue;
      this.#visible[single++] = i;
      counts[STATES.length - 1 - fleet.state[i]] += 1;
    }
    let sum = 0;
    for (let s = 0; s <= STATES.length; s++) {
      const count = counts[s];
      counts[s] = sum;
      sum += count;
    }
    for (let k = 0; k < single; k++) {
      const i = this.#visible[k];
      const slot = STATES.length - 1 - fleet.state[i];
      this.order[counts[slot]] = i;
      counts[slot] += 1;
    }
    this.orderCount = single;
  }
}
