/** Publishing by WHIP (RFC 9725): what is captured goes to the relay, until this end or the other has enough. */

import { RelaySession } from "../net/relay-session.js";

/** @typedef {{bitrate_bps_max: number, fps_max: number}} Bounds */

export class WhipSession extends RelaySession {
  /**
   * @param {MediaStream} media
   * @param {string} token
   */
  constructor(media, token) {
    super(token);
    for (const track of media.getTracks()) this.peer.addTransceiver(track, { direction: "sendonly", streams: [media] });
  }

  /**
   * Offer it to the relay.
   * @param {string} url
   * @param {Bounds} bounds
   * @throws {import("../net/http.js").Problem}
   */
  async publish(url, bounds) {
    await this.open(url);
    if (!this.closed) await this.#limit(bounds);
  }

  /** @param {Bounds} bounds */
  async #limit({ bitrate_bps_max, fps_max }) {
    const sender = this.peer.getSenders().find(({ track }) => track?.kind === "video");
    const parameters = sender?.getParameters();
    const encoding = parameters?.encodings[0];
    if (!sender || !parameters || !encoding) return;
    encoding.maxBitrate = bitrate_bps_max;
    encoding.maxFramerate = fps_max;
    await sender.setParameters(parameters);
  }
}
