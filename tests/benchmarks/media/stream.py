"""What the publisher sends: real H.264 that any decoder takes, each frame exactly so many packets.

A frame's slices fill what they need; the rest are SEI messages (H.264 §7.3.2.3, user data), one a packet, where they
belong: after the parameter sets and before the slices. Decoders skip them; they carry the time of sending.
"""

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
import numpy as np

PAYLOAD_BYTES = 1100
FPS = 25
GROUP_FRAMES = 250
WIDTH = 640
HEIGHT = 360
SEI = 6
PARAMETER_SETS = (7, 8)
FU_A = 28
START_CODE = b"\x00\x00\x01"
MARK = b"xunlu benchmark!"
STAMP_BYTES = 16
_SEI_HEAD_BYTES = 2 + math.ceil((PAYLOAD_BYTES - 7) / 255)
STAMP = slice(_SEI_HEAD_BYTES + len(MARK), _SEI_HEAD_BYTES + len(MARK) + STAMP_BYTES)


def stamp(time_ns: int) -> bytes:
    """A time in digits, which need no emulation prevention."""
    return b"%016x" % time_ns


def stamped_ns(payload: bytes) -> int | None:
    """The time in a payload; None when it carries none."""
    if payload[0] & 31 != SEI or payload[_SEI_HEAD_BYTES : STAMP.start] != MARK:
        return None
    return int(payload[STAMP], 16)


def filler() -> bytearray:
    """A packet's payload that is one SEI message with room for a stamp."""
    size = PAYLOAD_BYTES - _SEI_HEAD_BYTES - 1
    coded_size = b"\xff" * (size // 255) + bytes((size % 255,))
    head = b"\x06\x05" + coded_size
    assert len(head) == _SEI_HEAD_BYTES
    return bytearray(head + MARK + stamp(0) + b"." * (size - len(MARK) - STAMP_BYTES) + b"\x80")


def frames(packets: int) -> list[list[bytearray]]:
    """A group of pictures that may be repeated for ever: for each frame the payloads of `packets` RTP packets."""
    group = []
    for units in _encoded():
        payloads = [bytearray(payload) for unit in units for payload in _packetised(unit)]
        first = next(at for at, payload in enumerate(payloads) if payload[0] & 31 not in PARAMETER_SETS)
        assert len(payloads) < packets, "a frame of the benchmark's picture is too large; lower its quality"
        payloads[first:first] = [filler() for _ in range(packets - len(payloads))]
        group.append(payloads)
    return group


def _encoded() -> Iterator[list[bytes]]:
    """NAL units of each frame: a bar that goes round, one keyframe at the start."""
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    codec.time_base, codec.framerate = Fraction(1, FPS), Fraction(FPS)
    codec.options = {
        "preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "qp": "30",
        "x264-params": f"keyint={GROUP_FRAMES}:scenecut=0:repeat-headers=1:annexb=1:slices=1:sliced-threads=0",
    }  # fmt: skip
    for number in range(GROUP_FRAMES):
        image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
        left = number * 8 % WIDTH
        image[:, left : left + 40] = (200, 60, 40)
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts = number
        for packet in codec.encode(frame):
            yield [unit for unit in _units(bytes(packet)) if unit[0] & 31 != SEI]


def annex_b(payloads: Iterable[bytes]) -> bytes:
    """What `frames` made of an access unit, put together again for a decoder; without what it skips."""
    out = bytearray()
    for payload in payloads:
        kind = payload[0] & 31
        if kind == FU_A:
            if payload[1] & 0x80:
                out += START_CODE + bytes((payload[0] & 0xE0 | payload[1] & 31,))
            out += payload[2:]
        elif kind != SEI:
            out += START_CODE + payload
    return bytes(out)


def _units(coded: bytes) -> Iterator[bytes]:
    """Split at start codes (H.264 annex B)."""
    for part in coded.split(START_CODE)[1:]:
        yield part.rstrip(b"\x00")


def _packetised(unit: bytes) -> Iterator[bytes]:
    """Single NAL unit packets and FU-A (RFC 6184 §5.6, §5.8)."""
    if len(unit) <= PAYLOAD_BYTES:
        yield unit
        return
    room = PAYLOAD_BYTES - 2
    body = unit[1:]
    for at in range(0, len(body), room):
        first, last = at == 0, at + room >= len(body)
        yield bytes((unit[0] & 0xE0 | FU_A, first << 7 | last << 6 | unit[0] & 31)) + body[at : at + room]
