"""A disk that fills ends recording in good time, and one that has room again lets it go on."""

import asyncio
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.record_rig import Relay, Show, until
from xunlu_kit.mqtt import Broker, Session, SessionOptions
from xunlu_protocol.media import RecordingReport
from xunlu_protocol.talk import BurstReport
from xunlu_streaming.record import recorder as module
from xunlu_streaming.record.bursts import Bursts
from xunlu_streaming.record.config import RecordSettings
from xunlu_streaming.record.keeper import Keeper
from xunlu_streaming.record.ledger import BurstDraft, Ledger, RecordingDraft
from xunlu_streaming.record.measures import Measures
from xunlu_streaming.record.recorder import Recorder
from xunlu_streaming.record.reports import Reports


async def test_recording_stops_before_the_disk_is_full_and_goes_on_when_it_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = [1000]
    monkeypatch.setattr(module, "TICK_S", 0.02)
    usage = type(shutil.disk_usage(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2000, 0, free[0]))
    settings = RecordSettings(run=tmp_path / "run", recordings=tmp_path, record_always=True, record_free_bytes_min=500)
    ledger, measures = Ledger(tmp_path, RecordingDraft, RecordingReport), Measures()
    spoken = Ledger(tmp_path, BurstDraft, BurstReport, "ptt")
    ledger.open()
    nowhere = Session(Broker(host="", port=0, username="", password=""), SessionOptions(client_id="none"))
    with ThreadPoolExecutor(1) as pool:
        reports = Reports(nowhere, "topic", ledger, pool, measures.unconfirmed)
        said = Reports(nowhere, "topic", spoken, pool, measures.unconfirmed_bursts)
        async with Relay(tmp_path / "run" / "relay-1.tap") as relay, asyncio.TaskGroup() as files:
            bursts = Bursts(settings, Keeper(said, files, measures, 1), measures)
            recorder = Recorder(settings, Keeper(reports, files, measures, 1), bursts, measures)
            running = files.create_task(recorder.run())
            await relay.heard("take", "*")
            show = Show(relay, "REC-1")
            await show.begin()
            await show.play(2)
            await until(lambda: any(tmp_path.glob("*/*/*/REC-1/*.mp4")))
            free[0] = 499
            await relay.heard("leave", "*")
            await until(lambda: len(ledger.unconfirmed()) == 1)
            assert "make room" in str(recorder.trouble)
            relay.said.clear()
            free[0] = 600
            await relay.heard("take", "*")
            await show.begin()
            await show.play(2)
            running.cancel()
    assert recorder.trouble is None
    assert [report.complete for report in ledger.unconfirmed()] == [True, True]
