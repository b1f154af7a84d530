"""RTP of pictures and sound that nobody's eyes need to judge: each second begins with a flash and a beep.

Encoded by PyAV's encoders and packetised by aiortc, so that neither comes from who reads it.
"""

import array
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Literal

import av
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder

VIDEO_HZ, AUDIO_HZ = 90_000, 48_000
FPS = 25
SOUNDS_PER_S = 50
FLASH_S = 0.2

VideoCodec = Literal["H264", "VP8"]

_ENCODERS = {
    "H264": ("libx264", {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"}),
    "VP8": ("libvpx", {"deadline": "realtime", "lag-in-frames": "0", "cpu-used": "8"}),
}


@dataclass(frozen=True, slots=True)
class Picture:
    """One coded picture."""

    payloads: tuple[bytes, ...]
    keyframe: bool


@cache
def pictures(
    codec: VideoCodec, count: int, *, group: int = FPS, width: int = 192, height: int = 112, bitrate_bps: int = 800_000
) -> tuple[Picture, ...]:
    """Noise, so that pictures need several packets; white for `FLASH_S` at the beginning of each second."""
    name, options = _ENCODERS[codec]
    context = av.CodecContext.create(name, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate, context.gop_size = Fraction(1, FPS), Fraction(FPS), group
    context.bit_rate, context.options = bitrate_bps, dict(options)
    packer = H264Encoder() if codec == "H264" else Vp8Encoder()
    coded = []
    for number in range(count):
        frame = av.VideoFrame(width, height, "yuv420p")
        white = number % FPS < FLASH_S * FPS
        noise = bytes((n * n * (number + 7) >> 7) & 0x3F for n in range(256))
        for place, plane in enumerate(frame.planes):
            size = plane.buffer_size
            fill = b"\xeb" * size if white and not place else (noise * (size // 256 + 1))[:size]
            plane.update(fill if not place else b"\x80" * size)
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        coded += context.encode(frame)
    coded += context.encode(None)
    return tuple(Picture(tuple(packer.pack(one)[0]), one.is_keyframe) for one in coded)


@cache
def sounds(count: int) -> tuple[bytes, ...]:
    """Opus packets of 20 ms; a beep for `FLASH_S` at the beginning of each second, else silence."""
    context = av.CodecContext.create("libopus", "w")
    assert isinstance(context, av.AudioCodecContext)
    context.sample_rate, context.layout, context.format = AUDIO_HZ, "mono", "s16"
    context.options = {"application": "lowdelay"}
    coded = []
    samples = AUDIO_HZ // SOUNDS_PER_S
    for number in range(count):
        loud = number % SOUNDS_PER_S < FLASH_S * SOUNDS_PER_S
        wave = (int(12_000 * math.sin(2 * math.pi * 1000 * n / AUDIO_HZ)) if loud else 0 for n in range(samples))
        frame = av.AudioFrame(format="s16", layout="mono", samples=samples)
        frame.planes[0].update(array.array("h", wave).tobytes())
        frame.sample_rate, frame.pts, frame.time_base = AUDIO_HZ, number * samples, Fraction(1, AUDIO_HZ)
        coded += context.encode(frame)
    return tuple(bytes(one) for one in coded)


@dataclass(slots=True)
class Stream:
    """Numbers the packets of one track."""

    clock_hz: int
    payload_type: int
    ssrc: int
    seq: int = 65_500
    first_stamp: int = 0xFFFF_0000

    def stamp(self, at_s: float) -> int:
        """RTP time of a moment of the publisher's own."""
        return (self.first_stamp + round(at_s * self.clock_hz)) & 0xFFFF_FFFF

    def packets(self, payloads: Sequence[bytes], at_s: float) -> list[bytes]:
        """The packets of one picture or sound; the last one has the marker."""
        out = []
        for place, payload in enumerate(payloads):
            marker = 0x80 if place == len(payloads) - 1 else 0
            head = struct.pack(">BBHII", 0x80, marker | self.payload_type, self.seq, self.stamp(at_s), self.ssrc)
            out.append(head + payload)
            self.seq = (self.seq + 1) & 0xFFFF
        return out


def video_stream() -> Stream:
    return Stream(VIDEO_HZ, 96, 0x1111)


def audio_stream() -> Stream:
    return Stream(AUDIO_HZ, 111, 0x2222)
