"""What the recorder process makes of a publication: files that play, in sync, that say what they lack."""

import asyncio
import hashlib
import stat
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.integration.ingest_rig import eventually
from tests.integration.record_rig import Rig, Show, play, record_rig, until
from tests.integration.test_relay import Client
from tests.media import running_relay
from tests.rtp_media import FPS, VideoCodec
from tests.services import TestBroker
from xunlu_protocol.media import RecordingReport

pytestmark = pytest.mark.integration

Opener = Callable[..., AbstractAsyncContextManager[Rig]]


@pytest.fixture
def opened(broker: TestBroker, tmp_path: Path, request: pytest.FixtureRequest) -> Opener:
    """A rig of this test alone, by its name as the tenant."""
    tenant = hashlib.sha1(request.node.nodeid.encode()).hexdigest()[:16]

    def opener(**settings: Any) -> AbstractAsyncContextManager[Rig]:
        return record_rig(broker, tmp_path, tenant, **settings)

    return opener


def file_of(rig: Rig, report: RecordingReport) -> Path:
    """The file of a report, checked against it."""
    file = rig.folder / report.file
    assert file.stat().st_size == report.size_bytes
    assert hashlib.sha256(file.read_bytes()).hexdigest() == report.sha256
    assert stat.S_IMODE(file.stat().st_mode) == 0o440
    return file


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_an_ordered_publication_becomes_a_file_that_plays_in_sync(opened: Opener, codec: VideoCodec) -> None:
    async with opened() as rig, rig.recorder():
        await rig.order("REC-1")
        await rig.relay.heard("take", "REC-1")
        show = Show(rig.relay, "REC-1", codec=codec, late_s=0.3, reports=True)
        await show.begin()
        await show.play(6)
        await show.end()
        report = await rig.report()
        played = play(file_of(rig, report))
    assert (report.did, report.why, report.order, report.complete) == ("REC-1", "hand", "order-REC-1", True)
    assert (report.video, report.audio, report.gaps) == (codec, "opus", ())
    assert report.started_ms == pytest.approx(show.began_us / 1000, abs=2)
    assert report.ended_ms - report.started_ms == pytest.approx(6000, abs=50)
    assert played.pictures == 6 * FPS
    assert played.sound_s == pytest.approx(6, abs=0.5)
    began = {name.lower(): value for name, value in played.metadata.items()}["creation_time"]
    assert datetime.fromisoformat(began).timestamp() == pytest.approx(report.started_ms / 1000, abs=1)
    assert len(played.flashes_s) == len(played.beeps_s[-5:]) + 1 == 6
    for flash_s, beep_s in zip(played.flashes_s[-4:], played.beeps_s[-4:], strict=True):
        assert beep_s == pytest.approx(flash_s, abs=0.045)


async def test_lost_pictures_leave_a_gap_and_nothing_that_smears(opened: Opener) -> None:
    async with opened(record_always=True) as rig, rig.recorder():
        await rig.relay.heard("take", "*")
        show = Show(rig.relay, "REC-2")
        await show.begin()
        await show.play(5, lost=(FPS + 5,))
        await rig.relay.heard("keyframe", "REC-2")
        await show.end()
        report = await rig.report()
        played = play(file_of(rig, report))
    assert (report.why, report.order) == ("always", None)
    [gap] = report.gaps
    began_ms = show.began_us / 1000
    assert gap.from_ms == pytest.approx(began_ms + (FPS + 5) * 40, abs=45)
    assert gap.to_ms == pytest.approx(began_ms + 2 * FPS * 40, abs=45)
    assert played.pictures == 5 * FPS - (2 * FPS - (FPS + 5))
    assert played.sound_s == pytest.approx(5, abs=0.1)


async def test_a_killed_process_loses_less_than_two_seconds_and_its_successor_closes_the_file(opened: Opener) -> None:
    async with opened(record_always=True) as rig:
        async with rig.recorder() as process:
            await rig.relay.heard("take", "*")
            show = Show(rig.relay, "REC-3", group=10 * FPS, length_s=9)
            await show.begin()
            await show.play(9)
            await until(lambda: any(pictures_in(file) > 7 * FPS for file in rig.folder.glob("*/*/*/REC-3/*.mp4")))
            process.kill()
            await process.wait()
        async with rig.recorder():
            report = await rig.report()
            played = play(file_of(rig, report))
    assert not report.complete
    assert report.started_ms == pytest.approx(show.began_us / 1000, abs=2)
    assert report.ended_ms - report.started_ms == pytest.approx(1000 * max(played.picture_s) + 40, abs=60)
    assert report.ended_ms - report.started_ms > 7000


def pictures_in(file: Path) -> int:
    """Of a file that is being written."""
    try:
        return play(file).pictures
    except (OSError, ValueError, IndexError):
        return 0


async def test_a_report_is_repeated_until_it_is_confirmed_even_by_the_next_process(opened: Opener) -> None:
    async with opened(record_always=True) as rig:
        async with rig.recorder():
            await rig.relay.heard("take", "*")
            show = Show(rig.relay, "REC-4")
            await show.begin()
            await show.play(2)
            await show.end()
            first, again = await rig.report(), await rig.report()
            assert first == again
        async with rig.recorder():
            message = await rig.reported()
            assert RecordingReport.decode(message.payload) == first
            await rig.confirm(message.topic, first)
            beside = (rig.folder / first.file).with_suffix(".json")
            await until(beside.exists)
            assert RecordingReport.decode(beside.read_bytes()) == first
            assert await rig.measure("xunlu_record_unconfirmed") == 0


async def test_another_size_and_the_age_of_a_file_begin_new_ones_without_a_seam(opened: Opener) -> None:
    async with opened(record_always=True, record_split_s=10) as rig, rig.recorder():
        await rig.relay.heard("take", "*")
        show = Show(rig.relay, "REC-5", length_s=15)
        await show.begin()
        await show.play(12)
        show.width = 256
        await show.play(3)
        await show.end()
        reports = [await rig.report() for _ in range(3)]
        played = [play(file_of(rig, report)) for report in reports]
    assert [one.pictures for one in played] == [10 * FPS, 2 * FPS, 3 * FPS]
    assert [one.size[0] for one in played] == [192, 192, 256]
    assert sum(one.sound_s for one in played) == pytest.approx(15, abs=0.1)
    for before, after in pairwise(reports):
        assert after.started_ms == pytest.approx(before.ended_ms, abs=25)
    assert not any(report.gaps for report in reports)


async def test_a_withdrawn_order_ends_the_recording_and_a_relay_that_dies_too(opened: Opener) -> None:
    async with opened() as rig, rig.recorder():
        for did, number in (("REC-6", 1), ("REC-7", 2)):
            await rig.order(did)
            await rig.relay.heard("take", did)
            show = Show(rig.relay, did, number=number)
            await show.begin()
            await show.play(2)
        await rig.withdraw("REC-6")
        await rig.relay.heard("leave", "REC-6")
        assert (await rig.report()).did == "REC-6"
        await rig.relay.__aexit__()
        assert (await rig.report()).did == "REC-7"


async def test_nonsense_of_the_relay_is_counted_and_stops_nothing(opened: Opener) -> None:
    async with opened(record_always=True) as rig, rig.recorder():
        await rig.relay.heard("take", "*")
        for nonsense in (
            b"?",
            b"P",
            b"P{}",
            b'P{"did":"../../x","path":1,"began_ms":1,"tracks":[]}',
            b"E{",
            b"R",
            b"S",
        ):
            await rig.relay.send(nonsense)
        show = Show(rig.relay, "REC-8")
        await show.begin()
        for number in range(40):
            head = b"R" + (1).to_bytes(2) + bytes((number % 2,)) + show.began_us.to_bytes(8)
            await rig.relay.send(head + bytes(number * 37 % 256 for _ in range(number)))
        await show.play(3)
        await show.end()
        report = await rig.report()
        assert play(file_of(rig, report)).pictures == 3 * FPS
        await eventually(lambda: rig.counted("xunlu_record_invalid_messages_total", len(nonsense)))
        assert await rig.measure('xunlu_record_packets_total{reason="malformed"}') > 0


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_what_stock_aiortc_publishes_to_a_relay_is_recorded(
    opened: Opener, broker: TestBroker, tmp_path: Path, codec: str
) -> None:
    async with running_relay(broker, tmp_path, idle_grace_s=1) as relay, opened(run=relay.run) as rig, rig.recorder():
        publisher = Client(relay, "REC-10")
        await rig.order("REC-10")
        await eventually(lambda: rig.healthy("relay"))
        await publisher.publish(codec)
        await eventually(lambda: rig.counted("xunlu_record_frames_total", 400))
        await rig.withdraw("REC-10")
        report = await rig.report()
        await eventually(publisher.ended)
        await publisher.close()
        played = play(file_of(rig, report))
    assert (report.video, report.audio, report.complete, report.gaps) == (codec, "opus", True, ())
    assert report.ended_ms - report.started_ms == pytest.approx(1000 * played.ends_s, abs=100)
    # Until the first reports the sound lies where a busy machine sent it: what they move it by is left out, or missing.
    assert played.sound_s == pytest.approx(played.picture_s[-1], abs=1)
    assert played.size == (320, 180)


async def test_a_disk_without_room_is_left_alone_and_said_aloud(opened: Opener) -> None:
    async with opened(record_always=True, record_free_bytes_min=2**60) as rig, rig.recorder("/metrics"):
        page = await rig.page("/readyz")
        assert page.status_code == 503
        assert "make room" in page.json()["checks"]["disk"]["why"]
        await eventually(lambda: rig.healthy("relay"))
        await Show(rig.relay, "REC-9").begin()
        assert not rig.relay.said
    assert not list(rig.folder.glob("*/*/*/*/*"))


async def test_a_folder_has_one_recorder_process(opened: Opener) -> None:
    async with opened() as rig, rig.recorder():
        command = (sys.executable, "-m", "xunlu_streaming", "record")
        second = await asyncio.create_subprocess_exec(*command, env=rig.environment, stderr=asyncio.subprocess.PIPE)
        _, said = await asyncio.wait_for(second.communicate(), 15)
    assert second.returncode == 1
    assert b"belongs to another recorder process" in said
