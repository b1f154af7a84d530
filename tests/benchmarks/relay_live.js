/**
 * The console's own player, driven by the benchmark of live video.
 * Evaluated in the signed-in console, whose modules it uses: the same requests, the same settings of the browser.
 */

const { Player } = await import(`${document.querySelector("script[src$='app/main.js']").src}/../live/player.js`);

/** Blocks of the clock in the picture: see xunlu_edge.media.strip. */
const COLUMNS = 28;
const ROWS = 2;
const ROW_SHARE = 18;

/** @type {Map<string, Player>} */
const players = new Map();

/** The next frame that the browser shows. @param {HTMLVideoElement} video */
const nextFrame = (video) =>
  new Promise((resolve) => video.requestVideoFrameCallback((_, metadata) => resolve(metadata)));

globalThis.live = {
  /** Watch a recorder; milliseconds from the click to the first frame. @param {string} name @param {string} did */
  async play(name, did) {
    const player = new Player(did);
    players.set(name, player);
    document.body.append(player.video);
    const clicked_ms = performance.now();
    player.play();
    await nextFrame(player.video);
    return performance.now() - clicked_ms;
  },

  /** Stop watching. @param {string} name */
  stop(name) {
    const player = players.get(name);
    players.delete(name);
    player?.close();
    player?.video.remove();
  },

  /**
   * For each frame when it is on the screen, UTC milliseconds, and the brightness of the clock's blocks.
   * @param {string} name
   * @param {number} seconds
   */
  async clocks(name, seconds) {
    const { video } = players.get(name);
    const canvas = new OffscreenCanvas(COLUMNS, ROWS);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.imageSmoothingEnabled = false;
    const seen = [];
    const end_ms = performance.now() + seconds * 1000;
    while (performance.now() < end_ms) {
      const { expectedDisplayTime } = await nextFrame(video);
      const height = ROWS * Math.floor(video.videoHeight / ROW_SHARE);
      context.drawImage(video, 0, 0, video.videoWidth, height, 0, 0, COLUMNS, ROWS);
      const { data } = context.getImageData(0, 0, COLUMNS, ROWS);
      const blocks = Array.from({ length: COLUMNS * ROWS }, (_, at) => data[at * 4]);
      seen.push([performance.timeOrigin + expectedDisplayTime, blocks]);
    }
    return seen;
  },
};
