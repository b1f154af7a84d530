"""Opus packets to an Ogg file (RFC 3533, RFC 7845), without a codec.

Every page is whole: a file that ends after any of them plays up to there.
"""

import struct
import zlib
from collections.abc import Mapping

from xunlu_streaming.record.opus import frame_us

CLOCK_HZ = 48_000
"""Of granule positions, whatever the sound was sampled with (RFC 7845 §4)."""
PRE_SKIP = 312
"""Samples by which libopus and with it every browser delays sound: what a player leaves out at the beginning."""
PAGE_SAMPLES_MAX = 2 * CLOCK_HZ
SEGMENTS_MAX = 255
BEGINS, ENDS = 0x02, 0x04
NO_PACKET_ENDS = (1 << 64) - 1
"""Granule position of a page without the end of a packet (RFC 3533 §6)."""

_PAGE = struct.Struct("<4sBBQIII")
_HEAD = struct.Struct("<8sBBHIhB")
_SHORTEST = CLOCK_HZ // 400
"""2.5 ms, the shortest frame and the unit of every other."""
_SILENCE_MAX = CLOCK_HZ * 120 // 1000
_CELT_SHORTEST = 28 << 3
"""Configuration of full-band frames of 2.5 ms (RFC 6716 §3.1, table 2)."""
_CONFIGURATION, _STEREO, _CODE_3 = 0xF8, 0x04, 3
_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def checksum(page: bytes) -> bytes:
    """CRC of a page whose own field is zero, as it stands in that field (RFC 3533 §6).

    Ogg has the polynomial of zlib, but takes the highest bit first and neither begins nor ends with ones.
    """
    mirrored = zlib.crc32(page.translate(_MIRROR), 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return mirrored.to_bytes(4).translate(_MIRROR)


class OggOpus:
    """One stream, page by page.

    Attributes:
        position: samples so far, at 48 kHz: where the next packet belongs at the earliest.
    """

    def __init__(self, serial: int, comments: Mapping[str, str]) -> None:
        """Describe the file; its header comes with the first page.

        Args:
            serial: any 32 bits.
            comments: by field name (RFC 7845 §5.2), less than 60,000 bytes.
        """
        self.position = 0
        self._serial = serial
        self._comments = comments
        self._pages = 0
        self._toc = 0
        self._packets: list[bytes] = []
        self._segments = 0
        self._page_from = 0

    def put(self, at: int, packet: bytes, lasts: int) -> bytes:
        """Add a packet. What is missing before it becomes silence of the same length.

        A granule position may only count samples that are there, so a gap is filled with frames of no length, which
        ask the player for its concealment (RFC 7845 §4.1).

        Args:
            at: samples since the beginning, at 48 kHz; one that is earlier than `position` follows right there.
            packet: of Opus, not empty, below 60,000 bytes.
            lasts: its samples.

        Returns:
            What is to be written now: nothing, or whole pages.
        """
        out = b"" if self._pages else self._header(packet)
        while (missing := at - self.position) >= _SHORTEST:
            silence, samples = self._silence(missing)
            out += self._add(silence, samples)
        self._toc = packet[0]
        return out + self._add(packet, lasts)

    def flush(self) -> bytes:
        """What waits for its page to be full, as a page."""
        return self._page() if self._packets else b""

    def close(self) -> bytes:
        """End the file; gives its last bytes."""
        return self._page(ENDS) if self._pages else b""

    # -- packets ------------------------------------------------------------------------------------------------------

    def _silence(self, samples: int) -> tuple[bytes, int]:
        """A packet that says nothing for at most so long, in frames like the last ones if they are not too long."""
        toc = self._toc & (_CONFIGURATION | _STEREO)
        frame = frame_us(toc) * CLOCK_HZ // 1_000_000
        if frame > samples:
            toc, frame = _CELT_SHORTEST | toc & _STEREO, _SHORTEST
        frames = min(samples, _SILENCE_MAX) // frame
        return bytes((toc | _CODE_3, frames)), frames * frame

    def _add(self, packet: bytes, lasts: int) -> bytes:
        segments = len(packet) // 255 + 1
        full = self._segments + segments > SEGMENTS_MAX or self.position + lasts - self._page_from > PAGE_SAMPLES_MAX
        out = self.flush() if full else b""
        self._packets.append(packet)
        self._segments += segments
        self.position += lasts
        return out

    # -- pages --------------------------------------------------------------------------------------------------------

    def _header(self, packet: bytes) -> bytes:
        """Identification and comments, each on a page of its own (RFC 7845 §3)."""
        channels = 2 if packet[0] & _STEREO else 1
        fields = [f"{name}={value}".encode() for name, value in self._comments.items()]
        comments = b"".join(_counted(field) for field in fields)
        head = _HEAD.pack(b"OpusHead", 1, channels, PRE_SKIP, CLOCK_HZ, 0, 0)
        tags = b"OpusTags" + _counted(b"xunlu") + len(fields).to_bytes(4, "little") + comments
        out = b""
        for flags, one in ((BEGINS, head), (0, tags)):
            self._packets.append(one)
            out += self._page(flags)
        return out

    def _page(self, flags: int = 0) -> bytes:
        granule = self.position if self._packets else NO_PACKET_ENDS
        lacing = b"".join(b"\xff" * (len(one) // 255) + bytes((len(one) % 255,)) for one in self._packets)
        head = _PAGE.pack(b"OggS", 0, flags, granule, self._serial, self._pages, 0)
        page = head + bytes((len(lacing),)) + lacing + b"".join(self._packets)
        self._pages += 1
        self._packets.clear()
        self._segments, self._page_from = 0, self.position
        end = _PAGE.size
        return page[: end - 4] + checksum(page) + page[end:]


def _counted(data: bytes) -> bytes:
    return len(data).to_bytes(4, "little") + data
