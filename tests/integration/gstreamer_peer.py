"""GStreamer's webrtcbin as a WHIP or WHEP client, for the system's Python: offer on stdout, answer from stdin.

After the answer a line for every frame that came out of the depayloader, so that a reader counts them. Ends with stdin.
"""

import sys
import threading
from typing import Any

import gi  # type: ignore[import-not-found]  # a package of the system, not of the project

for name in ("Gst", "GstWebRTC", "GstSdp"):
    gi.require_version(name, "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # type: ignore[import-not-found]  # noqa: E402

Gst.init(None)

PUBLISHER = (
    "webrtcbin name=peer bundle-policy=max-bundle "
    "videotestsrc is-live=true ! video/x-raw,width=320,height=180,framerate=10/1 "
    "! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=20 ! video/x-h264,profile=constrained-baseline "
    "! rtph264pay config-interval=-1 aggregate-mode=zero-latency "
    "! application/x-rtp,media=video,encoding-name=H264,payload=96 ! peer. "
    "audiotestsrc is-live=true ! opusenc ! rtpopuspay ! application/x-rtp,media=audio,encoding-name=OPUS,payload=97 "
    "! peer."
)
WANTED = (
    "application/x-rtp,media=video,encoding-name=H264,payload=96,clock-rate=90000,packetization-mode=(string)1",
    "application/x-rtp,media=audio,encoding-name=OPUS,payload=97,clock-rate=48000,encoding-params=(string)2",
)


class Peer:
    """One webrtcbin and its pipeline."""

    def __init__(self, role: str) -> None:
        self.loop = GLib.MainLoop()
        if role == "publish":
            self.pipeline = Gst.parse_launch(PUBLISHER)
            self.peer = self.pipeline.get_by_name("peer")
        else:
            self.pipeline = Gst.Pipeline.new("viewer")
            self.peer = Gst.ElementFactory.make("webrtcbin", "peer")
            self.peer.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
            self.pipeline.add(self.peer)
            for caps in WANTED:
                direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
                self.peer.emit("add-transceiver", direction, Gst.Caps.from_string(caps))
        self.peer.connect("notify::ice-gathering-state", self._gathered)
        self.peer.connect("pad-added", self._arrived)

    def run(self, role: str) -> None:
        if role == "publish":
            for number in range(2):
                sender = self.peer.emit("get-transceiver", number)
                sender.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
                sender.set_property("do-nack", True)
            self.peer.connect("on-negotiation-needed", lambda *_: self._offer())
        self.pipeline.set_state(Gst.State.PLAYING)
        if role == "play":
            self._offer()
        threading.Thread(target=self._read, daemon=True).start()
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)

    def _offer(self) -> None:
        self.peer.emit("create-offer", None, Gst.Promise.new_with_change_func(self._offered))

    def _offered(self, promise: Any, *_: object) -> None:
        # The reply owns the offer.
        reply = promise.get_reply()
        self.peer.emit("set-local-description", reply.get_value("offer"), Gst.Promise.new())

    def _gathered(self, *_: object) -> None:
        if self.peer.get_property("ice-gathering-state").value_nick == "complete":
            say(self.peer.get_property("local-description").sdp.as_text() + "END")

    def _read(self) -> None:
        lines: list[str] = []
        for line in sys.stdin:
            if line.strip() == "END":
                _, message = GstSdp.SDPMessage.new_from_text("\r\n".join(lines) + "\r\n")
                answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
                self.peer.emit("set-remote-description", answer, Gst.Promise.new())
            lines.append(line.strip())
        self.loop.quit()

    def _arrived(self, _peer: object, pad: Any) -> None:
        if pad.direction != Gst.PadDirection.SRC:
            return
        media = pad.get_current_caps().get_structure(0).get_string("media")
        depay = "rtph264depay ! video/x-h264,alignment=au" if media == "video" else "rtpopusdepay"
        out = Gst.parse_bin_from_description(
            f"{depay} ! fakesink name=out sync=false signal-handoffs=true", ghost_unlinked_pads=True
        )
        out.get_by_name("out").connect("handoff", lambda *_: say(media))
        self.pipeline.add(out)
        out.sync_state_with_parent()
        pad.link(out.get_static_pad("sink"))


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    Peer(sys.argv[1]).run(sys.argv[1])
