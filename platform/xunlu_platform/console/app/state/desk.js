/** What this desk looks at: selection, filters, follow, trails, tools. */

import { SavedStore, Store } from "../kit/store.js";

/** The device in the drawer. @type {Store<string | null>} */
export const selected = new Store(/** @type {string | null} */ (null));
/** The device whose live picture the drawer shows. @type {Store<string | null>} */
export const watching = new Store(/** @type {string | null} */ (null));
/** The device that the map stays on. @type {Store<string | null>} */
export const followed = new Store(/** @type {string | null} */ (null));
/** The unit that lists and map are limited to. @type {Store<number | null>} */
export const unitFilter = new Store(/** @type {number | null} */ (null));
/** States that are not shown. @type {SavedStore<string[]>} */
export const hiddenStates = new SavedStore("hidden", /** @type {string[]} */ ([]));
export const trails = new SavedStore("trails", false);
/** What the map shows besides the officers. */
export const layers = new SavedStore("layers", { places: true, accuracy: true, names: true, zones: true });
/** Where the map was last. @type {SavedStore<{lat: number, lon: number, zoom: number} | null>} */
export const place = new SavedStore("place", /** @type {{lat: number, lon: number, zoom: number} | null} */ (null));
/**
 * A list besides the drawer: a box selection, or with `nearest` those near to a place, nearest first.
 * @typedef {{title: string, rows: {did: string, note: string}[], nearest?: boolean}} Gathered
 */
/** @type {Store<Gathered | null>} */
export const gathered = new Store(/** @type {Gathered | null} */ (null));
/** Tracks of today by device, drawn with their gaps. @type {Store<Map<string, import("../types").TrackPoint[][]>>} */
export const tracks = new Store(new Map());
/** What the map does with the next drag or click. @type {Store<"none" | "box" | "lasso" | "nearest" | "who">} */
export const tool = new Store(/** @type {"none" | "box" | "lasso" | "nearest" | "who"} */ ("none"));
/** A place to bring into view, asked for by a person. @type {Store<{lat: number, lon: number, zoom?: number} | null>} */
export const goTo = new Store(/** @type {{lat: number, lon: number, zoom?: number} | null} */ (null));
/** Sidebar shown. */
export const sidebar = new SavedStore("sidebar", true);
