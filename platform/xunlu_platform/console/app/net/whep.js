/** Playing by WHEP (draft-ietf-wish-whep): the token lets a session of its path begin for a minute. */

import { RelaySession } from "./relay-session.js";

export class WhepSession extends RelaySession {
  media = new MediaStream();
  #whep;

  /** @param {import("../types").LiveGrant} grant */
  constructor({ whep, token }) {
    super(token);
    this.#whep = whep;
    for (const kind of ["video", "audio"]) {
      const { receiver } = this.peer.addTransceiver(kind, { direction: "recvonly" });
      showAtOnce(receiver);
      this.media.addTrack(receiver.track);
    }
  }

  /** Ask for the path; media comes when its publisher does. @throws {import("./http.js").Problem} */
  async play() {
    await this.open(this.#whep);
  }

  /** What the browser counted so far. */
  stats() {
    return this.peer.getStats();
  }
}

/** No buffer for smoothness: a dispatcher wants the present. @param {RTCRtpReceiver} receiver */
export function showAtOnce(receiver) {
  if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
  else if ("playoutDelayHint" in receiver) Reflect.set(receiver, "playoutDelayHint", 0);
}
