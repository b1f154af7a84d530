"""A picture small enough for MQTT at trickle cost: scaled down and squeezed until it fits.

`python -m xunlu_edge.media.thumbnail ADDRESS` takes one from a camera and writes it to standard output: in a process of
its own, so that an agent whose camera nobody watches does not keep the codecs in memory.
"""

import contextlib
import sys
import time
from fractions import Fraction

import av
from av.video.reformatter import ColorRange, VideoReformatter

from xunlu_edge.errors import DeviceError
from xunlu_edge.hardware import VideoSource
from xunlu_edge.media import ladder
from xunlu_edge.media.sources import find_video
from xunlu_kit.errors import XunluError

BYTES_MAX = 12_000
HEIGHT_MAX, FPS_MAX = 360, 10.0
# A sensor that was off needs a moment to find its exposure.
SETTLE_S = 0.6
# From fine to coarse: lines, and FFmpeg's quantiser (2–31).
ATTEMPTS = ((180, 5), (180, 9), (144, 10), (144, 16), (120, 20), (90, 28), (72, 31))


def jpeg(frame: av.VideoFrame, bytes_max: int = BYTES_MAX) -> bytes:
    """The finest JPEG of a picture that fits.

    Raises:
        DeviceError: not even the coarsest does.
    """
    reformatter = VideoReformatter()
    for height_max, quantiser in ATTEMPTS:
        width, height = ladder.size_within(frame.width, frame.height, height_max)
        small = reformatter.reformat(frame, width, height, "yuvj420p", dst_color_range=ColorRange.JPEG)
        out = _encoded(small, quantiser)
        if len(out) <= bytes_max:
            return out
    raise DeviceError(f"The picture does not fit into {bytes_max} bytes.")


def take(source: VideoSource) -> bytes:
    """Open a camera for as long as one picture needs; blocking.

    Raises:
        DeviceError: the camera failed.
    """
    with contextlib.closing(source.open(HEIGHT_MAX, FPS_MAX)) as camera:
        settled_s = time.monotonic() + SETTLE_S
        frame = camera.read()
        while time.monotonic() < settled_s:
            frame = camera.read()
    return jpeg(frame)


def _encoded(frame: av.VideoFrame, quantiser: int) -> bytes:
    context = av.CodecContext.create("mjpeg", "w")
    context.width, context.height = frame.width, frame.height
    context.pix_fmt, context.time_base = "yuvj420p", Fraction(1, 25)
    context.options = {"qmin": str(quantiser), "qmax": str(quantiser)}
    frame.pts, frame.time_base = 0, context.time_base
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def main(address: str) -> int:
    """Write a thumbnail to standard output; returns the exit code."""
    try:
        picture = take(find_video(address, "", lambda: time.time_ns() // 1_000_000))
    except XunluError as error:
        print(error, file=sys.stderr)  # noqa: T201  the parent reads it
        return 1
    sys.stdout.buffer.write(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
