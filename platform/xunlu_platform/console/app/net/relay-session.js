/**
 * A session with the relay, to publish (WHIP, RFC 9725) or to play (draft-ietf-wish-whep): one peer connection, asked for with
 * one POST, ended with one DELETE. The media service stands at an origin of its own; the token names one path.
 *
 * The offer goes before anything is gathered, because the answer names the servers to gather with (§4.6). A relay that is
 * ICE-lite needs no candidates of ours; any other gets them by PATCH as they are found.
 */

import { t } from "../kit/i18n.js";
import { Problem, problemOf } from "./http.js";
import { fragmentOf, iceServersOf } from "./ice.js";

const ANSWER_TIMEOUT_MS = 10_000;
/** Candidates that are found together go together. */
const TRICKLE_MS = 50;
/** Shorter breaks mend themselves: the next STUN check finds the way again. */
const BROKEN_MS = 4_000;

export class RelaySession {
  /** Told once, when it is gone for good. @type {() => void} */
  onLost = () => undefined;
  peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  closed = false;
  #token;
  /** Where the session lives; empty before the answer. */
  #address = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #breaking;

  /** @param {string} token */
  constructor(token) {
    this.#token = token;
    this.peer.onconnectionstatechange = () => this.#judge();
  }

  /**
   * Offer it to the relay; returns when that has agreed, or when it was closed meanwhile.
   * @param {string} url
   * @throws {Problem} `status` of the relay's refusal, 0 when it was not reached
   */
  async open(url) {
    const { sdp = "" } = await this.peer.createOffer();
    const response = await this.#post(url, sdp);
    const location = response.headers.get("location");
    if (location) this.#address = new URL(location, response.url).href;
    if (this.closed) return this.#delete();
    try {
      const answer = await response.text();
      if (!answer.includes("a=ice-lite")) this.#trickle(sdp, response.headers.get("etag") ?? "");
      const iceServers = iceServersOf(response.headers.get("link"));
      if (iceServers.length) this.peer.setConfiguration({ ...this.peer.getConfiguration(), iceServers });
      await this.peer.setLocalDescription({ type: "offer", sdp });
      await this.peer.setRemoteDescription({ type: "answer", sdp: answer });
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

  /**
   * @param {string} url
   * @param {string} body the offer
   */
  async #post(url, body) {
    const headers = { "content-type": "application/sdp", authorization: `Bearer ${this.#token}` };
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

  /**
   * Tell the relay our candidates; one that is lost is made up for by our own checks.
   * @param {string} offer
   * @param {string} etag
   */
  #trickle(offer, etag) {
    /** @type {RTCIceCandidate[]} */
    let found = [];
    const send = () => {
      const body = fragmentOf(offer, found);
      found = [];
      const headers = { "content-type": "application/trickle-ice-sdpfrag", authorization: `Bearer ${this.#token}`, "if-match": etag };
      if (this.#address) void fetch(this.#address, { method: "PATCH", headers, body }).catch(() => undefined);
    };
    this.peer.onicecandidate = ({ candidate }) => {
      if (candidate?.candidate && found.push(candidate) === 1) setTimeout(send, TRICKLE_MS);
    };
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
