"""A viewer: one WHEP session."""

import time
from collections.abc import Mapping, Sequence

from xunlu_protocol.media import MediaClaims, Viewing
from xunlu_streaming import rtcp
from xunlu_streaming.allowance import Allowance
from xunlu_streaming.errors import RtcpError
from xunlu_streaming.fanout import Stage
from xunlu_streaming.layer import HEADER, Kind, Layer, Track, payload_offset
from xunlu_streaming.negotiation import AcceptedViewer
from xunlu_streaming.path import Path
from xunlu_streaming.peer import Peer
from xunlu_streaming.shape import Shape
from xunlu_streaming.switch import Switch
from xunlu_streaming.tally import Sent, Tally

REPAIRS_PER_S = 600
"""Packets sent again for one viewer in a second: a viewer on a dead link gets no second stream."""


class Viewer:
    """Somebody who watches.

    Attributes:
        id: of the session.
        claims: of its token; `jti` is the viewing.
        path: that it watches.
        peer: its session below.
        shape: how it wants packets.
        switch: chooses its layer; None as long as no publication had several. Its numbers then are its own for good.
        began_ms: UTC milliseconds of its first packet; 0 before.
        loss_percent: of its last receiver report.
        repaired: packets sent again.
    """

    def __init__(
        self, id_: str, claims: MediaClaims, path: Path, peer: Peer, accepted: AcceptedViewer, stage: Stage
    ) -> None:
        self.id = id_
        self.claims = claims
        self.path = path
        self.peer = peer
        self.shape = Shape()
        self.switch: Switch | None = None
        self.began_ms = 0
        self.loss_percent = 0.0
        self.repaired = 0
        self._accepted = accepted
        self._stage = stage
        self._repair_number = 0
        self._allowance = Allowance(REPAIRS_PER_S)
        self._tally = Tally()
        self._plain: Layer | None = None
        self._end: tuple[int, str] | None = None

    # -- life ---------------------------------------------------------------------------------------------------------

    def connected(self) -> None:
        """The keys are there."""
        self.path.ready(self, time.monotonic())

    def began(self, begun: Mapping[Layer, Sequence[bytes]]) -> None:
        """Its first packets have gone out: these."""
        self.began_ms = self.began_ms or time.time_ns() // 1_000_000
        for track in self.path.tracks.values():
            if self.switch is None or track.kind == "audio":
                layer = track.layer()
                self._tally.begin(layer, begun.get(layer, ()))
                self._plain = layer if track.kind == "video" else self._plain

    def paused(self) -> None:
        """It waits for the keyframe of another publication."""
        self._tally.end()

    def ended(self, why: str) -> None:
        """The peer is gone."""
        self._end = time.time_ns() // 1_000_000, why
        self._tally.end()
        self.path.leave(self)
        ssrcs = [track.ssrc for track in self.path.tracks.values()]
        self.peer.send_reports(rtcp.receiver_report(ssrcs[0], ()) + rtcp.bye(ssrcs))

    def dress(self) -> None:
        """Find the shape for the path's publication, which may be another one than before."""
        publisher = self.path.publisher
        if publisher is None:
            return
        types: list[tuple[int, int | None]] = [
            (payload_type, self._accepted.payload_types.get(codec))
            for payload_type, codec in publisher.payload_types.items()
        ]
        ids = [(number, self._accepted.extensions.get(uri)) for uri, number in publisher.passed_extensions.items()]
        self.shape = Shape.between(types, ids)
        if publisher.simulcast and self.switch is None:
            self.switch = Switch(self.path.tracks["video"], self._plain)

    # -- what it sends ------------------------------------------------------------------------------------------------

    def packet(self, packet: bytes, now_s: float) -> None:
        """A viewer sends no media; what it sends goes nowhere."""

    def flush(self) -> None:
        """Nothing waits."""

    def reports(self, data: bytes, now_s: float) -> None:
        """Its feedback (RFC 4585)."""
        try:
            packets = rtcp.parse(data)
        except RtcpError:
            self.peer.refused["rejected"] += 1
            return
        for packet in packets:
            match packet:
                case rtcp.Nack():
                    self._repair(packet, now_s)
                case rtcp.Pli() | rtcp.Fir():
                    if self.path.publisher is not None:
                        self.path.publisher.request_keyframe(now_s)
                case rtcp.ReceiverReport():
                    self.loss_percent = max((block.fraction for block in packet.blocks), default=0) * 100 / 256
                case rtcp.Remb() if self.switch is not None:
                    self.switch.bitrate_bps = packet.bitrate_bps
                case _:
                    pass

    def _repair(self, nack: rtcp.Nack, now_s: float) -> None:
        """Send again what it misses, from the path's ring: nothing is kept for a single viewer."""
        track = next((one for one in self.path.tracks.values() if one.ssrc == nack.media), None)
        if track is None:
            return
        allowed = self._allowance.take(now_s, len(nack.sequences))
        if allowed < len(nack.sequences):
            self.peer.refused["repairs"] += len(nack.sequences) - allowed
        found = (self._find(track, seq) for seq in nack.sequences[:allowed])
        repairs = [packet for packet in found if packet is not None]
        self.repaired += len(repairs)
        dressed = self.shape.dress(repairs)
        repair_type = self._accepted.repair_types.get(track.codec)
        if repair_type is not None:
            dressed = [self._as_repair(packet, track, repair_type) for packet in dressed]
        self._stage.send(dressed, (self.peer,))

    def _find(self, track: Track, seq: int) -> bytes | None:
        if self.switch is not None and track.kind == "video":
            return self.switch.find(seq)
        layer = track.layer()
        # The newest number with these 16 bits that has been given out.
        number = layer.highest - ((layer.highest - seq) & 0xFFFF)
        return layer.ring.get(number)

    def _as_repair(self, packet: bytes, track: Track, payload_type: int) -> bytes:
        """RFC 4588 §4: a stream of its own, the original sequence number in front of the payload."""
        first, second, seq, stamp, _ = HEADER.unpack_from(packet)
        self._repair_number = (self._repair_number + 1) & 0xFFFF
        header = HEADER.pack(first, second & 0x80 | payload_type, self._repair_number, stamp, track.repair_ssrc)
        body = payload_offset(packet)
        return bytes(header + packet[12:body] + seq.to_bytes(2) + packet[body:])

    # -- what it is told ----------------------------------------------------------------------------------------------

    def send_report(self, layer: Layer, ntp: int, stamp: int) -> None:
        """A sender report for one of its streams."""
        if self.switch is not None and layer.track.kind == "video":
            translated = self.switch.translate(layer, stamp)
            if translated is None:
                return
            stamp = translated
        sent = self.sent.get(layer.track.kind, Sent())
        report = rtcp.sender_report(layer.track.ssrc, ntp, stamp, sent.packets, sent.octets)
        self.peer.send_reports(report + rtcp.sdes(layer.track.ssrc, self.path.name))

    @property
    def sent(self) -> Mapping[Kind, Sent]:
        """Of each track, repairs apart."""
        sent = dict(self._tally.sent)
        if self.switch is not None:
            sent["video"] = self.switch.sent.plus(sent.get("video", Sent()))
        return sent

    @property
    def viewing(self) -> Viewing | None:
        """For the audit; None before the first picture."""
        if not self.began_ms:
            return None
        sent = sum(one.octets for one in self.sent.values())
        to_ms, why = self._end or (None, None)
        return Viewing(
            id=self.claims.jti, did=self.path.name, from_ms=self.began_ms, to_ms=to_ms, sent_bytes=sent, why=why
        )
