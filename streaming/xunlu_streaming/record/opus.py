"""Opus over RTP (RFC 7587): one packet, one unit."""

from collections.abc import Sequence

from xunlu_streaming.record.rtp import Packet
from xunlu_streaming.record.unit import Format, Unit

PACKET_US_MAX = 120_000
FORMAT = Format("opus")

# RFC 6716 §3.1, table 2: frame lengths in microseconds, by the upper five bits of the first byte.
_FRAME_US = (
    *(10_000, 20_000, 40_000, 60_000) * 3,
    *(10_000, 20_000) * 2,
    *(2_500, 5_000, 10_000, 20_000) * 4,
)


def frame_us(toc: int) -> int:
    """How long each frame of a packet lasts, by its table-of-contents byte."""
    return _FRAME_US[toc >> 3]


def duration_us(data: bytes) -> int | None:
    """How long a packet sounds (RFC 6716 §3.2); None when it is malformed.

    Args:
        data: with its table-of-contents byte.
    """
    code = data[0] & 3
    if code == 3:
        if len(data) < 2:
            return None
        frames = data[1] & 0x3F
    else:
        frames = 1 if code == 0 else 2
    total = frames * frame_us(data[0])
    return total if 0 < total <= PACKET_US_MAX else None


class Opus:
    """Depacketiser; see `unit.Depacketiser`. Losses need no keyframe: the next packet sounds by itself."""

    def __init__(self) -> None:
        self.malformed = 0
        self.undecodable = 0
        self.needs_keyframe = False

    def take(self, packet: Packet, lost: bool) -> Sequence[Unit]:
        """Take the next packet; see `unit.Depacketiser.take`."""
        lasts_us = duration_us(packet.payload)
        if lasts_us is None:
            self.malformed += 1
            return ()
        return (Unit(packet.stamp, packet.payload, True, FORMAT, lost, lasts_us),)
