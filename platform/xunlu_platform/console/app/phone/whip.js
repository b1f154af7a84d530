/** Publishing by WHIP (RFC 9725): what is captured goes to the relay, until this end or the other has enough. */

import { t } from "../kit/i18n.js";
import { Problem, problemOf } from "../net/http.js";

const ANSWER_TIMEOUT_MS = 10_000;
/** Shorter breaks mend themselves: the next STUN check finds the way again. */
const BROKEN_MS = 4_000;

/** @typedef {{bitrate_bps_max: number, fps_max: number}} Bounds */

export class WhipSession {
  /** Told once, when it is gone for good. @type {() => void} */
  onLost = () => undefined;
  #peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  #closed = false;
  #token;
  /** Where the session lives; empty before the answer. */
  #address = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #breaking;

  /**
   * @param {MediaStream} media
   * @param {string} token
   */
  constructor(media, token) {
    this.#token = token;
    for (const track of media.getTracks()) this.#peer.addTransceiver(track, { direction: "sendonly", streams: [media] });
    this.#peer.onconnectionstatechange = () => this.#judge();
  }

  /**
   * Offer it to the relay.
   * @param {string} url
   * @param {Bounds} bounds
   * @throws {Problem} `status` of the relay's refusal, 0 when it was not reached
   */
  async open(url, bounds) {
    await this.#peer.setLocalDescription();
    const response = await this.#post(url);
    const location = response.headers.get("location");
    if (location) this.#address = new URL(location, response.url).href;
    if (this.#closed) return this.#delete();
    try {
      await this.#peer.setRemoteDescription({ type: "answer", sdp: await response.text() });
    } catch (error) {
      throw new Problem(502, t("problem.bad-answer"), String(error));
    }
    await this.#limit(bounds);
  }

  /** End it here and there. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#breaking);
    this.#peer.close();
    this.#delete();
  }

  /** @param {string} url */
  async #post(url) {
    const headers = { "content-type": "application/sdp", authorization: `Bearer ${this.#token}` };
    const body = this.#peer.localDescription?.sdp ?? "";
    /** @type {Response} */
    let response;
    try {
      response = await fetch(url, { method: "POST", headers, body, signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    } catch {
      throw new Problem(0, t("problem.relay-unreachable"), t("problem.relay-unreachable.do"));
    }
    if (!response.ok) throw await problemOf(response);
    return response;
  }

  /** @param {Bounds} bounds */
  async #limit({ bitrate_bps_max, fps_max }) {
    const sender = this.#peer.getSenders().find(({ track }) => track?.kind === "video");
    const parameters = sender?.getParameters();
    const encoding = parameters?.encodings[0];
    if (!sender || !parameters || !encoding) return;
    encoding.maxBitrate = bitrate_bps_max;
    encoding.maxFramerate = fps_max;
    await sender.setParameters(parameters);
  }

  #delete() {
    if (!this.#address) return;
    const headers = { authorization: `Bearer ${this.#token}` };
    void fetch(this.#address, { method: "DELETE", headers, keepalive: true }).catch(() => undefined);
    this.#address = "";
  }

  #judge() {
    const state = this.#peer.connectionState;
    clearTimeout(this.#breaking);
    const parted = this.#peer.getSenders().some(({ transport }) => transport?.state === "closed");
    if (parted || state === "failed" || state === "closed") this.#lose();
    else if (state === "disconnected") this.#breaking = setTimeout(() => this.#lose(), BROKEN_MS);
  }

  #lose() {
    if (this.#closed) return;
    this.close();
    this.onLost();
  }
}
