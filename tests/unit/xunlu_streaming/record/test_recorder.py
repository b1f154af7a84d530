"""A disk that fills ends recording in good time, and one that has room again lets it go on."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.integration.record_rig import Relay, Show, Speech, until
from xunlu_kit.mqtt import Broker, Session, SessionOptions
from xunlu_protocol.media import RecordingReport
from xunlu_protocol.talk_reports import BurstReport
from xunlu_streaming.record import keeper
from xunlu_streaming.record import recorder as module
from xunlu_streaming.record.bursts import Bursts
from xunlu_streaming.record.config import RecordSettings
from xunlu_streaming.record.keeper import Keeper
from xunlu_streaming.record.ledger import BurstDraft, Ledger, RecordingDraft
from xunlu_streaming.record.measures import Measures
from xunlu_streaming.record.recorder import Recorder
from xunlu_streaming.record.reports import Reports


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecordSettings:
    monkeypatch.setattr(module, "TICK_S", 0.02)
    monkeypatch.setattr(keeper, "RETRY_S", 0.1)
    return RecordSettings(run=tmp_path / "run", recordings=tmp_path, record_always=True, record_free_bytes_min=500)


class Shop:
    """A recorder without a broker, and what it keeps."""

    def __init__(self, settings: RecordSettings) -> None:
        self.measures = Measures()
        self.shown = Ledger(settings.recordings, RecordingDraft, RecordingReport)
        self.spoken = Ledger(settings.recordings, BurstDraft, BurstReport, "ptt")
        self._settings = settings
        for ledger in (self.shown, self.spoken):
            ledger.open()

    @contextlib.asynccontextmanager
    async def recorder(self) -> AsyncIterator[Recorder]:
        """It runs inside, and has finished all files afterwards."""
        nowhere = Session(Broker(host="", port=0, username="", password=""), SessionOptions(client_id="none"))
        measures, settings = self.measures, self._settings
        with ThreadPoolExecutor(1) as pool:
            pictures = Reports(nowhere, "topic", self.shown, pool, measures.unconfirmed)
            speech = Reports(nowhere, "topic", self.spoken, pool, measures.unconfirmed_bursts)
            async with asyncio.TaskGroup() as files:
                bursts = Bursts(settings, Keeper(speech, files, measures, 1), measures)
                recorder = Recorder(settings, Keeper(pictures, files, measures, 1), bursts, measures)
                running = files.create_task(recorder.run())
                yield recorder
                running.cancel()


async def test_recording_stops_before_the_disk_is_full_and_goes_on_when_it_has_room(
    tmp_path: Path, settings: RecordSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = [1000]
    usage = type(shutil.disk_usage(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2000, 0, free[0]))
    shop = Shop(settings)
    async with (
        Relay(settings.run / "relay-1.tap") as relay,
        Relay(settings.run / "ptt.tap") as server,
        shop.recorder() as recorder,
    ):
        await relay.heard("take", "*")
        await server.heard("take", "*")
        show, speech = Show(relay, "REC-1"), Speech(server, "b-1")
        await show.begin()
        await show.play(2)
        await speech.begin()
        await speech.say(2)
        await until(lambda: len(recordings_in(tmp_path)) == len(bursts_in(tmp_path)) == 1)
        free[0] = 499
        await relay.heard("leave", "*")
        await server.heard("leave", "*")
        await until(lambda: len(shop.shown.unconfirmed()) == len(shop.spoken.unconfirmed()) == 1)
        assert "make room" in str(recorder.trouble)
        relay.said.clear()
        server.said.clear()
        free[0] = 600
        await relay.heard("take", "*")
        await server.heard("take", "*")
        await show.begin()
        await show.play(2)
        await speech.begin()
        await speech.say(2)
        await until(lambda: len(recordings_in(tmp_path)) == len(bursts_in(tmp_path)) == 2)
    assert recorder.trouble is None
    assert [report.complete for report in shop.shown.unconfirmed()] == [True, True]
    assert [report.id for report in shop.spoken.unconfirmed()] == ["b-1", "b-1-2"]


def recordings_in(folder: Path) -> list[Path]:
    return list(folder.glob("*/*/*/REC-1/*.mp4"))


def bursts_in(folder: Path) -> list[Path]:
    return list(folder.glob("ptt/*/*/*/*/*.opus"))


async def test_a_burst_that_the_disk_refused_goes_on_in_another_file_and_says_what_is_missing(
    tmp_path: Path, settings: RecordSettings
) -> None:
    blocked = tmp_path / "ptt" / f"{datetime.now(UTC):%Y}"
    shop = Shop(settings)
    blocked.write_bytes(b"no folder")
    async with Relay(settings.run / "ptt.tap") as server, shop.recorder():
        await server.heard("take", "*")
        speech = Speech(server, "b-2")
        await speech.begin()
        await speech.say(1)
        failures = "xunlu_record_failures_total"
        await until(lambda: shop.measures.registry.get_sample_value(failures))
        await speech.say(1)
        blocked.unlink()
        async with asyncio.timeout(10):
            while not bursts_in(tmp_path):
                await speech.say(0.1)
                await asyncio.sleep(0.02)
        await speech.say(1)
        await speech.end()
        await until(shop.spoken.unconfirmed)
    [report] = shop.spoken.unconfirmed()
    refused = shop.measures.registry.get_sample_value("xunlu_record_dropped_total", {"reason": "refused"})
    assert refused is not None
    assert report.lost == refused >= 50
    assert report.started_ms - speech.began_us // 1000 >= 2000
