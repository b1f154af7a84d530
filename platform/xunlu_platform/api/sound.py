"""What a browser recorded: Opus in WebM (MediaRecorder of Chromium and Safari) or in Ogg (Firefox), never decoded.

The length is the sum of what the packets themselves say (RFC 6716 §3.1), so that no header makes it shorter.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from xunlu_kit.errors import XunluError

MediaType = Literal["audio/webm", "audio/ogg"]

PACKET_MS_MAX = 120.0

# Matroska (RFC 9559 §5): masters are entered, so that their sizes, which a live recording does not know, do not matter.
_EBML = 0x1A45DFA3
_MASTERS = {0x18538067, 0x1F43B675, 0x1654AE6B, 0xAE, 0xA0}
_CODEC = 0x86
_BLOCKS = {0xA3, 0xA1}
_LACED = 0x06
_PAGE_HEADER = 27


class SoundError(XunluError):
    """These bytes are no Opus in WebM or Ogg."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sound:
    """What was found."""

    media_type: MediaType
    duration_s: float


def inspect(data: bytes) -> Sound:
    """Look into a recording.

    Raises:
        SoundError: it is damaged, of another kind, or silent from end to end.
    """
    try:
        if data.startswith(b"OggS"):
            packets = list(_ogg_packets(data))
            if len(packets) < 2 or not packets[0].startswith(b"OpusHead"):
                raise SoundError("The sound in this Ogg file is not Opus.")
            # RFC 7845 §3: header, comments, sound.
            return _sound("audio/ogg", packets[2:])
        return _sound("audio/webm", list(_webm_packets(data)))
    except IndexError as error:
        raise SoundError("The recording ends in the middle.") from error


def _sound(media_type: MediaType, packets: list[bytes]) -> Sound:
    duration_s = sum(map(_duration_ms, packets)) / 1000
    if not duration_s:
        raise SoundError("Nothing was recorded.")
    return Sound(media_type=media_type, duration_s=duration_s)


def _duration_ms(packet: bytes) -> float:
    """How long an Opus packet sounds (RFC 6716 §3.1)."""
    if not packet:
        return 0
    config, code = packet[0] >> 3, packet[0] & 3
    if config < 12:
        frame_ms = (10.0, 20.0, 40.0, 60.0)[config & 3]
    elif config < 16:
        frame_ms = (10.0, 20.0)[config & 1]
    else:
        frame_ms = (2.5, 5.0, 10.0, 20.0)[config & 3]
    count = packet[1] & 0x3F if code == 3 else (1, 2, 2)[code]
    if frame_ms * count > PACKET_MS_MAX:
        raise SoundError("A packet is longer than Opus allows.")
    return frame_ms * count


def _ogg_packets(data: bytes) -> Iterator[bytes]:
    """Packets of the one stream (RFC 3533 §6)."""
    position, serial, held = 0, None, b""
    while position < len(data):
        if data[position : position + 4] != b"OggS":
            raise SoundError("A page of this Ogg file is damaged.")
        own = data[position + 14 : position + 18]
        serial = own if serial is None else serial
        if own != serial:
            raise SoundError("This Ogg file holds more than one stream.")
        body = position + _PAGE_HEADER + data[position + 26]
        for size in data[position + _PAGE_HEADER : body]:
            held += data[body : body + size]
            body += size
            if size < 255:
                yield held
                held = b""
        if body > len(data):
            raise SoundError("The recording ends in the middle.")
        position = body


def _webm_packets(data: bytes) -> Iterator[bytes]:
    """Packets of the one track."""
    position, tracks = 0, 0
    while position < len(data):
        element, start = _number(data, position, keep_marker=True)
        size, body = _number(data, start, keep_marker=False)
        if position == 0 and element != _EBML:
            raise SoundError("This is neither WebM nor Ogg.")
        if element in _MASTERS:
            position = body
            continue
        position = body + size
        if position > len(data):
            raise SoundError("The recording ends in the middle.")
        if element == _CODEC:
            tracks += 1
            if tracks > 1 or data[body:position].rstrip(b"\0") != b"A_OPUS":
                raise SoundError("This WebM file holds something else than one track of Opus.")
        elif element in _BLOCKS:
            # Track number, time, flags (RFC 9559 §10.1).
            _, after_track = _number(data, body, keep_marker=False)
            if not tracks or data[after_track + 2] & _LACED:
                raise SoundError("The blocks of this WebM file are not those of a browser.")
            yield data[after_track + 3 : position]


def _number(data: bytes, position: int, *, keep_marker: bool) -> tuple[int, int]:
    """A variable-size integer (RFC 8794 §4), and where it ends."""
    length = 9 - data[position].bit_length()
    if length > 8:
        raise SoundError("This is no WebM file.")
    if position + length > len(data):
        raise SoundError("The recording ends in the middle.")
    value = int.from_bytes(data[position : position + length])
    return value if keep_marker else value & ((1 << 7 * length) - 1), position + length
