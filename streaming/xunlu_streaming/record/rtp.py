"""RTP packets (RFC 3550 §5.1) as far as a recording needs them."""

import struct
from typing import NamedTuple

_HEADER = struct.Struct(">BBHII")


class Packet(NamedTuple):
    """What a depacketiser works with.

    Attributes:
        seq: 16 bits.
        stamp: RTP time, 32 bits.
        marker: of video, the last packet of a picture.
        ssrc: the source.
        payload_type: 7 bits.
        payload: without header extension and padding; never empty.
    """

    seq: int
    stamp: int
    marker: bool
    ssrc: int
    payload_type: int
    payload: bytes


def parse(data: bytes, at: int = 0) -> Packet | None:
    """Read a packet.

    Args:
        data: holds the packet.
        at: where it begins.

    Returns:
        None when it is malformed or has no payload, as a probe for bandwidth has none.
    """
    end = len(data)
    if end - at < 12:
        return None
    first, second, seq, stamp, ssrc = _HEADER.unpack_from(data, at)
    if first & 0xC0 != 0x80:
        return None
    begin = at + 12 + 4 * (first & 0x0F)
    if first & 0x10:
        if begin + 4 > end:
            return None
        begin += 4 + 4 * (data[begin + 2] << 8 | data[begin + 3])
    if first & 0x20:
        # The last byte counts the padding, itself included: a zero is as malformed as more than there is.
        end -= data[-1] or len(data)
    if begin >= end:
        return None
    return Packet(seq, stamp, second >= 0x80, ssrc, second & 0x7F, data[begin:end])
