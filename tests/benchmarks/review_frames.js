/** In the page, before anything of ours: when the first picture stood, what it cost, and how often the browser drew. */
(() => {
  const MOVERS = "canvas.review-movers";
  const WAYS = "canvas.review-still";
  let redraws = 0;
  let ways_ms = null;

  const clear = CanvasRenderingContext2D.prototype.clearRect;
  CanvasRenderingContext2D.prototype.clearRect = function (...area) {
    if (this.canvas instanceof HTMLCanvasElement && this.canvas.matches(MOVERS)) redraws += 1;
    return clear.apply(this, area);
  };
  const stroke = CanvasRenderingContext2D.prototype.stroke;
  CanvasRenderingContext2D.prototype.stroke = function (...path) {
    // The first way that is drawn; the frame that shows it ends a moment later.
    if (ways_ms === null && this.canvas instanceof HTMLCanvasElement && this.canvas.matches(WAYS))
      requestAnimationFrame(() => requestAnimationFrame((now) => (ways_ms ??= now)));
    return stroke.apply(this, path);
  };

  /** Milliseconds from the address to the frame with all ways in it; null as long as there is none. */
  const first_ms = () => ways_ms;

  /** Bytes that the look back took, as they went over the wire and as JSON. */
  const bytes = () => {
    const asked = performance.getEntriesByType("resource").filter(({ name }) => name.includes("/api/v1/review/"));
    const sum = (field) => asked.reduce((all, entry) => all + entry[field], 0);
    return { wire: sum("encodedBodySize"), json: sum("decodedBodySize") };
  };

  /** Times of all frames that the browser grants us for a while, and how often the officers were redrawn. */
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

  window.bench = { first_ms, bytes, watch };
})();
