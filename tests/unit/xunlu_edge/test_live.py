"""Live video on command: what the officer sees and hears, what is answered, and the thumbnails beside it."""

import asyncio
import contextlib
import itertools
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import pytest

from tests.unit.xunlu_edge.relay_rig import Relay, Scripted, relay
from tests.unit.xunlu_edge.rig import Battery, Mailbox, bench_hardware
from xunlu_edge import live as live_module
from xunlu_edge.clock_watch import ClockWatch
from xunlu_edge.errors import DeviceError, LiveError
from xunlu_edge.hardware import Charge, Hardware
from xunlu_edge.linux import find_hardware
from xunlu_edge.live import Live
from xunlu_edge.media import thumbnail
from xunlu_edge.media.pattern import Pattern
from xunlu_edge.media.sources import DeviceVideo, GeneratedVideo, find_microphone, find_video
from xunlu_edge.settings import AgentSettings
from xunlu_edge.situation import Situation
from xunlu_edge.thumbnails import Thumbnails
from xunlu_kit.clock import SystemClock
from xunlu_kit.errors import ConfigError
from xunlu_protocol.command import LiveStart
from xunlu_protocol.shadow import RecorderConfig

WAIT_S = 30.0


def utc_ms() -> int:
    return time.time_ns() // 1_000_000


class Officer:
    """Sees the sign and hears the voice."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.seen: list[bool] = []

    def show(self, *, on: bool) -> None:
        self.seen.append(on)

    async def say(self, text: str, language: Literal["zh", "en"]) -> None:
        self.heard.append(f"{language}: {text}")


class Bench:
    """A recorder with a camera, an officer, and a mailbox for thumbnails."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.officer = Officer()
        self.mailbox = Mailbox()
        self.situation = Situation()
        video = GeneratedVideo(name="SIM0001", utc_ms=utc_ms)
        self.hardware: Hardware = replace(bench_hardware(), video=video, speaker=self.officer, watched=self.officer)
        clock = SystemClock()
        self.live = Live(self.hardware, AgentSettings(state=folder, **settings), ClockWatch(clock))
        self.is_online = True
        self.thumbnails = Thumbnails(
            self.live, self.hardware, self.situation, self.mailbox, lambda: self.is_online, clock
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Bench"]:
        tasks = [asyncio.create_task(part) for part in (self.live.run(), self.thumbnails.run())]
        await asyncio.sleep(0)
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def wish(relay: Relay, **more: Any) -> LiveStart:
    return LiveStart(**({"whip": relay.url, "token": "secret", "by": "班长"} | more))


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():  # noqa: ASYNC110  the officer tells nobody
            await asyncio.sleep(0.02)


async def test_the_officer_sees_and_hears_once_that_somebody_watches_and_the_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with relay(monkeypatch) as there, Bench(tmp_path).running() as bench:
        assert await bench.live.start(wish(there)) == {"codec": "H264", "audio": False}
        await there.until_seen(3)
        assert bench.officer.heard == ["zh: 班长正在查看实时画面"]
        assert bench.officer.seen == [True]
        await bench.live.stop()
        assert not bench.live.is_live
        await until(lambda: len(bench.officer.heard) == 2)
        assert bench.officer.heard[1] == "zh: 实时画面已结束"
        assert bench.officer.seen == [True, False]


async def test_who_watches_is_said_in_the_recorders_language(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with relay(monkeypatch) as there, Bench(tmp_path, language="en").running() as bench:
        await bench.live.start(wish(there, by=None))
        await until(lambda: bench.officer.heard)
        assert bench.officer.heard == ["en: Dispatch is watching live"]


async def test_a_second_wish_for_the_same_address_goes_on_with_what_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with relay(monkeypatch) as there, Bench(tmp_path).running() as bench:
        await bench.live.start(wish(there))
        await bench.live.start(wish(there, token="another"))
        await there.until_seen(3)
        assert there.counts["POST"] == 1


async def test_a_wish_for_another_address_replaces_what_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with relay(monkeypatch) as there, Bench(tmp_path).running() as bench:
        await bench.live.start(wish(there))
        await bench.live.start(wish(there, whip=there.url + "-2", token="another"))
        assert bench.live.is_live
        assert [(method, auth) for method, _, auth in there.requests] == [
            ("POST", "Bearer secret"),
            ("DELETE", "Bearer secret"),
            ("POST", "Bearer another"),
        ]


async def test_a_refusal_is_answered_with_its_reason_and_nothing_is_told_to_the_officer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with relay(monkeypatch) as there, Bench(tmp_path).running() as bench:
        there.always = Scripted(status=403, body="The token is of another path.")
        with pytest.raises(LiveError, match="403: The token is of another path"):
            await bench.live.start(wish(there))
        assert (bench.officer.heard, bench.officer.seen) == ([], [])


async def test_a_relay_that_is_not_reached_in_time_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(live_module, "START_TIMEOUT_S", 0.5)
    async with Bench(tmp_path).running() as bench:
        with pytest.raises(LiveError, match="not reached"):
            await bench.live.start(LiveStart(whip="http://127.0.0.1:9/whip/D1", token="t"))
        await until(lambda: not bench.live.is_live)


async def test_the_end_of_the_agent_ends_the_session(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with relay(monkeypatch) as there:
        async with Bench(tmp_path).running() as bench:
            await bench.live.start(wish(there))
        await there.until_asked("DELETE")
        assert bench.officer.seen == [True, False]


async def test_a_thumbnail_follows_the_beginning_of_live_video(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with relay(monkeypatch) as there, Bench(tmp_path).running() as bench:
        bench.situation.config = RecorderConfig(thumbnail_s=0)
        await bench.live.start(wish(there))
        async with asyncio.timeout(WAIT_S):
            await bench.mailbox.wait_for(1)
        assert_jpeg(bench.mailbox.sent[0][2])


async def test_thumbnails_come_at_their_interval_only_when_online_and_the_battery_allows(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.situation.config = RecorderConfig(thumbnail_s=0.05, low_battery_percent=20)
    bench.thumbnails._due_s = 0.0
    assert isinstance(bench.hardware.battery, Battery)

    bench.hardware.battery.charge = Charge(percent=10, state=1)
    assert not bench.thumbnails._is_due()
    bench.hardware.battery.charge = Charge(percent=10, state=2)
    assert bench.thumbnails._is_due()
    assert not bench.thumbnails._is_due()
    bench.is_online = False
    await bench.thumbnails._send()
    assert bench.mailbox.sent == []
    bench.is_online = True
    await bench.thumbnails._send()
    [(channel, _, picture)] = bench.mailbox.sent
    assert channel == "thumb"
    assert_jpeg(picture)


# -- pictures ---------------------------------------------------------------------------------------------------------


def assert_jpeg(picture: bytes) -> None:
    assert len(picture) <= thumbnail.BYTES_MAX
    context = av.CodecContext.create("mjpeg", "r")
    [frame] = context.decode(av.Packet(picture))
    assert frame.height >= 72


def noise(width: int, height: int) -> av.VideoFrame:
    frame = av.VideoFrame(width, height, "yuv420p")
    value = 1
    for plane in frame.planes:
        out = bytearray(plane.buffer_size)
        for index in range(len(out)):
            value = value * 1_103_515_245 + 12_345 & 0x7FFFFFFF
            out[index] = value >> 16 & 0xFF
        plane.update(bytes(out))
    return frame


def test_a_thumbnail_fits_whatever_the_picture() -> None:
    fine = thumbnail.jpeg(Pattern("SIM0001", 1280, 720, 1000, utc_ms).read())
    assert_jpeg(fine)
    assert_jpeg(thumbnail.jpeg(noise(320, 180)))


def test_a_thumbnail_that_cannot_fit_is_an_error() -> None:
    with pytest.raises(DeviceError, match="does not fit"):
        thumbnail.jpeg(noise(320, 180), bytes_max=100)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a second of picture and sound."""
    file = tmp_path_factory.mktemp("film") / "film.mp4"
    pattern = Pattern("FILM", 640, 360, 1000, utc_ms)
    with av.open(str(file), "w") as container:
        video = container.add_stream("libx264", rate=10)
        video.width, video.height, video.pix_fmt = 640, 360, "yuv420p"
        audio = container.add_stream("aac", rate=48_000, layout="mono")
        for number in range(5):
            frame = pattern.read()
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(video.encode(frame))
        for number in range(24):
            sound = av.AudioFrame(format="fltp", layout="mono", samples=1024)
            sound.sample_rate, sound.pts = 48_000, number * 1024
            sound.planes[0].update(bytes(sound.planes[0].buffer_size))
            container.mux(audio.encode(sound))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return file


def test_a_file_plays_at_its_pace_again_and_again(film: Path) -> None:
    camera = find_video(f"file://{film}", "", utc_ms).open(720, 25)
    with contextlib.closing(camera):
        times = [float(camera.read().time or 0) for _ in range(12)]
    steps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(0 <= step < 1 for step in steps)
    assert times[-1] - times[0] > 0.7
    assert abs(times[-1] - time.monotonic()) < 5


def test_the_sound_of_a_file_is_a_microphone(film: Path) -> None:
    microphone = find_microphone(f"file://{film}").open()
    with contextlib.closing(microphone):
        assert sum(microphone.read().samples for _ in range(40)) >= 40 * 1024


async def test_a_thumbnail_of_a_device_is_taken_in_a_process_that_ends(film: Path) -> None:
    assert_jpeg(await find_video(f"file://{film}", "", utc_ms).thumbnail())


@pytest.mark.parametrize("address", ["file:///nowhere.mp4", "v4l2:///dev/none"])
async def test_a_camera_that_is_not_there_is_an_error_with_words(address: str) -> None:
    source = find_video(address, "", utc_ms)
    with pytest.raises(DeviceError, match="cannot be opened"):
        source.open(720, 25)
    with pytest.raises(DeviceError, match="cannot be opened"):
        await source.thumbnail()


def test_a_file_without_sound_is_no_microphone(tmp_path: Path) -> None:
    picture = tmp_path / "picture.jpg"
    picture.write_bytes(thumbnail.jpeg(noise(64, 64)))
    with pytest.raises(DeviceError, match="holds no audio"):
        find_microphone(f"file://{picture}").open()


@pytest.mark.parametrize(
    "address",
    ["", "/dev/video0", "v4l2:dev", "rtsp://camera", "test://?size=0x0", "test://?size=10x10", "test://?fps=0",
     "v4l2:///dev/video0?fps=fast", "v4l2:///dev/video0?size=big"],
)  # fmt: skip
def test_a_camera_setting_that_makes_no_sense_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="XUNLU_AGENT_VIDEO"):
        find_video(address, "", utc_ms)


@pytest.mark.parametrize("address", ["", "hw:0", "alsa://", "pulse://x"])
def test_a_microphone_setting_that_makes_no_sense_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="XUNLU_AGENT_AUDIO"):
        find_microphone(address)


def test_settings_give_the_test_picture_its_size() -> None:
    source = find_video("test://?size=321x181&fps=7", "D1", utc_ms)
    assert isinstance(source, GeneratedVideo)
    assert (source.width, source.height, source.fps) == (320, 180, 7)
    assert isinstance(find_video("v4l2:///dev/video0?size=1280x720", "", utc_ms), DeviceVideo)


def test_a_linux_recorder_has_the_camera_the_microphone_and_the_led_of_its_settings(tmp_path: Path) -> None:
    led = tmp_path / "sys/class/leds/red:watched"
    led.mkdir(parents=True)
    (led / "brightness").write_text("0", "ascii")
    (led / "max_brightness").write_text("255", "ascii")
    settings = AgentSettings(gnss="tcp://127.0.0.1:1", video="test://", audio="test://", watched_led="red:watched")
    hardware = find_hardware(settings, SystemClock(), root=tmp_path)
    assert "live" in hardware.capabilities
    assert hardware.microphone is not None
    assert hardware.watched is not None
    for on, brightness in ((True, "255"), (False, "0")):
        hardware.watched.show(on=on)
        assert (led / "brightness").read_text("ascii") == brightness
    with pytest.raises(ConfigError, match="WATCHED_LED"):
        find_hardware(settings.model_copy(update={"watched_led": "none"}), SystemClock(), root=tmp_path)


def test_without_the_extra_there_is_no_live_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xunlu_edge.linux.is_media_installed", lambda: False)
    hardware = find_hardware(AgentSettings(gnss="tcp://127.0.0.1:1", video="test://"), SystemClock(), root=tmp_path)
    assert hardware.video is None
    assert "live" not in hardware.capabilities


def test_an_agent_with_a_camera_loads_no_codec_before_somebody_watches() -> None:
    program = (
        "import sys; from pathlib import Path; from xunlu_edge.agent import Agent; from xunlu_edge.linux import "
        "find_hardware; from xunlu_edge.settings import AgentSettings; from xunlu_kit.clock import SystemClock; "
        "find_hardware(AgentSettings(video='test://', audio='test://'), SystemClock(), root=Path('/nowhere')); "
        "print({'av', 'aiortc', 'cryptography', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
