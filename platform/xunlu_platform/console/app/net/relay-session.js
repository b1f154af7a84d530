/**
 * A session with the relay, to publish (WHIP, RFC 9725) or to play (draft-ietf-wish-whep): one peer connection, asked for with
 * one POST, ended with one DELETE. The media service stands at an origin of its own; the token names one path.
 */

import { t } from "../kit/i18n.js";
import { Problem, problemOf } from "./http.js";

const ANSWER_TIMEOUT_MS = 10_000;
/** A full ICE server may need our candidates, which need its TURN server first. */
const GATHER_MAX_MS = 2_000;
/** Shorter breaks mend themselves: the next STUN check finds the way again. */
const BROKEN_MS = 4_000;

export class RelaySession {
  /** Told once, when it is gone for good. @type {() => void} */
  onLost = () => undefined;
  peer;
  closed = false;
  #token;
  #gathers;
  /** Where the session lives; empty before the answer. */
  #address = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #breaking;

  /**
   * @param {string} token
   * @param {RTCIceServer[]} [iceServers]
   */
  constructor(token, iceServers = []) {
    this.#token = token;
    this.#gathers = iceServers.length > 0;
    this.peer = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    this.peer.onconnectionstatechange = () => this.#judge();
  }

  /**
   * Offer it to the relay; returns when that has agreed, or when it was closed meanwhile.
   * @param {string} url
   * @throws {Problem} `status` of the relay's refusal, 0 when it was not reached
   */
  async open(url) {
    await this.peer.setLocalDescription();
    if (this.#gathers) await gathered(this.peer);
    const response = await this.#post(url);
    const location = response.headers.get("location");
    if (location) this.#address = new URL(location, response.url).href;
    if (this.closed) return this.#delete();
    try {
      await this.peer.setRemoteDescription({ type: "answer", sdp: await response.text() });
    } catch (error) {
      throw new Problem(502, t("problem.bad-answer"), String(error));
    }
  }

  /** End it here and there; the page itself may be about to go. */
  close() {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.#breaking);
    this.peer.close();
    this.#delete();
  }

  /** @param {string} url */
  async #post(url) {
    const headers = { "content-type": "application/sdp", authorization: `Bearer ${this.#token}` };
    const body = this.peer.localDescription?.sdp ?? "";
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

  /** A session that is already gone there, or a service that is away, needs nothing more. */
  #delete() {
    if (!this.#address) return;
    const headers = { authorization: `Bearer ${this.#token}` };
    void fetch(this.#address, { method: "DELETE", headers, keepalive: true }).catch(() => undefined);
    this.#address = "";
  }

  #judge() {
    const state = this.peer.connectionState;
    clearTimeout(this.#breaking);
    const ends = [...this.peer.getSenders(), ...this.peer.getReceivers()];
    const parted = ends.some(({ transport }) => transport?.state === "closed");
    if (parted || state === "failed" || state === "closed") this.#lose();
    else if (state === "disconnected") this.#breaking = setTimeout(() => this.#lose(), BROKEN_MS);
  }

  #lose() {
    if (this.closed) return;
    this.close();
    this.onLost();
  }
}

/** @param {RTCPeerConnection} peer @returns {Promise<void>} */
export function gathered(peer) {
  return new Promise((resolve) => {
    const done = () => peer.iceGatheringState === "complete" && resolve();
    peer.onicegatheringstatechange = done;
    setTimeout(resolve, GATHER_MAX_MS);
    done();
  });
}
