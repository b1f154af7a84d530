"""A publisher: one WHIP session."""

import time
from collections.abc import Mapping

from xunlu_protocol.media import MediaClaims
from xunlu_streaming import extensions, rtcp
from xunlu_streaming.bandwidth import Estimator
from xunlu_streaming.errors import RtcpError
from xunlu_streaming.layer import HEADER, Kind, Outgoing, payload_offset
from xunlu_streaming.negotiation import (
    ABS_SEND_TIME,
    HOP_EXTENSIONS,
    REPAIRED_RID,
    RID,
    TRANSPORT_CC,
    AcceptedPublisher,
)
from xunlu_streaming.path import Path
from xunlu_streaming.peer import Peer
from xunlu_streaming.stream import Stream
from xunlu_streaming.transport_cc import Arrivals

PACKET_BYTES_MAX = 1472
"""What IPv4 carries over Ethernet without fragments, and then not even our tag: no honest encoder comes near."""
STREAMS_MAX = 16
"""SSRCs of one publisher: three layers of video with their repairs, audio, and some changes of mind."""
SOURCE_SILENCE_S = 1.0
"""A track has one source; another one takes its place after this silence, or when it has said goodbye."""
KEYFRAME_INTERVAL_S = 0.5
"""Between two requests: however many viewers ask, a 4G uplink carries no more keyframes than this."""
TRANSPORT_FEEDBACK_S = 0.05
RTT_S = 0.08
"""Until a repair has told better."""
RECEIVER_SSRC = 1
"""Ours in reports; we send no media to a publisher."""


class Publisher:
    """Who publishes.

    Attributes:
        id: of the session.
        claims: of its token.
        path: that it publishes.
        peer: its session below.
        connected_at_ms: UTC milliseconds when the keys were there; 0 before.
        rtt_s: from a request for repair to the repair.
    """

    def __init__(self, id_: str, claims: MediaClaims, path: Path, peer: Peer, accepted: AcceptedPublisher) -> None:
        self.id = id_
        self.claims = claims
        self.path = path
        self.peer = peer
        self.connected_at_ms = 0
        self.rtt_s = RTT_S
        self._accepted = accepted
        self._known = accepted.payload_types.keys() | accepted.repairs.keys()
        self._streams: dict[int, Stream] = {}
        self._repairs: dict[int, Stream] = {}
        self._burst: list[Outgoing] = []
        self._estimator = Estimator()
        self._arrivals = Arrivals()
        self._ids = {uri: accepted.extensions.get(uri) for uri in HOP_EXTENSIONS}
        self._blanked = {number: None for uri, number in accepted.extensions.items() if uri in HOP_EXTENSIONS}
        self._keyframe_asked_s = 0.0
        self._keyframe_wanted = False
        self._feedback_s = 0.0
        self._asked_s: dict[tuple[int, int], float] = {}

    # -- what viewers must know ---------------------------------------------------------------------------------------

    @property
    def payload_types(self) -> Mapping[int, str]:
        """Codec of each payload type, repairs left out."""
        return self._accepted.payload_types

    @property
    def passed_extensions(self) -> Mapping[str, int]:
        """Header extensions that go through to viewers: id by URI."""
        return {uri: number for uri, number in self._accepted.extensions.items() if uri not in HOP_EXTENSIONS}

    @property
    def simulcast(self) -> bool:
        """Whether it sends the same picture in several sizes."""
        return len(self._accepted.rids) > 1

    @property
    def kinds(self) -> frozenset[Kind]:
        """What it sends."""
        return self._accepted.kinds

    def parameters_of(self, payload_type: int) -> str:
        """Format parameters of a payload type, as in SDP (RFC 8866 §6.15)."""
        return self._accepted.parameters.get(payload_type, "")

    # -- life ---------------------------------------------------------------------------------------------------------

    def connected(self) -> None:
        """The keys are there: the path's publication begins, unless another one has meanwhile that is not to end."""
        if self.path.publisher is not None and self.path.exclusive:
            self.peer.close("busy")
            return
        self.connected_at_ms = time.time_ns() // 1_000_000
        for payload_type, codec in self.payload_types.items():
            kind = self._accepted.kinds_of[payload_type]
            track = self.path.tracks[kind]
            track.codec, track.clock_hz, track.payload_type = codec, self._accepted.clocks[payload_type], payload_type
            track.begin(self._accepted.rids if kind == "video" and self.simulcast else ("",), self._blanked)
        self.path.publish(self)
        self.request_keyframe(time.monotonic())

    def ended(self, why: str) -> None:
        """The peer is gone."""
        self.path.unpublish(self, why)

    # -- media --------------------------------------------------------------------------------------------------------

    def packet(self, packet: bytes, now_s: float) -> None:
        """Take an RTP packet into the burst that `flush` forwards."""
        _, second, seq, stamp, ssrc = HEADER.unpack_from(packet)
        payload_type = second & 0x7F
        if payload_type not in self._known or len(packet) > PACKET_BYTES_MAX:
            # A codec that was not agreed on, or more than fits on the way: nobody could use it.
            self.peer.refused["unknown"] += 1
            return
        self._note_arrival(packet, ssrc, now_s)
        if (original := self._accepted.repairs.get(payload_type)) is not None:
            self._repair(packet, ssrc, original, now_s)
            return
        stream = self._streams.get(ssrc) or self._learn(packet, ssrc, now_s)
        if stream is None or stream.layer.track.kind != self._accepted.kinds_of[payload_type]:
            self.peer.refused["unknown"] += 1
            return
        number = stream.take(seq, stamp, len(packet), now_s)
        if number is not None:
            self._burst.append(stream.layer.give(number, packet, now_s))

    def flush(self) -> None:
        """Forward what has arrived together."""
        burst, self._burst = self._burst, []
        if burst and self.path.publisher is self:
            self.path.forward(burst)

    def _note_arrival(self, packet: bytes, ssrc: int, now_s: float) -> None:
        """What the uplink's bandwidth is judged by: its own clock's numbers, or else the publisher's send times."""
        transport = self._ids[TRANSPORT_CC]
        if transport is None:
            value = self._element(packet, self._ids[ABS_SEND_TIME], 3)
            send_time = int.from_bytes(value) if value is not None else None
            self._estimator.received(int(now_s * 1000), send_time, len(packet), ssrc)
        elif (value := self._element(packet, transport, 2)) is not None:
            self._arrivals.received(int.from_bytes(value), int(now_s * 1e6))

    @staticmethod
    def _element(packet: bytes, wanted: int | None, size_min: int = 1) -> bytes | None:
        """The value of a header extension element."""
        if wanted is None or not packet[0] & 0x10:
            return None
        for number, start, size in extensions.read(packet, 12 + 4 * (packet[0] & 0x0F)):
            if number == wanted and size >= size_min:
                return packet[start : start + size]
        return None

    def _repair(self, packet: bytes, ssrc: int, original: int, now_s: float) -> None:
        """Take a packet of a repair stream (RFC 4588 §4): it may close a gap, and nothing else."""
        stream = self._repairs.get(ssrc) or self._learn_repair(packet, ssrc, original)
        if stream is None:
            self.peer.refused["unknown"] += 1
            return
        # RFC 3550 §5.1: the last byte counts the padding. Browsers probe a link with padding alone.
        body, end = payload_offset(packet), len(packet) - (packet[-1] if packet[0] & 0x20 else 0)
        if end < body + 2:
            return
        seq = int.from_bytes(packet[body : body + 2])
        number = stream.repair(seq, len(packet), now_s)
        if number is None:
            return
        self._note_repair(stream, seq, now_s)
        header = bytes((packet[0] & ~0x20, packet[1] & 0x80 | original)) + packet[body : body + 2] + packet[4:8]
        whole = header + stream.ssrc.to_bytes(4) + packet[12:body] + packet[body + 2 : end]
        self._burst.append(stream.layer.give(number, whole, now_s))

    # -- which SSRC is what -------------------------------------------------------------------------------------------

    def _learn(self, packet: bytes, ssrc: int, now_s: float) -> Stream | None:
        """A new SSRC: its payload type tells the track, its RID the layer (RFC 8852)."""
        kind = self._accepted.kinds_of[packet[1] & 0x7F]
        rid = ""
        if kind == "video" and self.simulcast:
            rid = self._text(packet, RID) or ""
            if rid not in self._accepted.rids:
                return None
        layer = self.path.tracks[kind].layer(rid)
        before = next((one for one in self._streams.values() if one.layer is layer), None)
        if before is not None:
            if now_s - before.heard_s < SOURCE_SILENCE_S:
                return None
            self._forget(before)
            layer.begin(self._blanked)
        if len(self._streams) + len(self._repairs) >= STREAMS_MAX:
            return None
        stream = self._streams[ssrc] = Stream(ssrc, layer)
        return stream

    def _forget(self, stream: Stream) -> None:
        del self._streams[stream.ssrc]
        self._repairs = {ssrc: one for ssrc, one in self._repairs.items() if one is not stream}

    def _learn_repair(self, packet: bytes, ssrc: int, original: int) -> Stream | None:
        if len(self._streams) + len(self._repairs) >= STREAMS_MAX:
            return None
        of = self._accepted.repair_of.get(ssrc)
        stream = self._streams.get(of) if of is not None else None
        if stream is None and self.simulcast:
            rid = self._text(packet, REPAIRED_RID)
            stream = next((one for one in self._streams.values() if one.layer.rid == rid), None)
        elif stream is None:
            kind = self._accepted.kinds_of[original]
            stream = next((one for one in self._streams.values() if one.layer.track.kind == kind), None)
        if stream is not None:
            self._repairs[ssrc] = stream
        return stream

    def _text(self, packet: bytes, uri: str) -> str | None:
        value = self._element(packet, self._accepted.extensions.get(uri))
        return None if value is None else value.decode("ascii", "replace")

    # -- feedback -----------------------------------------------------------------------------------------------------

    def reports(self, data: bytes, now_s: float) -> None:
        """Its sender reports and farewells (RFC 3550 §6.4.1, §6.6)."""
        try:
            packets = rtcp.parse(data)
        except RtcpError:
            self.peer.refused["rejected"] += 1
            return
        for packet in packets:
            match packet:
                case rtcp.SenderReport() if (stream := self._streams.get(packet.ssrc)) is not None:
                    stream.report_ntp, stream.report_s = packet.ntp, now_s
                    # What it counts goes out before it.
                    self.flush()
                    self.path.report(stream.layer, packet.ntp, packet.rtp)
                case rtcp.Bye():
                    for stream in self._streams.values():
                        # A browser says so of a layer that rests, too: it may speak again, but is not waited for.
                        stream.heard_s = 0.0 if stream.ssrc in packet.ssrcs else stream.heard_s
                case _:
                    pass

    def request_keyframe(self, now_s: float) -> None:
        """Ask for a keyframe (RFC 4585 §6.3.1), at most twice a second whoever asks; a request too early is kept."""
        if now_s - self._keyframe_asked_s < KEYFRAME_INTERVAL_S:
            self._keyframe_wanted = True
            return
        self._keyframe_wanted, self._keyframe_asked_s = False, now_s
        video = [one for one in self._streams.values() if one.layer.track.kind == "video"]
        ssrcs = [one.ssrc for one in video] or self._accepted.video_ssrcs
        for ssrc in ssrcs:
            self.peer.send_reports(rtcp.receiver_report(RECEIVER_SSRC, ()) + rtcp.pli(RECEIVER_SSRC, ssrc))

    def attend(self, now_s: float) -> None:
        """Every 10 ms: ask for what is missing, and say what arrived."""
        if self._keyframe_wanted and now_s - self._keyframe_asked_s >= KEYFRAME_INTERVAL_S:
            self.request_keyframe(now_s)
        for stream in self._streams.values():
            if stream.losses.open and (due := stream.losses.due(now_s, self.rtt_s)):
                for number in due:
                    self._asked_s[stream.ssrc, number & 0xFFFF] = now_s
                numbers = [number & 0xFFFF for number in due]
                self.peer.send_reports(
                    rtcp.receiver_report(RECEIVER_SSRC, ()) + rtcp.nack(RECEIVER_SSRC, stream.ssrc, numbers)
                )
        if self._ids[TRANSPORT_CC] and now_s - self._feedback_s >= TRANSPORT_FEEDBACK_S:
            self._feedback_s = now_s
            media = next(iter(self._streams), 0)
            while (feedback := self._arrivals.feedback(RECEIVER_SSRC, media)) is not None:
                self.peer.send_reports(feedback)

    def _note_repair(self, stream: Stream, seq: int, now_s: float) -> None:
        asked_s = self._asked_s.pop((stream.ssrc, seq), None)
        if asked_s is not None:
            self.rtt_s += (min(1.0, now_s - asked_s) - self.rtt_s) / 8

    def tick(self, now_s: float) -> None:
        """Every second: reports about what arrived, and what the uplink carries."""
        self._asked_s = {key: at for key, at in self._asked_s.items() if now_s - at < 2}
        if not self._streams:
            return
        blocks = [one.report_block(now_s) for one in self._streams.values()]
        fraction = max(block.fraction for block in blocks) / 256
        self._estimator.loss(fraction)
        report = rtcp.receiver_report(RECEIVER_SSRC, blocks) + rtcp.sdes(RECEIVER_SSRC, "xunlu")
        bitrate_bps = self._estimator.bitrate_bps
        if bitrate_bps is not None and not self._ids[TRANSPORT_CC]:
            video = [one.ssrc for one in self._streams.values() if one.layer.track.kind == "video"]
            report += rtcp.remb(RECEIVER_SSRC, bitrate_bps, video)
        self.peer.send_reports(report)

    @property
    def loss_percent(self) -> float:
        """Of all packets so far, those that never came."""
        expected = sum(one.expected for one in self._streams.values())
        lost = sum(one.losses.lost for one in self._streams.values())
        return 100 * lost / expected if expected else 0.0
