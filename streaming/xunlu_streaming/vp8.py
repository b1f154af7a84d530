"""The VP8 payload descriptor (RFC 7741 §4.2)."""

from typing import NamedTuple

View = bytes | bytearray | memoryview


class Descriptor(NamedTuple):
    """What comes before the VP8 data in every packet.

    Attributes:
        length: its bytes.
        starts: whether the first partition of a picture begins behind it.
        picture_id: of 7 or 15 bits; None without.
        picture_id_at: where the picture id begins; 0 without.
        wide: whether the picture id has 15 bits.
        tl0picidx: running number of pictures of the lowest temporal layer, 8 bits; None without.
        tl0picidx_at: where it lies; 0 without.
        tid: temporal layer, 0 to 3; None without.
        keyidx: running number of key pictures, 5 bits; None without.
    """

    length: int
    starts: bool
    picture_id: int | None = None
    picture_id_at: int = 0
    wide: bool = False
    tl0picidx: int | None = None
    tl0picidx_at: int = 0
    tid: int | None = None
    keyidx: int | None = None


def descriptor(payload: View) -> Descriptor | None:
    """Read the descriptor of an RTP payload; None when the payload ends inside it."""
    try:
        return _descriptor(payload)
    except IndexError:
        return None


def _descriptor(payload: View) -> Descriptor:
    first = payload[0]
    starts = first & 0x17 == 0x10
    if not first & 0x80:
        return Descriptor(1, starts)
    flags, at = payload[1], 2
    picture_id = tl0picidx = tid = keyidx = None
    picture_id_at = tl0picidx_at = 0
    wide = False
    if flags & 0x80:
        picture_id_at, picture_id, wide = at, payload[at] & 0x7F, payload[at] >= 0x80
        if wide:
            picture_id = picture_id << 8 | payload[at + 1]
        at += 1 + wide
    if flags & 0x40:
        tl0picidx_at, tl0picidx = at, payload[at]
        at += 1
    if flags & 0x30:
        # One byte for both; each counts only with its own flag.
        tid = payload[at] >> 6 if flags & 0x20 else None
        keyidx = payload[at] & 0x1F if flags & 0x10 else None
        at += 1
    return Descriptor(at, starts, picture_id, picture_id_at, wide, tl0picidx, tl0picidx_at, tid, keyidx)


def rewrite(payload: bytearray | memoryview, picture_id: int, tl0picidx: int) -> None:
    """Write other running numbers, in place: after a switch of layers they go on where the old layer stopped.

    Args:
        payload: RTP payload; a field that it lacks is left out, a malformed one stays as it is.
        picture_id: its lower 15 bits are written, or 7 where the field has no more.
        tl0picidx: its lower 8 bits are written.
    """
    now = descriptor(payload)
    if now is None:
        return
    if now.picture_id is not None:
        if now.wide:
            payload[now.picture_id_at] = 0x80 | picture_id >> 8 & 0x7F
            payload[now.picture_id_at + 1] = picture_id & 0xFF
        else:
            payload[now.picture_id_at] = picture_id & 0x7F
    if now.tl0picidx is not None:
        payload[now.tl0picidx_at] = tl0picidx & 0xFF
