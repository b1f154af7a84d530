"""Letters of five by seven dots, enough for a device's name and a clock; a recorder has no fonts."""

DOTS_WIDE, DOTS_HIGH = 5, 7
CELL = DOTS_WIDE + 1

# Seven rows of five dots each, the leftmost dot is the highest bit.
_ROWS = {
    "0": "0E 11 13 15 19 11 0E", "1": "04 0C 04 04 04 04 0E", "2": "0E 11 01 02 04 08 1F", "3": "1F 02 04 02 01 11 0E",
    "4": "02 06 0A 12 1F 02 02", "5": "1F 10 1E 01 01 11 0E", "6": "06 08 10 1E 11 11 0E", "7": "1F 01 02 04 08 08 08",
    "8": "0E 11 11 0E 11 11 0E", "9": "0E 11 11 0F 01 02 0C", "A": "0E 11 11 11 1F 11 11", "B": "1E 11 11 1E 11 11 1E",
    "C": "0E 11 10 10 10 11 0E", "D": "1C 12 11 11 11 12 1C", "E": "1F 10 10 1E 10 10 1F", "F": "1F 10 10 1E 10 10 10",
    "G": "0E 11 10 17 11 11 0F", "H": "11 11 11 1F 11 11 11", "I": "0E 04 04 04 04 04 0E", "J": "07 02 02 02 02 12 0C",
    "K": "11 12 14 18 14 12 11", "L": "10 10 10 10 10 10 1F", "M": "11 1B 15 15 11 11 11", "N": "11 11 19 15 13 11 11",
    "O": "0E 11 11 11 11 11 0E", "P": "1E 11 11 1E 10 10 10", "Q": "0E 11 11 11 15 12 0D", "R": "1E 11 11 1E 14 12 11",
    "S": "0F 10 10 0E 01 01 1E", "T": "1F 04 04 04 04 04 04", "U": "11 11 11 11 11 11 0E", "V": "11 11 11 11 11 0A 04",
    "W": "11 11 11 15 15 15 0A", "X": "11 11 0A 04 0A 11 11", "Y": "11 11 11 0A 04 04 04", "Z": "1F 01 02 04 08 10 1F",
    "-": "00 00 00 1F 00 00 00", ":": "00 0C 0C 00 0C 0C 00", ".": "00 00 00 00 00 0C 0C", "_": "00 00 00 00 00 00 1F",
    " ": "00 00 00 00 00 00 00",
}  # fmt: skip
_UNKNOWN = "1F 11 11 11 11 11 1F"


def write(luma: bytearray, stride: int, at: tuple[int, int], text: str, scale: int, ink: tuple[int, int]) -> None:
    """Write a line of text on its own ground.

    Args:
        luma: plane of brightness, changed in place.
        stride: bytes from one line to the next.
        at: left and top, pixels; the caller sees to it that the text fits.
        text: letters without case; unknown ones become boxes.
        scale: pixels of one dot.
        ink: brightness of the dots and of the ground.
    """
    left, top = at
    on, off = (bytes([brightness]) * scale for brightness in ink)
    glyphs = [bytes.fromhex(_ROWS.get(letter, _UNKNOWN)) for letter in text.upper()]
    for row in range(DOTS_HIGH):
        line = b"".join(
            b"".join(on if glyph[row] >> (DOTS_WIDE - 1 - dot) & 1 else off for dot in range(DOTS_WIDE)) + off
            for glyph in glyphs
        )
        for y in range(top + row * scale, top + (row + 1) * scale):
            luma[y * stride + left : y * stride + left + len(line)] = line
