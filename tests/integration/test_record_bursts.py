"""What the recorder process keeps of push-to-talk: each burst as a file of its own, as long as it lasted."""

import asyncio
import hashlib
import json
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
import pytest

from tests.integration.ingest_rig import eventually
from tests.integration.record_rig import Relay, Rig, Speech, record_rig, until
from tests.integration.talk_rig import running_net
from tests.services import TestBroker
from xunlu_protocol.talk import Granted
from xunlu_protocol.talk_reports import BurstReport, TalkAck
from xunlu_protocol.topics import talk_ack
from xunlu_streaming.tap_messages import PACKET

pytestmark = pytest.mark.integration

Opener = Callable[..., AbstractAsyncContextManager[tuple[Rig, Relay]]]


@pytest.fixture
def opened(broker: TestBroker, tmp_path: Path, request: pytest.FixtureRequest) -> Opener:
    """A rig of this test alone, by its name as the tenant, and the talk server's end of its tap."""
    tenant = hashlib.sha1(request.node.nodeid.encode()).hexdigest()[:16]

    @asynccontextmanager
    async def opener(**settings: Any) -> AsyncIterator[tuple[Rig, Relay]]:
        async with record_rig(broker, tmp_path, tenant, **settings) as rig, Relay(tmp_path / "run/ptt.tap") as server:
            yield rig, server

    return opener


async def reported(rig: Rig) -> BurstReport:
    return BurstReport.decode((await rig.reported()).payload)


def file_of(rig: Rig, report: BurstReport) -> Path:
    """The file of a report, checked against it."""
    file = rig.folder / report.file
    assert file.stat().st_size == report.size_bytes
    assert hashlib.sha256(file.read_bytes()).hexdigest() == report.sha256
    assert stat.S_IMODE(file.stat().st_mode) == 0o440
    return file


def length_s(file: Path) -> float:
    """Decode all of a file; 0 for one that has only begun."""
    try:
        with av.open(str(file)) as container:
            return sum(frame.samples for frame in container.decode(audio=0)) / 48_000
    except av.error.FFmpegError:
        return 0.0


async def test_a_burst_becomes_a_file_as_long_as_it_lasted_and_says_who_spoke(opened: Opener) -> None:
    async with opened() as (rig, server), rig.recorder():
        await server.heard("take", "*")
        speech = Speech(server, "b-1")
        await speech.begin()
        await speech.say(3, lost=(20, 21, 60), late=(40, 45))
        speech.pause(2.5)
        await speech.say(1)
        await speech.end()
        report = await reported(rig)
        file = file_of(rig, report)
        with av.open(str(file)) as container:
            tags = container.streams[0].metadata
    assert (report.id, report.gid, report.talker, report.did) == ("b-1", "squad-1", "REC-1", "REC-1")
    assert (report.grant, report.urgency, report.lost, report.complete) == (42, 2, 3, True)
    began = datetime.fromtimestamp(speech.began_us / 1e6, UTC)
    assert report.file == f"ptt/{began:%Y/%m/%d}/squad-1/b-1.opus"
    assert report.started_ms == pytest.approx(speech.began_us / 1000, abs=2)
    assert report.ended_ms - report.started_ms == pytest.approx(6500, abs=2)
    assert length_s(file) == pytest.approx(6.5, abs=0.02)
    assert (tags["TITLE"], tags["ARTIST"], tags["PERFORMER"], tags["COMMENT"]) == ("squad-1", "REC-1", "李雷", "b-1")
    assert datetime.fromisoformat(tags["DATE"]).timestamp() == pytest.approx(began.timestamp(), abs=0.002)


async def test_a_killed_process_keeps_what_was_said_and_its_successor_goes_on_in_another_file(opened: Opener) -> None:
    async with opened() as (rig, server):
        speech = Speech(server, "b-2")
        async with rig.recorder() as process:
            await server.heard("take", "*")
            await speech.begin()
            await speech.say(1.7)
            # No end, no full page: the recorder alone sees to it, at the latest after a second.
            await until(lambda: any(length_s(file) > 1.6 for file in rig.folder.glob("ptt/*/*/*/squad-1/b-2.opus")))
            process.kill()
            await process.wait()
        server.said.clear()
        async with rig.recorder():
            first = await reported(rig)
            await rig.session.publish(talk_ack(rig.tenant, "nobody"), TalkAck(bursts=("b-2",)).encode())
            await server.heard("take", "*")
            await speech.begin()
            await speech.say(1)
            await speech.end()
            second = first
            while second.id == first.id:
                second = await reported(rig)
            assert length_s(file_of(rig, first)) == pytest.approx(1.7, abs=0.02)
            assert length_s(file_of(rig, second)) == pytest.approx(1, abs=0.02)
    assert not first.complete
    assert first.ended_ms - first.started_ms == pytest.approx(1700, abs=20)
    assert (second.id, second.grant, second.complete) == ("b-2-2", 42, True)


async def test_a_report_is_repeated_until_it_is_confirmed_even_by_the_next_process(opened: Opener) -> None:
    async with opened() as (rig, server):
        async with rig.recorder():
            await server.heard("take", "*")
            speech = Speech(server, "b-3")
            await speech.begin()
            await speech.say(1)
            await speech.end()
            first = await reported(rig)
            assert await reported(rig) == first
        async with rig.recorder():
            message = await rig.reported()
            assert BurstReport.decode(message.payload) == first
            ack = TalkAck(bursts=(first.id,))
            await rig.session.publish(talk_ack(rig.tenant, message.topic.rpartition("/")[2]), ack.encode())
            beside = (rig.folder / first.file).with_suffix(".json")
            await until(beside.exists)
            assert BurstReport.decode(beside.read_bytes()) == first
            assert await rig.measure("xunlu_record_unconfirmed_bursts") == 0


async def test_bursts_at_once_stay_apart_and_end_with_the_talk_server(opened: Opener) -> None:
    async with opened() as (rig, server), rig.recorder():
        await server.heard("take", "*")
        both = [Speech(server, "b-4", number=1), Speech(server, "b-5", number=2)]
        for speech in both:
            await speech.begin()
        for _ in range(5):
            for speech in both:
                await speech.say(0.3)
        await eventually(lambda: rig.counted("xunlu_record_bursts", 2))
        await server.__aexit__()
        reports = {report.id: report for report in [await reported(rig), await reported(rig)]}
        assert sorted(reports) == ["b-4", "b-5"]
        assert [length_s(file_of(rig, report)) for report in reports.values()] == pytest.approx([1.5, 1.5], abs=0.02)


async def test_a_long_burst_goes_on_in_a_new_file_and_silence_ends_it(opened: Opener) -> None:
    async with opened(record_burst_s_max=5, record_bursts_max=1) as (rig, server), rig.recorder():
        await server.heard("take", "*")
        speech = Speech(server, "b-6")
        await speech.begin()
        await Speech(server, "b-7", number=2).begin()
        await eventually(lambda: rig.counted("xunlu_record_invalid_messages_total", 1))
        await speech.say(7, lost=(100, 300, 301))
        # Its end is never told.
        first = second = await reported(rig)
        while second.id == first.id:
            second = await reported(rig)
        assert (first.id, second.id, first.grant, second.grant) == ("b-6", "b-6-2", 42, 42)
        assert [length_s(file_of(rig, report)) for report in (first, second)] == pytest.approx([5, 2], abs=0.02)
        assert second.started_ms == pytest.approx(first.ended_ms, abs=2)
        assert (first.lost, second.lost) == (1, 2)


async def test_nonsense_of_the_talk_server_is_counted_and_stops_nothing(opened: Opener) -> None:
    async with opened() as (rig, server), rig.recorder():
        await server.heard("take", "*")
        speech = Speech(server, "b-8")
        await speech.begin()
        told = {"burst": 3, "id": "b-9", "gid": "../../x", "talker": "REC-1", "name": "", "grant": 1, "began_ms": 1}
        nonsense = [b"?", b"B", b"B{}", b"E{", b"R", b"P{}", b"B" + json.dumps(told).encode()]
        nonsense += [PACKET.pack(b"R", 1, 1, 2**62) + bytes(20), PACKET.pack(b"R", 1, 0, 1) + bytes(20)]
        for one in nonsense:
            await server.send(one)
        for number in range(1, 40):
            garbage = bytes(number * 37 % 256 for _ in range(number))
            await server.send(PACKET.pack(b"R", 1, 1, speech.began_us) + garbage)
        await speech.say(2)
        await speech.end()
        report = await reported(rig)
        assert length_s(file_of(rig, report)) == pytest.approx(2, abs=0.02)
        await eventually(lambda: rig.counted("xunlu_record_invalid_messages_total", len(nonsense)))
        assert await rig.measure('xunlu_record_packets_total{reason="malformed"}') > 0


async def test_a_disk_without_room_is_left_alone(opened: Opener) -> None:
    async with opened(record_free_bytes_min=2**60) as (rig, server), rig.recorder("/metrics"):
        await eventually(lambda: rig.healthy("talk"))
        speech = Speech(server, "b-10")
        await speech.begin()
        await speech.say(1)
        await speech.end()
        assert not server.said
    assert not list(rig.folder.glob("ptt/*/*/*/*/*"))


async def test_what_the_talk_server_lets_through_is_kept_under_the_number_of_its_grant(
    opened: Opener, broker: TestBroker, tmp_path: Path
) -> None:
    async with running_net(broker, tmp_path) as net, opened(run=tmp_path) as (rig, _), rig.recorder():
        gid = await net.group("a", "b")
        talker, listener = net.person("a", 440), net.person("b", 900)
        await asyncio.gather(talker.join(gid), listener.join(gid))
        await eventually(lambda: rig.healthy("talk"))
        await talker.press(gid)
        granted = await talker.told(Granted, gid=gid)
        await listener.hears(talker)
        await talker.let_go(gid)
        report = await reported(rig)
        file = file_of(rig, report)
    assert (report.gid, report.talker, report.grant, report.lost) == (gid, "a", granted.grant, 0)
    assert length_s(file) == pytest.approx((report.ended_ms - report.started_ms) / 1000, abs=0.02)
    assert length_s(file) > 0
