"""A viewer of a simulcast path: which layer it gets, and how its numbers stay whole across a change.

The exception to the path's one numbering: a viewer that changes layers needs numbers of its own. Nothing is kept for it
but where each layer began; retransmissions are read from the layers' rings through that.
"""

import struct
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from xunlu_streaming import layers, vp8
from xunlu_streaming.layer import Layer, Outgoing, Track, payload_offset
from xunlu_streaming.tally import Sent

STRETCHES_KEPT = 8
NUMBERS = struct.Struct("!HI")
"""Sequence number and time, the bytes 2–7 of a packet."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """From one change of layer to the next; offsets are added to the layer's own numbers."""

    layer: Layer
    first: int
    number_offset: int
    time_offset: int
    picture_offset: int
    base_offset: int


class Switch:
    """The chosen layer of one viewer.

    Attributes:
        bitrate_bps: what its downlink carries, as it says (REMB); None before it did.
        sent: of the track.
    """

    def __init__(self, track: Track, before: Layer | None = None) -> None:
        """Begin.

        Args:
            track: that is switched.
            before: what the viewer has got so far, in the layer's own numbers.
        """
        self.bitrate_bps: int | None = None
        self.sent = Sent()
        self._track = track
        self._stretches: deque[Stretch] = deque(maxlen=STRETCHES_KEPT)
        self._chooser = layers.Chooser()
        self._wanted: str | None = None
        self._last = 0
        self._last_time = 0
        self._last_s = 0.0
        self._last_picture = self._last_base = 0
        if before is not None:
            self._stretches.append(Stretch(before, 0, 0, 0, 0, 0))
            self._last, self._last_time, self._last_s = before.highest, before.last_time, before.last_s

    def choose(self, burst: Sequence[Outgoing]) -> list[bytes]:
        """What of a burst this viewer gets, renumbered; sound as it is."""
        given: list[bytes] = []
        pictures: list[bytes] = []
        for one in burst:
            if one.layer.track is not self._track:
                given.append(one.packet)
                continue
            if one.keyframe and self._wants(one.layer):
                self._change_to(one)
            if self._stretches and self._stretches[-1].layer is one.layer:
                stretch = self._stretches[-1]
                if one.number + stretch.number_offset >= stretch.first:
                    pictures.append(self._renumber(one.packet, one.number, stretch))
        self.sent = self.sent.plus(Sent.of(pictures))
        return given + pictures

    def decide(self, now_s: float, loss: float) -> bool:
        """Every second: choose the layer for what the downlink carries; whether a keyframe of it is needed.

        Args:
            now_s: monotonic seconds.
            loss: of the viewer's last report, 0 to 1.
        """
        current = self._stretches[-1].layer.rid if self._stretches else None
        offers = [
            layers.Offer(rid=one.rid, bitrate_bps=one.bitrate_bps, height=one.size[1] if one.size else 0)
            for one in self._track.layers.values()
        ]
        self._wanted = self._chooser.choose(offers, self.bitrate_bps, current, now_s, loss=loss)
        return current is not None and self._wanted != current

    def _wants(self, layer: Layer) -> bool:
        if not self._stretches:
            return True
        current = self._stretches[-1].layer
        if self._track.layers.get(current.rid) is not current:
            # It is of a publication that is over.
            return True
        return layer.rid == self._wanted and layer is not current

    def _change_to(self, one: Outgoing) -> None:
        """The next packet of this layer follows the last one of the other, in number, time and picture."""
        layer, now_s = one.layer, time.monotonic()
        _, stamp = NUMBERS.unpack_from(one.packet, 2)
        if not self._stretches:
            self._stretches.append(Stretch(layer, one.number, 0, 0, 0, 0))
            return
        first = self._last + 1
        passed = max(1, round((now_s - self._last_s) * self._track.clock_hz))
        aligned = self._aligned(layer)
        time_offset = self._last_time + passed - stamp
        if aligned is not None and 0 < (stamp + aligned - self._last_time) & 0xFFFF_FFFF < 0x8000_0000:
            # The same moment may have been shown already, in the layer before: time must go on all the same.
            time_offset = aligned
        found = self._picture_of(one.packet)
        picture, base = (found.picture_id or 0, found.tl0picidx or 0) if found is not None else (0, 0)
        self._stretches.append(
            Stretch(
                layer,
                first,
                first - one.number,
                time_offset & 0xFFFF_FFFF,
                self._last_picture + 1 - picture,
                self._last_base + 1 - base,
            )
        )

    def _aligned(self, layer: Layer) -> int | None:
        """Time offset by the sender reports of both layers; None while one of them is missing."""
        before = self._stretches[-1]
        if before.layer.report is None or layer.report is None:
            return None
        (ntp_before, stamp_before), (ntp, stamp) = before.layer.report, layer.report
        at_before = stamp + (ntp_before - ntp) * self._track.clock_hz // 2**32
        return stamp_before + before.time_offset - at_before

    def _renumber(self, packet: bytes, number: int, stretch: Stretch) -> bytes:
        changed = bytearray(packet)
        _, stamp = NUMBERS.unpack_from(packet, 2)
        out = number + stretch.number_offset
        stamp = (stamp + stretch.time_offset) & 0xFFFF_FFFF
        NUMBERS.pack_into(changed, 2, out & 0xFFFF, stamp)
        newest = out > self._last
        if newest:
            self._last, self._last_time, self._last_s = out, stamp, time.monotonic()
        if (found := self._picture_of(packet)) is not None:
            picture = ((found.picture_id or 0) + stretch.picture_offset) & 0x7FFF
            base = ((found.tl0picidx or 0) + stretch.base_offset) & 0xFF
            vp8.rewrite(memoryview(changed)[payload_offset(changed) :], picture, base)
            if newest:
                self._last_picture, self._last_base = picture, base
        return bytes(changed)

    def _picture_of(self, packet: bytes) -> vp8.Descriptor | None:
        if self._track.codec != "VP8":
            return None
        return vp8.descriptor(memoryview(packet)[payload_offset(packet) :])

    def find(self, seq: int) -> bytes | None:
        """A packet by the sequence number that this viewer knows, to be sent again."""
        out = self._last - ((self._last - seq) & 0xFFFF)
        stretch = next((one for one in reversed(self._stretches) if one.first <= out), None)
        if stretch is None:
            return None
        number = out - stretch.number_offset
        packet = stretch.layer.ring.get(number)
        return self._renumber(packet, number, stretch) if packet is not None else None

    def translate(self, layer: Layer, stamp: int) -> int | None:
        """RTP time of a sender report for this viewer; None when it is of a layer that it does not get."""
        if not self._stretches or self._stretches[-1].layer is not layer:
            return None
        return (stamp + self._stretches[-1].time_offset) & 0xFFFF_FFFF
