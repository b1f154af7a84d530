"""H.264 and Opus as PyAV makes them: when the encoder is opened anew, what a keyframe is, how time goes through."""

import itertools

import av
import pytest
from av import AudioFrame

from xunlu_edge.media.h264 import EncodedPicture, H264Encoder
from xunlu_edge.media.opus import FRAME_SAMPLES, RATE_HZ, OpusEncoder
from xunlu_edge.media.pattern import TIME_BASE, Pattern

BASELINE = 66
PARAMETER_SET = 7


def pictures(encoder: H264Encoder, count: int, bitrate_bps: int, *, keyframe_at: int = -1) -> list[EncodedPicture]:
    pattern = Pattern("SIM0001", 1280, 720, 1000, lambda: 0)
    out = []
    for number in range(count):
        picture = encoder.encode(pattern.read(), bitrate_bps, keyframe=number == keyframe_at)
        assert picture is not None
        out.append(picture)
    return out


def sequence_header(data: bytes) -> bytes:
    """The sequence parameter set of a keyframe (H.264 §7.3.2.1)."""
    units = data.split(b"\x00\x00\x01")
    return next(unit for unit in units if unit and unit[0] & 0x1F == PARAMETER_SET)


def test_only_the_first_picture_and_those_asked_for_are_keyframes_and_bring_their_parameters() -> None:
    made = pictures(H264Encoder("libx264", height_max=720, fps_max=25), 10, 800_000, keyframe_at=6)
    assert [number for number, picture in enumerate(made) if picture.keyframe] == [0, 6]
    for number in (0, 6):
        assert sequence_header(made[number].data)[1] == BASELINE


def test_a_bitrate_within_reach_needs_no_keyframe_and_another_size_does() -> None:
    encoder = H264Encoder("libx264", height_max=720, fps_max=25)
    pictures(encoder, 2, 700_000)
    assert not any(picture.keyframe for picture in pictures(encoder, 2, 640_000) + pictures(encoder, 2, 800_000))
    assert encoder.openings == 1
    smaller = pictures(encoder, 2, 200_000)
    assert [picture.keyframe for picture in smaller] == [True, False]
    assert smaller[0].shape.height == 240
    assert encoder.openings == 2


def test_a_hardware_encoder_that_is_not_there_is_replaced_by_software() -> None:
    encoder = H264Encoder("h264_v4l2m2m", height_max=360, fps_max=25)
    assert pictures(encoder, 1, 500_000)[0].keyframe
    assert encoder.codec == "libx264"


@pytest.mark.parametrize("name", ["no_such_encoder", "libopus"])
def test_a_name_that_is_no_video_encoder_is_replaced_by_software(name: str) -> None:
    encoder = H264Encoder(name, height_max=180, fps_max=25)
    assert pictures(encoder, 1, 500_000)[0].keyframe


def test_the_time_of_capture_goes_through() -> None:
    pattern = Pattern("SIM0001", 640, 360, 1000, lambda: 0)
    frame = pattern.read()
    captured_s = float(frame.time or 0)
    picture = H264Encoder("libx264", height_max=360, fps_max=25).encode(frame, 500_000, keyframe=False)
    assert picture is not None
    assert picture.captured_s == pytest.approx(captured_s)


@pytest.mark.parametrize(("fps_max", "kept"), [(25, 50), (12.5, 25), (5, 10)])
def test_pictures_beyond_the_frame_rate_are_left_out_evenly(fps_max: float, kept: int) -> None:
    encoder = H264Encoder("libx264", height_max=180, fps_max=fps_max)
    pictures(encoder, 1, 4_000_000)
    times = [number / 25 for number in range(50)]
    wanted = [at_s for at_s in times if encoder.wants(at_s)]
    assert abs(len(wanted) - kept) <= 1
    assert {round((later - earlier) * fps_max) for earlier, later in itertools.pairwise(wanted)} == {1}


def sound(samples: int, rate_hz: int, layout: str, at_s: float) -> AudioFrame:
    frame = AudioFrame(format="s16", layout=layout, samples=samples)
    frame.sample_rate = rate_hz
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    frame.pts, frame.time_base = round(at_s / TIME_BASE), TIME_BASE
    return frame


@pytest.mark.parametrize(("rate_hz", "layout"), [(48_000, "mono"), (44_100, "stereo"), (16_000, "mono")])
def test_sound_of_any_rate_becomes_20_ms_of_opus_at_its_time(rate_hz: int, layout: str) -> None:
    encoder, samples = OpusEncoder(), rate_hz // 50
    out = [each for n in range(100) for each in encoder.encode(sound(samples, rate_hz, layout, 100 + n * 0.02))]
    assert 97 <= len(out) <= 100
    assert all(len(each.data) < 200 for each in out)
    steps = [later.captured_s - earlier.captured_s for earlier, later in itertools.pairwise(out)]
    assert steps == pytest.approx([FRAME_SAMPLES / RATE_HZ] * len(steps))
    assert out[0].captured_s == pytest.approx(100, abs=0.01)


def test_sound_that_was_interrupted_goes_on_at_the_true_time() -> None:
    encoder = OpusEncoder()
    for number in range(10):
        encoder.encode(sound(960, 48_000, "mono", number * 0.02))
    later = encoder.encode(sound(960, 48_000, "mono", 5.0))
    assert later[0].captured_s == pytest.approx(5.0, abs=0.03)


def test_opus_decodes() -> None:
    encoder = OpusEncoder()
    decoder = av.CodecContext.create("libopus", "r")
    decoder.sample_rate = RATE_HZ
    decoder.layout = "mono"
    samples = 0
    for number in range(5):
        for each in encoder.encode(sound(960, 48_000, "mono", number * 0.02)):
            samples += sum(frame.samples for frame in decoder.decode(av.Packet(each.data)))
    assert samples >= 3 * FRAME_SAMPLES
