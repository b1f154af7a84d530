/** The map's window as numbers: world coordinates (0…1) to pixels of the canvas, one multiplication each. */

const TILE_PX = 256;

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

  /** Metres of one pixel at a latitude. @param {number} lat degrees */
  metresPerPixel(lat) {
    return (40_075_016.686 * Math.cos((lat * Math.PI) / 180)) / this.scale;
  }
}
