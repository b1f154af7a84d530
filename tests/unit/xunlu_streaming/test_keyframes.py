"""Keyframes and their sizes are seen in whatever packets they come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.xunlu_streaming import pictures
from xunlu_streaming.keyframes import Codec, picture_size, starts_keyframe
from xunlu_streaming.sps import read_size

IDR, PPS, SPS, SEI = 5, 8, 7, 6


def units_of(width: int = 320, height: int = 180, form: str = "yuv420p", **options: str) -> dict[int, bytes]:
    """The first picture's NAL units by type."""
    return {pictures.kind(unit): unit for unit in pictures.h264(width, height, options, form)[0]}


@pytest.mark.parametrize("profile", ["baseline", "main", "high"])
@pytest.mark.parametrize(("width", "height"), [(64, 64), (320, 180), (322, 182), (1280, 720), (1920, 1080)])
def test_the_size_is_read_from_each_profile(profile: str, width: int, height: int) -> None:
    unit = units_of(width, height, profile=profile)[SPS]
    assert picture_size("H264", unit) == (width, height)


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("yuv422p", {"profile": "high422"}),
        ("yuv444p", {"profile": "high444"}),
        ("yuv420p10le", {"profile": "high10"}),
        ("gray", {}),
        ("yuv420p", {"x264-params": "interlaced=1"}),
        ("yuv420p", {"x264-params": "cqm=jvt:8x8dct=1", "profile": "high"}),
        ("yuv420p", {"x264-params": "bframes=2:b-pyramid=1:ref=4", "tune": "film"}),
    ],
)
def test_the_size_is_read_behind_everything_that_can_come_before_it(form: str, options: dict[str, str]) -> None:
    units = pictures.h264(334, 188, options, form)[0]
    unit = next(unit for unit in units if pictures.kind(unit) == SPS)
    assert picture_size("H264", memoryview(unit)) == (334, 188)


def test_a_keyframe_of_h264_begins_with_its_parameters_or_its_picture() -> None:
    units = units_of()
    assert starts_keyframe("H264", units[SPS])
    assert starts_keyframe("H264", memoryview(units[IDR]))
    assert not starts_keyframe("H264", units[PPS])
    assert not any(starts_keyframe("H264", unit) for picture in pictures.h264(320, 180, {})[1:] for unit in picture)


def test_a_keyframe_is_found_in_an_aggregate() -> None:
    units = units_of()
    packet = pictures.aggregate(units.get(SEI, b"\x06\x80"), units[SPS], units[PPS])
    assert starts_keyframe("H264", packet)
    assert picture_size("H264", packet) == (320, 180)
    other = pictures.aggregate(units[PPS], b"\x41\x9a")
    assert not starts_keyframe("H264", other)
    assert picture_size("H264", other) is None


def test_a_keyframe_begins_with_its_first_fragment_only() -> None:
    idr = units_of()[IDR]
    assert [starts_keyframe("H264", one) for one in pictures.fragments(idr)].count(True) == 1
    assert starts_keyframe("H264", next(pictures.fragments(idr)))
    delta = pictures.h264(320, 180, {})[1][-1]
    assert not any(starts_keyframe("H264", one) for one in pictures.fragments(delta))
    assert picture_size("H264", next(pictures.fragments(idr))) is None


@pytest.mark.parametrize(("width", "height"), [(64, 64), (322, 182), (1280, 720)])
def test_a_keyframe_of_vp8_begins_with_its_first_packet_and_says_its_size(width: int, height: int) -> None:
    key, *deltas = pictures.vp8(width, height)
    first, *rest = pictures.vp8_payloads(key)
    assert starts_keyframe("VP8", first)
    assert picture_size("VP8", memoryview(first)) == (width, height)
    for payload in [*rest, *(one for delta in deltas for one in pictures.vp8_payloads(delta))]:
        assert not starts_keyframe("VP8", payload)
        assert picture_size("VP8", payload) is None


@pytest.mark.parametrize(
    ("codec", "payload"),
    [
        ("H264", b""),
        ("H264", b"\x78"),
        ("H264", b"\x78\x00"),
        ("H264", b"\x78\x00\x00\x67"),
        ("H264", b"\x78\xff\xff\x67\x42"),
        ("H264", b"\x7c"),
        ("VP8", b""),
        ("VP8", b"\x10"),
        ("VP8", b"\x90\xf0\x80"),
        ("VP8", b"\x90"),
    ],
)
def test_a_torn_payload_begins_nothing(codec: Codec, payload: bytes) -> None:
    assert not starts_keyframe(codec, payload)
    assert picture_size(codec, payload) is None


def golomb(value: int) -> str:
    """ue(v), ITU-T H.264 §9.1."""
    digits = f"{value + 1:b}"
    return "0" * (len(digits) - 1) + digits


def parameters(columns: int, rows: int, *crop: int) -> bytes:
    """A baseline SPS of so many macroblocks, order count type 2."""
    bits = "11" + golomb(2) + "1" + "0" + golomb(columns - 1) + golomb(rows - 1) + "1" + "0"
    bits += "1" + "".join(map(golomb, crop)) if crop else "0"
    bits = (bits + "1").ljust(len(bits) // 8 * 8 + 16, "0")
    return b"\x67\x42\xc0\x1e" + int(bits, 2).to_bytes(len(bits) // 8)


def test_a_size_is_what_is_left_after_cropping() -> None:
    assert read_size(parameters(20, 12)) == (320, 192)
    assert read_size(parameters(20, 12, 1, 2, 0, 6)) == (314, 180)


def test_a_picture_of_no_size_or_beyond_all_screens_is_refused() -> None:
    assert read_size(parameters(20, 12, 160, 0, 0, 0)) is None
    assert read_size(parameters(20, 12, 0, 0, 0, 2**31)) is None
    assert read_size(parameters(1024, 1024)) == (16_384, 16_384)
    assert read_size(parameters(1025, 1)) is None
    assert read_size(parameters(2**31, 2**31)) is None
    assert read_size(b"\x67\x42\xc0\x1e" + bytes(40)) is None
    first = next(pictures.vp8_payloads(pictures.vp8(64, 64)[0]))
    at = first.index(b"\x9d\x01\x2a") + 3
    assert picture_size("VP8", first[:at] + bytes(4) + first[at + 4 :]) is None
    assert picture_size("VP8", first[: at + 3]) is None


@given(st.sampled_from(["H264", "VP8"]), st.binary(max_size=1500))
def test_garbage_is_answered(codec: Codec, payload: bytes) -> None:
    starts_keyframe(codec, payload)
    size = picture_size(codec, payload)
    assert size is None or all(0 < side <= 16_384 for side in size)


@given(st.binary(max_size=700), st.sampled_from([66, 77, 100, 110, 122, 244]))
def test_a_hostile_parameter_set_ends(tail: bytes, profile: int) -> None:
    size = read_size(b"\x67" + bytes([profile]) + tail)
    assert size is None or all(0 < side <= 16_384 for side in size)


@given(st.data())
def test_a_parameter_set_with_turned_bits_ends(data: st.DataObject) -> None:
    unit = bytearray(units_of(profile="high")[SPS])
    for bit in data.draw(st.lists(st.integers(8, 8 * len(unit) - 1), max_size=8)):
        unit[bit // 8] ^= 1 << bit % 8
    read_size(unit)
