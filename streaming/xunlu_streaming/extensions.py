"""RTP header extensions, in place (RFC 8285)."""

from collections.abc import Iterator, Mapping

ONE_BYTE = 0xBEDE
"""§4.2: a nibble of id, a nibble of length."""
TWO_BYTE = 0x1000
"""§4.3: in the upper twelve bits; the lower four are the application's. A byte of id, a byte of length."""
ONE_BYTE_ID_MAX = 14

View = bytes | bytearray | memoryview


def read(packet: View, offset: int) -> Iterator[tuple[int, int, int]]:
    """The elements of a header extension: id, where the data begin in the packet, and their bytes.

    Ends at the first length that does not fit; of an extension that is longer than its packet there is nothing.

    Args:
        packet: RTP whose X bit is set.
        offset: where the extension begins: behind the CSRCs, `12 + 4 * CC`.
    """
    if len(packet) < offset + 4:
        return
    form = _form(packet, offset)
    end = offset + 4 + 4 * (packet[offset + 2] << 8 | packet[offset + 3])
    if end > len(packet):
        return
    if form == ONE_BYTE:
        yield from _read_one_byte(packet, offset + 4, end)
    elif form & 0xFFF0 == TWO_BYTE:
        yield from _read_two_byte(packet, offset + 4, end)


def _form(packet: View, offset: int) -> int:
    return packet[offset] << 8 | packet[offset + 1]


def _read_one_byte(packet: View, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    while at < end:
        head = packet[at]
        at += 1
        if head == 0:
            continue
        number, length = head >> 4, (head & 0x0F) + 1
        # 15 ends it, and so does padding that claims a length.
        if number in (0, 15) or at + length > end:
            return
        yield number, at, length
        at += length


def _read_two_byte(packet: View, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    while at < end:
        number = packet[at]
        at += 1
        if number == 0:
            continue
        if at >= end or at + 1 + packet[at] > end:
            return
        length = packet[at]
        yield number, at + 1, length
        at += 1 + length


def renumber(packet: bytearray | memoryview, ids: Mapping[int, int | None]) -> None:
    """Give the elements of a packet other ids, without changing its length.

    Args:
        packet: RTP; without an extension nothing happens.
        ids: old id → new one. None, and an id that the packet's form has no room for, turn the element into padding.
    """
    if not packet or not packet[0] & 0x10:
        return
    offset = 12 + 4 * (packet[0] & 0x0F)
    if len(packet) < offset + 4:
        return
    one_byte = _form(packet, offset) == ONE_BYTE
    for number, start, length in read(packet, offset):
        wanted = ids.get(number, number)
        if wanted == number:
            continue
        head = start - (1 if one_byte else 2)
        if wanted is None or not 0 < wanted <= (ONE_BYTE_ID_MAX if one_byte else 255):
            packet[head : start + length] = bytes(start + length - head)
        else:
            packet[head] = wanted << 4 | length - 1 if one_byte else wanted
