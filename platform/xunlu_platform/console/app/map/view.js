/** The map's window as numbers: world coordinates (0…1) to pixels of the canvas, one multiplication each. */

import { worldX, worldY } from "../state/fleet.js";

const TILE_PX = 256;
const NEAR_PX = 40;

export class MapView {
  scale = 1;
  left = 0;
  top = 0;
  width = 0;
  height = 0;
  zoom = 0;

  /** Read the map's window. @param {any} map Leaflet's */
  read(map) {
    const size = map.getSize();
    this.zoom = map.getZoom();
    this.scale = TILE_PX * 2 ** this.zoom;
    const corner = map.project(map.containerPointToLatLng([0, 0]), this.zoom);
    this.left = corner.x;
    this.top = corner.y;
    this.width = size.x;
    this.height = size.y;
  }

  /** @param {number} x world coordinate */
  px(x) {
    return x * this.scale - this.left;
  }

  /** @param {number} y world coordinate */
  py(y) {
    return y * this.scale - this.top;
  }

  /** @param {number} lon degrees @param {number} lat @returns {[number, number]} */
  pixel(lon, lat) {
    return [this.px(worldX(lon)), this.py(worldY(lat))];
  }

  /** Whether a pixel lies in the window, or so near that a sign reaches in. @param {number} px @param {number} py */
  shows(px, py) {
    return px > -NEAR_PX && py > -NEAR_PX && px < this.width + NEAR_PX && py < this.height + NEAR_PX;
  }

  /** Metres of one pixel at a latitude. @param {number} lat degrees */
  metresPerPixel(lat) {
    return (40_075_016.686 * Math.cos((lat * Math.PI) / 180)) / this.scale;
  }
}
