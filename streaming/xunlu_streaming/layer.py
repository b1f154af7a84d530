"""What a path gives out: one numbering for all viewers, the last packets, and the picture a new viewer starts with.

A layer outlives its publications: when a recorder comes back after an outage, sequence numbers and times go on where
they stopped, and no viewer has to be told.
"""

import secrets
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from xunlu_streaming import extensions
from xunlu_streaming.keyframes import picture_size, starts_keyframe
from xunlu_streaming.ring import Ring

Kind = Literal["video", "audio"]

HEADER = struct.Struct("!BBHII")
"""The fixed header (RFC 3550 §5.1)."""
VIDEO_PACKETS_KEPT = 1024
AUDIO_PACKETS_KEPT = 256
GROUP_AGE_MAX_S = 2.0
"""An older group of pictures is no start: it would show the past, and decoding it would cost more than a keyframe."""
GROUP_PACKETS_MAX = 900


class Outgoing(NamedTuple):
    """A packet as viewers get it.

    Attributes:
        layer: where it belongs.
        number: extended sequence number of the layer's numbering.
        packet: RTP in plain text, with the path's SSRC.
        keyframe: whether a keyframe begins here.
    """

    layer: "Layer"
    number: int
    packet: bytes
    keyframe: bool


@dataclass(slots=True)
class Track:
    """Video or audio of a path, as announced to viewers.

    Attributes:
        kind: which.
        ssrc: of every packet that viewers get.
        repair_ssrc: of every retransmission (RFC 4588).
        codec: of the publication; empty before the first.
        clock_hz: of its RTP time.
        payload_type: of the publication.
        layers: by RID; a publication without simulcast has one, with the RID "".
    """

    kind: Kind
    ssrc: int = field(default_factory=lambda: secrets.randbits(32))
    repair_ssrc: int = field(default_factory=lambda: secrets.randbits(32))
    codec: str = ""
    clock_hz: int = 90_000
    payload_type: int = 0
    layers: dict[str, "Layer"] = field(default_factory=dict)

    def layer(self, rid: str = "") -> "Layer":
        """A layer, made when it is first asked for."""
        if rid not in self.layers:
            self.layers[rid] = Layer(self, rid)
        return self.layers[rid]

    def begin(self, rids: Sequence[str], ids: Mapping[int, int | None]) -> None:
        """A publication begins with these layers; what it lacks is forgotten, so that names cannot pile up."""
        self.layers = {rid: layer for rid, layer in self.layers.items() if rid in rids}
        for rid in rids:
            self.layer(rid).begin(ids)


class Layer:
    """One encoding of a track.

    Attributes:
        track: it belongs to.
        rid: its name in simulcast (RFC 8851), else empty.
        ring: the last packets by number.
        highest: the newest number given out.
        last_time: its RTP time.
        last_s: monotonic seconds when it was given out; 0 before the first.
        packets: given out since the path began.
        octets: payload bytes given out, for sender reports.
        bitrate_bps: of the last second.
        frames: pictures given out.
        size: width and height of the last keyframe.
        report: the last pair of NTP time and RTP time (RFC 3550 §6.4.1), in our numbering.
    """

    def __init__(self, track: Track, rid: str) -> None:
        self.track = track
        self.rid = rid
        self.ring = Ring(VIDEO_PACKETS_KEPT if track.kind == "video" else AUDIO_PACKETS_KEPT)
        self.highest = secrets.randbits(13)
        self.packets = self.octets = self.frames = 0
        self.bitrate_bps = 0
        self._octets_before = 0
        self.size: tuple[int, int] | None = None
        self.report: tuple[int, int] | None = None
        self._fresh = True
        self._number_offset = 0
        self._time_offset = secrets.randbits(31)
        self.last_time = 0
        self.last_s = 0.0
        self._group_first: int | None = None
        self._group_time = 0
        self._group_s = 0.0
        self._ids: Mapping[int, int | None] = {}

    def begin(self, ids: Mapping[int, int | None]) -> None:
        """A publication begins.

        Args:
            ids: header extension ids of the publisher that are not for viewers, each mapped to None.
        """
        self._fresh = True
        self._ids = ids
        self._group_first = None
        self.report = None

    def give(self, number: int, data: bytes, now_s: float) -> Outgoing:
        """Take a publisher's packet into our numbering.

        Args:
            number: its extended sequence number.
            data: RTP in plain text; at least the fixed header is whole.
            now_s: monotonic seconds.
        """
        first, second, _, stamp, _ = HEADER.unpack_from(data)
        if self._fresh:
            self._continue_at(number, stamp, now_s)
        number += self._number_offset
        stamp = (stamp + self._time_offset) & 0xFFFF_FFFF
        packet = bytearray(data)
        HEADER.pack_into(packet, 0, first, second, number & 0xFFFF, stamp, self.track.ssrc)
        if first & 0x10 and self._ids:
            extensions.renumber(packet, self._ids)
        body = payload_offset(data)
        keyframe = self.track.kind == "video" and self._note_picture(number, stamp, memoryview(packet)[body:], now_s)
        if number > self.highest:
            self.frames += stamp != self.last_time
            self.highest, self.last_time, self.last_s = number, stamp, now_s
        self.packets += 1
        self.octets += len(packet) - body
        given = bytes(packet)
        self.ring.put(number, given)
        return Outgoing(self, number, given, keyframe)

    def _continue_at(self, number: int, stamp: int, now_s: float) -> None:
        """Number on from where the last publication stopped, with the time that has passed since."""
        self._fresh = False
        self._number_offset = self.highest + 1 - number
        if self.last_s:
            passed = max(1, round((now_s - self.last_s) * self.track.clock_hz))
            self._time_offset = (self.last_time + passed - stamp) & 0xFFFF_FFFF

    def _note_picture(self, number: int, stamp: int, payload: memoryview, now_s: float) -> bool:
        codec: Literal["H264", "VP8"] = "VP8" if self.track.codec == "VP8" else "H264"
        if not starts_keyframe(codec, payload):
            return False
        self.size = picture_size(codec, payload) or self.size
        if self._group_first is not None and stamp == self._group_time:
            return False
        self._group_first, self._group_time, self._group_s = number, stamp, now_s
        return True

    def tick(self, passed_s: float) -> None:
        """A second or so has passed."""
        self.bitrate_bps = round((self.octets - self._octets_before) * 8 / passed_s)
        self._octets_before = self.octets

    def translate_report(self, ntp: int, stamp: int) -> tuple[int, int] | None:
        """A sender report's times in our numbering; None before the first packet."""
        if self._fresh:
            return None
        self.report = (ntp, (stamp + self._time_offset) & 0xFFFF_FFFF)
        return self.report

    def group(self, now_s: float) -> list[bytes]:
        """The group of pictures that runs, from its keyframe to now; empty when it is no good start."""
        first = self._group_first
        if first is None or now_s - self._group_s > GROUP_AGE_MAX_S or self.highest - first > GROUP_PACKETS_MAX:
            return []
        return self.ring.between(first, self.highest)


def payload_offset(data: bytes | bytearray) -> int:
    """Where the payload begins: behind CSRCs and header extension (RFC 3550 §5.1, §5.3.1); the end when malformed."""
    at = 12 + 4 * (data[0] & 0x0F)
    if data[0] & 0x10:
        if len(data) < at + 4:
            return len(data)
        at += 4 + 4 * int.from_bytes(data[at + 2 : at + 4])
    return min(at, len(data))
