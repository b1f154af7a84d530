"""The size of the picture in an H.264 sequence parameter set (ITU-T H.264 §7.3.2.1.1)."""

Size = tuple[int, int]

BYTES_MAX = 512
"""Read of one set: all that can come before the size."""
SIDE_MAX = 16_384
PROFILES_WITH_CHROMA = frozenset((100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135))


class _Bits:
    """Reads bits from the most significant on.

    Raises:
        ValueError: at the end, or at a code of more than 32 bits.
    """

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data)
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise ValueError
        return self._value >> self._left & (1 << count) - 1

    def unsigned(self) -> int:
        """Exp-Golomb ue(v), §9.1."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise ValueError
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """Exp-Golomb se(v), §9.1.1."""
        code = self.unsigned()
        return (code + 1) // 2 if code & 1 else -(code // 2)


def read_size(unit: bytes | bytearray | memoryview) -> Size | None:
    """Width and height in pixels after cropping; None when the set is malformed or larger than any screen.

    Args:
        unit: NAL unit of type 7 with its header byte.
    """
    # §7.4.1: a 3 after two zero bytes only keeps start codes out of the data.
    plain = bytes(unit[1:BYTES_MAX]).replace(b"\x00\x00\x03", b"\x00\x00")
    try:
        width, height = _size(_Bits(plain))
    except ValueError:
        return None
    return (width, height) if 0 < width <= SIDE_MAX and 0 < height <= SIDE_MAX else None


def _size(bits: _Bits) -> Size:
    profile = bits.take(8)
    bits.take(16)
    bits.unsigned()
    chroma, separate = _skip_chroma(bits) if profile in PROFILES_WITH_CHROMA else (1, False)
    bits.unsigned()
    _skip_order_count(bits)
    bits.unsigned()
    bits.take(1)
    width = 16 * (bits.unsigned() + 1)
    map_units = bits.unsigned() + 1
    frames_only = bits.take(1)
    if not frames_only:
        bits.take(1)
    bits.take(1)
    height = 16 * map_units * (2 - frames_only)
    if not bits.take(1):
        return width, height
    left, right, top, bottom = (bits.unsigned() for _ in range(4))
    # Table 6-1 and §7.4.2.1.1: cropping counts chroma samples, and pairs of lines where fields may be coded.
    across = 2 if chroma in (1, 2) and not separate else 1
    down = (2 if chroma == 1 and not separate else 1) * (2 - frames_only)
    return width - across * (left + right), height - down * (top + bottom)


def _skip_chroma(bits: _Bits) -> tuple[int, bool]:
    """What only the high profiles have; gives the chroma format, and whether its planes are coded apart."""
    chroma = bits.unsigned()
    separate = chroma == 3 and bits.take(1) == 1
    bits.unsigned()
    bits.unsigned()
    bits.take(1)
    if bits.take(1):
        for number in range(8 if chroma != 3 else 12):
            if bits.take(1):
                _skip_scaling_list(bits, 16 if number < 6 else 64)
    return chroma, separate


def _skip_scaling_list(bits: _Bits, length: int) -> None:
    """§7.3.2.1.1.1: after a next scale of zero nothing more is coded."""
    last = 8
    for _ in range(length):
        following = (last + bits.signed()) % 256
        if not following:
            return
        last = following


def _skip_order_count(bits: _Bits) -> None:
    kind = bits.unsigned()
    if kind == 0:
        bits.unsigned()
    elif kind == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        count = bits.unsigned()
        if count > 255:
            raise ValueError
        for _ in range(count):
            bits.signed()
