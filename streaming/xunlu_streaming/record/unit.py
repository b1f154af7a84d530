"""What comes out of a depacketiser: a picture or a stretch of sound, as a decoder takes it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from xunlu_streaming.record.rtp import Packet

UNIT_BYTES_MAX = 4 * 1024 * 1024
"""A larger picture is none."""


class Format(NamedTuple):
    """What a file's header says of a track; a change of it needs a new file.

    Attributes:
        codec: as SDP spells it.
        width: pixels; 0 for sound.
        height: pixels; 0 for sound.
        parameters: of H.264 the sequence parameter sets in Annex B form.
    """

    codec: str
    width: int = 0
    height: int = 0
    parameters: bytes = b""


class Unit(NamedTuple):
    """A picture (access unit, frame), or an audio packet.

    Attributes:
        stamp: RTP time, 32 bits.
        data: H.264 in Annex B form, VP8 and Opus as they are.
        keyframe: whether decoding can begin here; always of sound.
        format: of the track from here on.
        after_loss: whether something between the last unit and this one is missing.
        duration_us: how long it lasts; 0 when that shows only by the next one.
    """

    stamp: int
    data: bytes
    keyframe: bool
    format: Format
    after_loss: bool
    duration_us: int = 0


class Depacketiser(Protocol):
    """Makes units of one track's packets in order.

    Attributes:
        malformed: packets that made no sense.
        undecodable: packets left out, because what they refer to is missing.
        needs_keyframe: whether nothing can come before the next keyframe.
    """

    malformed: int
    undecodable: int
    needs_keyframe: bool

    def take(self, packet: Packet, lost: bool) -> Sequence[Unit]:
        """Take the next packet.

        Args:
            packet: any bytes.
            lost: whether packets before it are missing.

        Returns:
            What it completes, mostly nothing.
        """
        ...
