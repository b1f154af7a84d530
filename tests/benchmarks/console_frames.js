/** In the page, before anything of ours: counts frames and redraws, and can draw the same fleet with Leaflet alone. */
(() => {
  const MOVERS = "canvas.officers, .leaflet-overlay-pane > canvas";
  const DOT = { radius: 5, weight: 1, fillOpacity: 0.9 };
  let redraws = 0;

  const clear = CanvasRenderingContext2D.prototype.clearRect;
  CanvasRenderingContext2D.prototype.clearRect = function (...area) {
    if (this.canvas instanceof HTMLCanvasElement && this.canvas.matches(MOVERS)) redraws += 1;
    return clear.apply(this, area);
  };

  /** Times of all frames that the browser grants us for a while, and how often the movers were redrawn. */
  const watch = (duration_ms) =>
    new Promise((done) => {
      const times = [];
      const before = redraws;
      const tick = (time) => {
        times.push(time);
        if (time - times[0] < duration_ms) requestAnimationFrame(tick);
        else done({ times, redraws: redraws - before });
      };
      requestAnimationFrame(tick);
    });

  /** Leaflet's own canvas markers, fed by the same event stream; no basemap. */
  const leaflet = ([lat, lon], zoom) => {
    document.body.replaceChildren(Object.assign(document.createElement("div"), { id: "map" }));
    Object.assign(document.getElementById("map").style, { position: "fixed", inset: "0", background: "#fff" });
    const map = L.map("map", { preferCanvas: true, zoomControl: false }).setView([lat, lon], zoom);
    const markers = new Map();
    const socket = new WebSocket(`${location.origin.replace("http", "ws")}/api/v1/events/stream`);
    const look = () => {
      const box = map.getBounds().pad(0.1);
      const bbox = [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()];
      socket.send(JSON.stringify({ type: "view", bbox, zoom: map.getZoom(), selected: [] }));
    };
    map.on("moveend", look);
    socket.onopen = look;
    socket.onmessage = (event) => {
      for (const { did, lat: y, lon: x } of JSON.parse(event.data).devices ?? []) {
        if (y == null || x == null) continue;
        const marker = markers.get(did);
        if (marker) marker.setLatLng([y, x]);
        else markers.set(did, L.circleMarker([y, x], DOT).addTo(map));
      }
    };
    window.bench.movers = () => markers.size;
  };

  /** A module of the console, the very instance that the page uses. */
  const module = (ending) => {
    const names = performance.getEntriesByType("resource").map((entry) => entry.name);
    return import(names.find((name) => name.endsWith(ending)));
  };

  /** Bytes that the console's own stream has received. */
  const bytes = async () => (await module("/app/net/stream.js")).link.value.bytes;

  /** Devices that the console has placed on its map. */
  const placed = async () => (await module("/app/state/fleet.js")).fleet.order.filter((device) => device.lat !== null).length;

  /** Age of every position inside the map's window, seconds. */
  const ages_s = async () => {
    const { serverNow } = await module("/app/net/stream.js");
    const { watched } = await module("/app/state/watch.js");
    const [west, south, east, north] = watched.value.bbox;
    const inside = ({ lat, lon }) => lat !== null && lat > south && lat < north && lon > west && lon < east;
    return (await module("/app/state/fleet.js")).fleet.order.filter(inside).map(({ tms }) => (serverNow() - tms) / 1000);
  };

  window.bench = { watch, leaflet, bytes, ages_s, movers: placed };
})();
