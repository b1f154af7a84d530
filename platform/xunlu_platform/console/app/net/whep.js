/**
 * A WHEP player (draft-ietf-wish-whep): one receiving peer connection, asked for with one POST, ended with one DELETE.
 * The media service stands at an origin of its own; the token names one path and lets a session begin for a minute.
 */

import { t } from "../kit/i18n.js";
import { Problem, problemOf } from "./http.js";

const ANSWER_TIMEOUT_MS = 10_000;
/** A full ICE server may need our candidates, which need its TURN server first. */
const GATHER_MAX_MS = 2_000;
/** Shorter breaks mend themselves: the next STUN check finds the way again. */
const BROKEN_MS = 4_000;

export class WhepSession {
  media = new MediaStream();
  /** Told once, when it is gone for good. @type {() => void} */
  onLost = () => undefined;
  #grant;
  #peer;
  #closed = false;
  /** Where the session lives; empty before the answer. */
  #address = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #breaking;

  /** @param {import("../types").LiveGrant} grant */
  constructor(grant) {
    this.#grant = grant;
    this.#peer = new RTCPeerConnection({ iceServers: grant.ice_servers, bundlePolicy: "max-bundle" });
    for (const kind of ["video", "audio"]) {
      const { receiver } = this.#peer.addTransceiver(kind, { direction: "recvonly" });
      showAtOnce(receiver);
      this.media.addTrack(receiver.track);
    }
    this.#peer.onconnectionstatechange = () => this.#judge();
  }

  /** Ask for the path; media comes when its publisher does. @throws {Problem} */
  async open() {
    await this.#peer.setLocalDescription();
    if (this.#grant.ice_servers.length) await gathered(this.#peer);
    const response = await this.#post();
    const location = response.headers.get("location");
    if (location) this.#address = new URL(location, response.url).href;
    if (this.#closed) return this.#delete();
    try {
      await this.#peer.setRemoteDescription({ type: "answer", sdp: await response.text() });
    } catch (error) {
      throw new Problem(502, t("problem.bad-answer"), String(error));
    }
  }

  async #post() {
    const { whep, token } = this.#grant;
    const headers = { "content-type": "application/sdp", authorization: `Bearer ${token}` };
    const body = this.#peer.localDescription?.sdp ?? "";
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    /** @type {Response} */
    let response;
    try {
      response = await fetch(whep, { method: "POST", headers, body, signal });
    } catch {
      throw new Problem(0, t("problem.relay-unreachable"), t("problem.relay-unreachable.do"));
    }
    if (!response.ok) throw await problemOf(response);
    return response;
  }

  /** What the browser counted so far. */
  stats() {
    return this.#peer.getStats();
  }

  /** End it here and there; the page itself may be about to go. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#breaking);
    this.#peer.close();
    this.#delete();
  }

  /** A session that is already gone there, or a service that is away, needs nothing more. */
  #delete() {
    if (!this.#address) return;
    const headers = { authorization: `Bearer ${this.#grant.token}` };
    void fetch(this.#address, { method: "DELETE", headers, keepalive: true }).catch(() => undefined);
    this.#address = "";
  }

  #judge() {
    const state = this.#peer.connectionState;
    clearTimeout(this.#breaking);
    const parted = this.#peer.getReceivers().some(({ transport }) => transport?.state === "closed");
    if (parted || state === "failed" || state === "closed") this.#lose();
    else if (state === "disconnected") this.#breaking = setTimeout(() => this.#lose(), BROKEN_MS);
  }

  #lose() {
    if (this.#closed) return;
    this.close();
    this.onLost();
  }
}

/** No buffer for smoothness: a dispatcher wants the present. @param {RTCRtpReceiver} receiver */
export function showAtOnce(receiver) {
  if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
  else if ("playoutDelayHint" in receiver) Reflect.set(receiver, "playoutDelayHint", 0);
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
