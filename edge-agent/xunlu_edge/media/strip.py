"""A clock in the picture that a machine can read: milliseconds as black and white blocks, with a check.

Two rows at the top of the picture carry 56 bits, most significant first: 48 bits of UTC milliseconds and their CRC-8.
The blocks grow with the picture, so that scaling and H.264 at 300 kbit/s leave them readable. Luma only: the planes of
any YUV 4:2:0 format begin with what is needed.
"""

COLUMNS = 28
ROWS = 2
TIME_BYTES = 6
BLACK, WHITE = 16, 235
THRESHOLD = (BLACK + WHITE) // 2
# Of 720 lines, 40 for each row of blocks.
ROW_SHARE = 18
CRC_INITIAL, CRC_POLYNOMIAL = 0xFF, 0x07


def row_height(height: int) -> int:
    """Lines of one row of blocks in a picture of `height` lines."""
    return height // ROW_SHARE


def paint(luma: bytearray, stride: int, width: int, height: int, utc_ms: int) -> None:
    """Write a time over the top of a picture.

    Args:
        luma: plane of brightness, changed in place.
        stride: bytes from one line to the next.
        width: of the picture, pixels, at least 28.
        height: lines, at least 18.
        utc_ms: UTC milliseconds, 0 to 2⁴⁸ - 1.
    """
    message = utc_ms.to_bytes(TIME_BYTES)
    bits = f"{int.from_bytes(message + bytes([_crc8(message)])):0{ROWS * COLUMNS}b}"
    lines = row_height(height)
    for row in range(ROWS):
        cells = bits[row * COLUMNS : (row + 1) * COLUMNS]
        line = b"".join(
            bytes([WHITE if bit == "1" else BLACK]) * (_edge(column + 1, width) - _edge(column, width))
            for column, bit in enumerate(cells)
        )
        for y in range(row * lines, (row + 1) * lines):
            luma[y * stride : y * stride + width] = line


def read(luma: bytes | memoryview, stride: int, width: int, height: int) -> int | None:
    """UTC milliseconds of a picture; None when it shows none or is damaged.

    Args:
        luma: plane of brightness.
        stride: bytes from one line to the next.
        width: of the picture, pixels.
        height: lines.
    """
    if width < COLUMNS or height < ROW_SHARE:
        return None
    lines = row_height(height)
    value = 0
    for row in range(ROWS):
        y = row * lines + lines // 2
        for column in range(COLUMNS):
            x = (_edge(column, width) + _edge(column + 1, width)) // 2
            value = value << 1 | (_brightness(luma, stride, x, y, lines) > THRESHOLD)
    message, check = (value >> 8).to_bytes(TIME_BYTES), value & 0xFF
    return int.from_bytes(message) if _crc8(message) == check else None


def _edge(column: int, width: int) -> int:
    """Where a column begins, pixels."""
    return column * width // COLUMNS


def _brightness(luma: bytes | memoryview, stride: int, x: int, y: int, lines: int) -> int:
    """Mean of a block's middle column: noise and ringing at its edges do not count."""
    reach = lines // 4
    samples = [luma[(y + dy) * stride + x] for dy in range(-reach, reach + 1)]
    return sum(samples) // len(samples)


def _crc8(message: bytes) -> int:
    """CRC-8 with polynomial x⁸+x²+x+1, begun with ones so that a black picture is no time."""
    crc = CRC_INITIAL
    for byte in message:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ (CRC_POLYNOMIAL if crc & 0x80 else 0)) & 0xFF
    return crc
