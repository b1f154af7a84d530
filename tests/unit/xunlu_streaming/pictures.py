"""Coded pictures by encoders that nobody here wrote, cut into RTP payloads as the standards say."""

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cache

import av
from aiortc.codecs.vpx import VpxPayloadDescriptor

START_CODE = re.compile(rb"\x00\x00\x00?\x01")


@cache
def coded(
    codec: str, width: int, height: int, options: tuple[tuple[str, str], ...] = (), form: str = "yuv420p"
) -> tuple[bytes, ...]:
    """Three black pictures, the first of them a keyframe."""
    context = av.CodecContext.create(codec, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = width, height, form
    context.time_base, context.gop_size = Fraction(1, 25), 100
    context.options = dict(options)
    packets = []
    for number in range(3):
        frame = av.VideoFrame(width, height, form)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.pts = number
        packets += context.encode(frame)
    packets += context.encode(None)
    return tuple(bytes(packet) for packet in packets)


def h264(width: int, height: int, options: Mapping[str, str], form: str = "yuv420p") -> list[list[bytes]]:
    """The NAL units of each picture."""
    fixed = {"preset": "ultrafast", "tune": "zerolatency"}
    pictures = coded("libx264", width, height, tuple((fixed | dict(options)).items()), form)
    return [[unit for unit in START_CODE.split(picture) if unit] for picture in pictures]


def vp8(width: int, height: int) -> tuple[bytes, ...]:
    return coded("libvpx", width, height, (("deadline", "realtime"), ("cpu-used", "8"), ("lag-in-frames", "0")))


def kind(unit: bytes) -> int:
    return unit[0] & 0x1F


def aggregate(*units: bytes) -> bytes:
    """STAP-A, RFC 6184 §5.7.1."""
    return bytes([0x78]) + b"".join(len(unit).to_bytes(2) + unit for unit in units)


def fragments(unit: bytes, size: int = 40) -> Iterator[bytes]:
    """FU-A, RFC 6184 §5.8."""
    body = unit[1:]
    for at in range(0, len(body), size):
        flags = (0x80 if at == 0 else 0) | (0x40 if at + size >= len(body) else 0)
        yield bytes([unit[0] & 0xE0 | 28, flags | kind(unit)]) + body[at : at + size]


def vp8_payloads(picture: bytes, size: int = 60) -> Iterator[bytes]:
    """RFC 7741 §4.2, by aiortc's writer of descriptors."""
    for at in range(0, len(picture), size):
        head = VpxPayloadDescriptor(
            partition_start=int(at == 0), partition_id=0, picture_id=700, tl0picidx=3, tid=(0, 1)
        )
        yield bytes(head) + picture[at : at + size]
