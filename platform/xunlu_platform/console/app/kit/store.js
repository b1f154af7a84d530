/** Small observable values; the only way that views learn of a change. */

/**
 * @template T
 */
export class Store {
  /** @type {T} */
  #value;
  /** @type {Set<(value: T) => void>} */
  #readers = new Set();

  /** @param {T} value */
  constructor(value) {
    this.#value = value;
  }

  get value() {
    return this.#value;
  }

  /** Replace the value; readers run when it is another one. @param {T} value */
  set(value) {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    this.touch();
  }

  /** Tell the readers that the inside of the value changed. */
  touch() {
    for (const reader of [...this.#readers]) reader(this.#value);
  }

  /**
   * Read now and on every change.
   * @param {(value: T) => void} reader
   * @returns {() => void} stops reading
   */
  read(reader) {
    this.#readers.add(reader);
    reader(this.#value);
    return () => void this.#readers.delete(reader);
  }
}

/**
 * A store that lives in the browser's own storage, such as the theme.
 * @template T
 * @extends {Store<T>}
 */
export class SavedStore extends Store {
  /**
   * @param {string} key
   * @param {T} initial
   */
  constructor(key, initial) {
    super(SavedStore.#load(key, initial));
    this.read((value) => localStorage.setItem(`xunlu.${key}`, typeof value === "string" ? value : JSON.stringify(value)));
  }

  /**
   * @template V
   * @param {string} key
   * @param {V} initial
   * @returns {V}
   */
  static #load(key, initial) {
    const text = localStorage.getItem(`xunlu.${key}`);
    if (text === null) return initial;
    if (typeof initial === "string") return /** @type {V} */ (/** @type {unknown} */ (text));
    try {
      return /** @type {V} */ (JSON.parse(text));
    } catch {
      return initial;
    }
  }
}

/** Everything a view began and must end: readers, listeners, timers. */
export class Scope {
  /** @type {(() => void)[]} */
  #ends = [];
  closed = false;

  /** @param {() => void} end runs when the scope closes */
  onClose(end) {
    this.#ends.push(end);
  }

  /**
   * @template T
   * @param {Store<T>} store
   * @param {(value: T) => void} reader
   */
  read(store, reader) {
    this.onClose(store.read(reader));
  }

  /**
   * @param {EventTarget} target
   * @param {string} type
   * @param {(event: any) => void} listener
   * @param {AddEventListenerOptions} [options]
   */
  listen(target, type, listener, options) {
    target.addEventListener(type, listener, options);
    this.onClose(() => target.removeEventListener(type, listener, options));
  }

  /**
   * @param {number} interval_ms
   * @param {() => void} tick runs now, and then every interval
   */
  every(interval_ms, tick) {
    tick();
    const timer = setInterval(tick, interval_ms);
    this.onClose(() => clearInterval(timer));
  }

  /** A scope inside this one, for a part that is replaced by itself. */
  inner() {
    const scope = new Scope();
    this.onClose(() => scope.close());
    return scope;
  }

  close() {
    this.closed = true;
    for (const end of this.#ends.splice(0).reverse()) end();
  }
}
