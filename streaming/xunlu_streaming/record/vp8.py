"""VP8 over RTP (RFC 7741) to frames."""

from collections.abc import Sequence

from xunlu_streaming.keyframes import picture_size
from xunlu_streaming.record.rtp import Packet
from xunlu_streaming.record.unit import UNIT_BYTES_MAX, Format, Unit
from xunlu_streaming.vp8 import descriptor


class Vp8:
    """Depacketiser; see `unit.Depacketiser`.

    After a loss everything up to the next whole keyframe is left out.
    """

    def __init__(self) -> None:
        self.malformed = 0
        self.undecodable = 0
        self.needs_keyframe = True
        self._format: Format | None = None
        self._lost = False
        self._begin(None)

    def _begin(self, stamp: int | None) -> None:
        self._stamp = stamp
        self._parts: list[bytes] = []
        self._size: tuple[int, int] | None = None
        self._bytes = 0
        self._broken = False

    def take(self, packet: Packet, lost: bool) -> Sequence[Unit]:
        """Take the next packet; see `unit.Depacketiser.take`."""
        if lost:
            self._begin(self._stamp)
            self.needs_keyframe = self._lost = True
        out: Sequence[Unit] = ()
        if packet.stamp != self._stamp:
            out = self._finish()
            self._begin(packet.stamp)
        self._take_payload(packet.payload)
        if packet.marker:
            out = (*out, *self._finish())
            self._begin(None)
        return out

    def _take_payload(self, payload: bytes) -> None:
        head = descriptor(payload)
        if head is None or head.length >= len(payload) or self._bytes > UNIT_BYTES_MAX:
            self.malformed += 1
            self._broken = True
        elif head.starts == bool(self._parts):
            # A frame without a beginning, or with two.
            self._broken = True
        else:
            if head.starts:
                self._size = picture_size("VP8", payload)
            self._parts.append(payload[head.length :])
            self._bytes += len(payload)

    def _finish(self) -> Sequence[Unit]:
        stamp = self._stamp
        if stamp is None:
            return ()
        data = b"".join(self._parts)
        # RFC 6386 §9.1: the lowest bit of a keyframe's tag is zero.
        keyframe = bool(data) and not data[0] & 1
        if keyframe and not self._broken:
            self._format = Format("VP8", *self._size) if self._size else None
        if self._broken or not data or (self.needs_keyframe and not keyframe) or self._format is None:
            self._lost = self._lost or not self.needs_keyframe
            self.needs_keyframe = True
            self.undecodable += 1
            return ()
        after_loss, self._lost, self.needs_keyframe = self._lost, False, False
        return (Unit(stamp, data, keyframe, self._format, after_loss),)
