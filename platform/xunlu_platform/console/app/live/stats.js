/** What the browser counted, as figures of the last second (W3C webrtc-stats: `inbound-rtp`, `candidate-pair`). */

/**
 * @typedef {object} Figures
 * @property {number} at_ms of the report
 * @property {number} bytes received so far, video and audio
 * @property {number} received packets of video so far
 * @property {number} lost packets of video so far
 * @property {number} frames decoded so far
 * @property {number} bitrate_bps
 * @property {number} loss_percent of the video's packets
 * @property {number} fps
 * @property {number} jitter_ms
 * @property {number | null} rtt_ms to the relay and back
 * @property {number} width pixels
 * @property {number} height pixels
 */

/**
 * @param {RTCStatsReport} report
 * @param {Figures | null} before the figures of a second ago
 * @returns {Figures}
 */
export function figuresOf(report, before) {
  const rows = /** @type {any[]} */ ([...report.values()]);
  const inbound = rows.filter(({ type }) => type === "inbound-rtp");
  const video = inbound.find(({ kind }) => kind === "video") ?? {};
  const pair = rows.find(({ type, nominated, state }) => type === "candidate-pair" && nominated && state === "succeeded");
  const now = {
    at_ms: performance.now(),
    bytes: inbound.reduce((sum, { bytesReceived = 0 }) => sum + bytesReceived, 0),
    received: video.packetsReceived ?? 0,
    lost: Math.max(0, video.packetsLost ?? 0),
    frames: video.framesDecoded ?? 0,
    jitter_ms: (video.jitter ?? 0) * 1000,
    rtt_ms: typeof pair?.currentRoundTripTime === "number" ? pair.currentRoundTripTime * 1000 : null,
    width: video.frameWidth ?? 0,
    height: video.frameHeight ?? 0,
  };
  return { ...now, ...rates(now, before) };
}

/**
 * @param {{at_ms: number, bytes: number, received: number, lost: number, frames: number}} now
 * @param {Figures | null} before
 */
function rates(now, before) {
  const seconds = before ? (now.at_ms - before.at_ms) / 1000 : 0;
  if (!before || seconds <= 0) return { bitrate_bps: 0, loss_percent: 0, fps: 0 };
  const lost = Math.max(0, now.lost - before.lost);
  const packets = lost + Math.max(0, now.received - before.received);
  return {
    bitrate_bps: (Math.max(0, now.bytes - before.bytes) * 8) / seconds,
    loss_percent: packets ? (100 * lost) / packets : 0,
    fps: Math.max(0, now.frames - before.frames) / seconds,
  };
}
