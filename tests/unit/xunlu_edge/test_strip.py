"""The clock in the picture that machines read, and what H.264 does to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xunlu_edge.media import strip
from xunlu_edge.media.adapter import h264_payloads
from xunlu_edge.media.h264 import H264Encoder
from xunlu_edge.media.pattern import Pattern

UTC_MS = 1_790_000_000_123


@given(
    utc_ms=st.integers(0, 2**48 - 1),
    width=st.integers(28, 400),
    height=st.integers(36, 300),
    padding=st.integers(0, 70),
)
def test_a_time_is_read_as_it_was_painted(utc_ms: int, width: int, height: int, padding: int) -> None:
    stride = width + padding
    luma = bytearray(b"\x80" * stride * height)
    strip.paint(luma, stride, width, height, utc_ms)
    assert len(luma) == stride * height
    assert strip.read(bytes(luma), stride, width, height) == utc_ms


@pytest.mark.parametrize("brightness", [0, 16, 128, 235, 255])
def test_a_picture_without_a_strip_has_no_time(brightness: int) -> None:
    assert strip.read(bytes([brightness]) * 640 * 360, 640, 640, 360) is None


def test_a_damaged_strip_has_no_time() -> None:
    luma = bytearray(b"\x80" * 640 * 360)
    strip.paint(luma, 640, 640, 360, UTC_MS)
    for y in range(strip.row_height(360)):
        luma[y * 640 + 300 : y * 640 + 330] = bytes(255 - value for value in luma[y * 640 + 300 : y * 640 + 330])
    assert strip.read(bytes(luma), 640, 640, 360) is None


def test_a_picture_that_is_too_small_has_no_time() -> None:
    assert strip.read(bytes(20 * 20), 20, 20, 20) is None


@pytest.mark.parametrize(("width", "height"), [(320, 180), (640, 360), (1280, 720)])
def test_the_time_outlives_300_kbit_and_scaling(width: int, height: int) -> None:
    av = pytest.importorskip("av")
    now = [UTC_MS]
    pattern = Pattern("SIM0001", width, height, 1000, lambda: now[0])
    encoder = H264Encoder("libx264", height_max=360, fps_max=30)
    decoder = av.CodecContext.create("h264", "r")
    read = []
    for _ in range(12):
        now[0] += 67
        picture = encoder.encode(pattern.read(), 300_000, keyframe=False)
        assert picture is not None
        assert all(len(payload) <= 1300 for payload in h264_payloads(picture.data))
        for frame in decoder.decode(av.Packet(picture.data)):
            luma = frame.planes[0]
            read.append(strip.read(memoryview(luma), luma.line_size, frame.width, frame.height))
    assert read[-8:] == [UTC_MS + 67 * number for number in range(len(read) - 7, len(read) + 1)]
