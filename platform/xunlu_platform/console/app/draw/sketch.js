/** The drawing in hand, with every step before it. */

import { Store } from "../kit/store.js";

const STEPS_MAX = 200;

/** @typedef {import("./drawing.js").Drawing} Drawing */

export class Sketch {
  /** @type {Store<Drawing>} */
  drawing;
  /** @type {Drawing[]} */
  #past = [];
  /** @type {Drawing[]} */
  #future = [];

  /** @param {Drawing} drawing to begin with */
  constructor(drawing) {
    this.drawing = new Store(drawing);
  }

  get undoable() {
    return this.#past.length > 0;
  }

  get redoable() {
    return this.#future.length > 0;
  }

  /** A step that can be undone. @param {Drawing} drawing */
  change(drawing) {
    if (drawing === this.drawing.value) return;
    this.#past = [...this.#past, this.drawing.value].slice(-STEPS_MAX);
    this.#future = [];
    this.drawing.set(drawing);
  }

  /** Follow a hand: many of these and one `change` are one step. @param {Drawing} drawing */
  preview(drawing) {
    this.drawing.set(drawing);
  }

  undo() {
    const before = this.#past.pop();
    if (!before) return;
    this.#future.push(this.drawing.value);
    this.drawing.set(before);
  }

  redo() {
    const after = this.#future.pop();
    if (!after) return;
    this.#past.push(this.drawing.value);
    this.drawing.set(after);
  }
}
