"""One track of a publication: from RTP packets to units with their place in time."""

from collections.abc import Sequence

from xunlu_streaming.record.h264 import H264
from xunlu_streaming.record.opus import Opus
from xunlu_streaming.record.reorder import Ordered, Reorder
from xunlu_streaming.record.rtp import parse
from xunlu_streaming.record.timeline import Timeline
from xunlu_streaming.record.unit import Depacketiser, Unit
from xunlu_streaming.record.vp8 import Vp8
from xunlu_streaming.tap_messages import TapTrack


def depacketiser(described: TapTrack) -> Depacketiser | None:
    """What takes a codec's packets apart; None for a codec that is not recorded."""
    match described.kind, described.codec.upper():
        case "video", "H264":
            return H264(described.fmtp)
        case "video", "VP8":
            return Vp8()
        case "audio", "OPUS":
            return Opus()
        case _:
            return None


class Track:
    """A track.

    Attributes:
        timeline: of its RTP times.
        depacketiser: of its codec.
        reorder: of its packets.
        malformed: packets that are no RTP; those of other payload types are left out uncounted.
    """

    def __init__(self, clock_hz: int, payload_type: int | None, depacketiser: Depacketiser) -> None:
        """Begin.

        Args:
            clock_hz: of its RTP times.
            payload_type: of its packets; None takes all.
            depacketiser: of its codec.
        """
        self.timeline = Timeline(clock_hz)
        self.depacketiser = depacketiser
        self.reorder = Reorder()
        self.malformed = 0
        self._payload_type = payload_type

    def take(self, data: bytes, at: int, arrival_us: int) -> Sequence[tuple[int, Unit]]:
        """Take a packet as it arrived.

        Args:
            data: holds the packet.
            at: where it begins.
            arrival_us: UTC microseconds when the relay received it.

        Returns:
            UTC microseconds and unit of what is complete now.
        """
        packet = parse(data, at)
        if packet is None:
            self.malformed += 1
            return ()
        if self._payload_type not in (None, packet.payload_type):
            return ()
        if self.reorder.passes(packet):
            units = self.depacketiser.take(packet, False)
            return self._placed(units, arrival_us) if units else ()
        return self._units(self.reorder.put(packet, arrival_us))

    def flush(self) -> Sequence[tuple[int, Unit]]:
        """What waited for packets that will not come."""
        return self._units(self.reorder.flush())

    def _units(self, turn: Sequence[Ordered]) -> Sequence[tuple[int, Unit]]:
        return [
            placed
            for packet, arrival_us, lost in turn
            for placed in self._placed(self.depacketiser.take(packet, lost), arrival_us)
        ]

    def _placed(self, units: Sequence[Unit], arrival_us: int) -> Sequence[tuple[int, Unit]]:
        return [(self.timeline.utc_us(unit.stamp, arrival_us), unit) for unit in units]
