"""Where a decoder can begin: H.264 (RFC 6184) and VP8 (RFC 7741, RFC 6386) by their first bytes."""

from collections.abc import Iterator
from typing import Literal

from xunlu_streaming import vp8
from xunlu_streaming.sps import Size, read_size

Codec = Literal["H264", "VP8"]
View = bytes | bytearray | memoryview

IDR, SPS = 5, 7
STAP_A, FU_A = 24, 28


def starts_keyframe(codec: Codec, payload: View) -> bool:
    """Whether a keyframe begins with this packet.

    Of H.264 the parameter sets before the IDR picture count already, so several packets of one keyframe may say so;
    they have the same timestamp.

    Args:
        codec: of the stream.
        payload: of an RTP packet; anything malformed begins nothing.
    """
    if not payload:
        return False
    if codec == "VP8":
        return _starts_vp8(payload)
    kind = payload[0] & 0x1F
    if kind in (IDR, SPS):
        return True
    if kind == FU_A:
        return len(payload) > 1 and payload[1] & 0x9F in (0x80 | IDR, 0x80 | SPS)
    return kind == STAP_A and any(unit[0] & 0x1F in (IDR, SPS) for unit in _units(payload))


def _starts_vp8(payload: View) -> bool:
    # The first packet of the first partition, which holds the frame header (RFC 7741 §4.2, §4.3).
    if payload[0] & 0x17 != 0x10:
        return False
    head = vp8.descriptor(payload)
    return head is not None and len(payload) > head.length and not payload[head.length] & 0x01


def picture_size(codec: Codec, payload: View) -> Size | None:
    """Width and height in pixels; None when this packet does not say.

    Args:
        codec: of the stream.
        payload: of an RTP packet.
    """
    if not payload:
        return None
    if codec == "VP8":
        return _vp8_size(payload) if _starts_vp8(payload) else None
    kind = payload[0] & 0x1F
    if kind == SPS:
        return read_size(payload)
    if kind != STAP_A:
        return None
    return next((read_size(unit) for unit in _units(payload) if unit[0] & 0x1F == SPS), None)


def _units(payload: View) -> Iterator[View]:
    """The NAL units of an aggregation packet (RFC 6184 §5.7.1), none of them empty."""
    at = 1
    while at + 2 < len(payload):
        end = at + 2 + (payload[at] << 8 | payload[at + 1])
        if end > len(payload) or end == at + 2:
            return
        yield payload[at + 2 : end]
        at = end


def _vp8_size(payload: View) -> Size | None:
    """RFC 6386 §9.1: behind the frame tag a start code, then 14 bits each, below two bits of scaling."""
    head = vp8.descriptor(payload)
    if head is None:
        return None
    frame = bytes(payload[head.length : head.length + 10])
    if len(frame) < 10 or frame[3:6] != b"\x9d\x01\x2a":
        return None
    width, height = (int.from_bytes(frame[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    return (width, height) if width and height else None
