"""A generated picture for tests, demos and the bench: bars that move, the device's name, and the time twice."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction

import av

from xunlu_edge.media import glyphs, strip

# Frames say when they were captured, in microseconds of `time.monotonic`.
TIME_BASE = Fraction(1, 1_000_000)
GROUND, LIGHT, DARK = 90, 220, 40
BAR_PIXELS_PER_S = 120.0
# Chroma of a calm blue-green; one colour costs nothing to paint.
CHROMA = (140, 110)


class Pattern:
    """Paints pictures of one size when it is asked; nothing is drawn while nobody watches."""

    def __init__(self, name: str, width: int, height: int, fps: float, utc_ms: Callable[[], int]) -> None:
        """Describe the picture.

        Args:
            name: shown, of the device.
            width: pixels, even, at least 160.
            height: lines, even, at least 90.
            fps: pictures a second.
            utc_ms: the time to show.
        """
        self._name = name
        self._width = width
        self._height = height
        self._period_s = 1 / fps
        self._utc_ms = utc_ms
        self._due_s = time.monotonic()
        self._ground = bytes([GROUND]) * width

    def read(self) -> av.VideoFrame:
        """Wait until the next picture is due, and paint it."""
        now_s = time.monotonic()
        # Whoever reads late gets the next picture of the rhythm, not all that were missed.
        self._due_s = max(self._due_s + self._period_s, now_s - self._period_s)
        time.sleep(max(0.0, self._due_s - now_s))
        return self._paint(time.monotonic(), self._utc_ms())

    def close(self) -> None:
        """There is nothing to let go of."""

    def _paint(self, now_s: float, utc_ms: int) -> av.VideoFrame:
        frame = av.VideoFrame(self._width, self._height, "yuv420p")
        luma = frame.planes[0]
        picture = self._bars(luma.line_size, now_s)
        strip.paint(picture, luma.line_size, self._width, self._height, utc_ms)
        self._write(picture, luma.line_size, utc_ms)
        luma.update(bytes(picture))
        for plane, value in zip(frame.planes[1:], CHROMA, strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.pts = round(now_s / TIME_BASE)
        frame.time_base = TIME_BASE
        return frame

    def _bars(self, stride: int, now_s: float) -> bytearray:
        """One line with two bars that pass each other, repeated: movement that no frozen picture has."""
        width, bar = self._width, self._width // 16
        line = bytearray(self._ground) + bytes(stride - width)
        shift = int(now_s * BAR_PIXELS_PER_S * width / 640) % (width - bar)
        line[shift : shift + bar] = bytes([LIGHT]) * bar
        line[width - bar - shift : width - shift] = bytes([DARK]) * bar
        return bytearray(bytes(line) * self._height)

    def _write(self, luma: bytearray, stride: int, utc_ms: int) -> None:
        """Name and clock in the lower half, as large as the width allows."""
        at = datetime.fromtimestamp(utc_ms / 1000, UTC)
        clock = f"{at:%H:%M:%S}.{utc_ms % 1000:03d}"
        scale = max(1, self._width // (14 * glyphs.CELL))
        top = self._height // 2
        room = (self._width - 2 * scale) // (scale * glyphs.CELL)
        for line, text in enumerate((clock, f"{at:%Y-%m-%d}", self._name[:room])):
            y = top + line * (glyphs.DOTS_HIGH + 2) * scale
            if y + glyphs.DOTS_HIGH * scale <= self._height:
                glyphs.write(luma, stride, (2 * scale, y), text, scale, (LIGHT, DARK))
