"""Receiver, keys, recordings and telemetry of a recorder, without a broker."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.xunlu_edge.rig import (
    START_MS,
    Battery,
    Card,
    HandClock,
    Keyboard,
    Mailbox,
    Receiver,
    bench_database,
    bench_hardware,
    epoch_bytes,
    settle,
)
from xunlu_edge.clock_watch import ClockWatch
from xunlu_edge.events import Events
from xunlu_edge.hardware import Charge, Signal, Space
from xunlu_edge.journal import Journal
from xunlu_edge.outbox import Outbox
from xunlu_edge.positions import Positions
from xunlu_edge.situation import Situation
from xunlu_edge.telemetry import Reporter
from xunlu_edge.uplink import Uplink


class Bench:
    """A recorder on the bench."""

    def __init__(self, folder: Path) -> None:
        self.clock = HandClock()
        self.hardware = bench_hardware()
        self.database = bench_database(folder)
        self.situation = Situation()
        self.mailbox = Mailbox()
        self.watch = ClockWatch(self.clock)
        self.outbox = Outbox(self.database, self.clock, bytes_max=1_000_000)
        uplink = Uplink(self.outbox, self.mailbox, self.clock, resend_after_s=30)
        self.journal = Journal(self.outbox, uplink, self.watch)
        self.events = Events(self.hardware, self.journal, self.situation, self.database, self.watch, self.clock)
        self.positions = Positions(self.hardware, self.journal, self.situation, self.watch, self.clock)
        self.reporter = Reporter(
            self.hardware, self.situation, self.outbox, self.journal, self.events, self.mailbox, self.watch, self.clock
        )
        self.tasks = [
            asyncio.create_task(self.positions.run(), name="positions"),
            asyncio.create_task(self.events.watch_keys(), name="keys"),
            asyncio.create_task(uplink.send_live(), name="live"),
        ]

    async def press(self, *signals: Signal) -> None:
        assert isinstance(self.hardware.keys, Keyboard)
        for signal in signals:
            self.hardware.keys.pressed.put_nowait(signal)
        await settle()

    async def hear(self, *epochs: bytes) -> None:
        assert isinstance(self.hardware.gnss, Receiver)
        for epoch in epochs:
            self.hardware.gnss.said.put_nowait(epoch)
        await settle()

    def sent(self, channel: str) -> list[tuple[str, Any]]:
        return [(tail, json.loads(payload)) for where, tail, payload in self.mailbox.sent if where == channel]

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.database.close()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    await bench.close()


async def test_a_receivers_fix_is_reported_with_all_it_said(bench: Bench) -> None:
    await bench.hear(epoch_bytes(START_MS + 250, knots=10), epoch_bytes(START_MS + 1250))
    ((_, location),) = bench.sent("loc")
    expected = {
        "lat": 31.23, "lon": 121.47, "tst": START_MS // 1000, "tms": START_MS + 250, "acc": 4.0,
        "vel": 18.5, "cog": 90.0, "alt": 10.1, "batt": 80.0, "bs": 1, "fix": 1, "sat": 12, "bds": 3, "hdop": 0.8,
        "sid": bench.outbox.sid, "seq": 1,
    }  # fmt: skip
    assert location.pop("sys") == ["BDS", "GPS"]
    assert location.pop("_type") == "location"
    assert location == pytest.approx(expected)


async def test_a_silent_line_closes_the_epoch(bench: Bench) -> None:
    await bench.hear(epoch_bytes(START_MS))
    await bench.mailbox.wait_for(1)
    assert bench.sent("loc")[0][1]["tms"] == START_MS


async def test_a_receiver_without_a_fix_reports_no_location(bench: Bench) -> None:
    await bench.hear(epoch_bytes(START_MS, quality=0), epoch_bytes(START_MS + 1000, quality=0))
    assert bench.outbox.count == 0
    assert bench.positions.gate.held_back["no_fix"] == 1
    assert bench.reporter.compose().fix == 0


async def test_an_sos_goes_out_at_once_and_starts_a_recording(bench: Bench) -> None:
    await bench.press("sos")
    (tail, sos), (second, started) = bench.sent("evt")
    assert (tail, second) == ("sos", "rec_start")
    assert "lat" not in sos
    assert started["rec"] == "R1"
    assert bench.situation.sos
    await bench.press("sos_cancel")
    assert not bench.situation.sos


async def test_an_sos_is_on_until_its_key_cancels_it_whatever_restarts_meanwhile(bench: Bench, tmp_path: Path) -> None:
    presses: list[tuple[Signal, bool]] = [("sos", True), ("sos_cancel", False)]
    for signal, is_on in presses:
        await bench.press(signal)
        await bench.close()
        bench = Bench(tmp_path)
        assert bench.situation.sos is is_on
    await bench.close()


async def test_an_event_carries_the_last_known_place_and_its_time(bench: Bench) -> None:
    await bench.hear(epoch_bytes(START_MS), epoch_bytes(START_MS + 1000))
    bench.clock.pass_s(30)
    await bench.press("mark")
    ((_, mark),) = bench.sent("evt")
    assert (mark["lat"], mark["fix_tst"], mark["tst"]) == (31.23, START_MS // 1000, START_MS // 1000 + 30)


async def test_the_record_key_starts_and_stops(bench: Bench) -> None:
    await bench.press("record", "record")
    assert [(tail, event["rec"]) for tail, event in bench.sent("evt")] == [("rec_start", "R1"), ("rec_stop", "R1")]


async def test_a_fix_while_recording_names_the_recording(bench: Bench) -> None:
    await bench.press("record")
    await bench.hear(epoch_bytes(START_MS), epoch_bytes(START_MS + 1000))
    assert bench.sent("loc")[0][1]["rec"] == "R1"


async def test_a_jump_of_the_clock_is_an_event(bench: Bench) -> None:
    watching = asyncio.create_task(bench.events.watch_clock(), name="clock")
    await asyncio.sleep(0)
    bench.clock.wall_ms += 7_200_000
    await bench.mailbox.wait_for(1)
    watching.cancel()
    ((tail, clock),) = bench.sent("evt")
    assert (tail, clock["jump_ms"]) == ("clock", 7_200_000)


async def test_telemetry_tells_the_condition_and_leaves_out_what_is_unknown(bench: Bench) -> None:
    told = json.loads(bench.reporter.compose().encode())
    assert told["batt"] == 80
    assert (told["storage_free_mb"], told["storage_total_mb"], told["rec_left_s"]) == (20_000, 64_000, 36_000)
    assert told["uptime_s"] == 42
    assert {"temp_c", "signal_dbm", "lamps", "rec"}.isdisjoint(told)


async def test_telemetry_goes_out_on_change_and_every_minute(bench: Bench) -> None:
    await bench.reporter._look()
    await bench.reporter._look()
    assert len(bench.sent("tele")) == 1
    bench.clock.pass_s(61)
    await bench.reporter._look()
    await bench.press("record")
    await bench.reporter._look()
    assert [told.get("rec") for _, told in bench.sent("tele")] == [None, None, "R1"]


async def test_a_new_connection_is_told_the_condition_at_once(bench: Bench) -> None:
    telling = asyncio.create_task(bench.reporter.run(), name="telemetry")
    await bench.mailbox.wait_for(1)
    await settle()
    bench.reporter.connected()
    await settle()
    telling.cancel()
    assert len(bench.sent("tele")) == 2


async def test_a_low_battery_is_raised_once_and_again_after_charging(bench: Bench) -> None:
    assert isinstance(bench.hardware.battery, Battery)
    for percent in (21, 19, 18, 22, 19, 26, 19):
        bench.hardware.battery.charge = Charge(percent=percent, state=1)
        await bench.reporter._look()
    await settle()
    assert [tail for tail, _ in bench.sent("evt")] == ["low_batt", "low_batt"]


async def test_a_low_battery_on_the_charger_is_no_news(bench: Bench) -> None:
    assert isinstance(bench.hardware.battery, Battery)
    bench.hardware.battery.charge = Charge(percent=5, state=2)
    await bench.reporter._look()
    await settle()
    assert bench.sent("evt") == []


async def test_low_storage_is_raised_once(bench: Bench) -> None:
    assert isinstance(bench.hardware.storage, Card)
    bench.hardware.storage.space = Space(free_bytes=1_000_000_000, total_bytes=64_000_000_000)
    await bench.reporter._look()
    await bench.reporter._look()
    await settle()
    assert [tail for tail, _ in bench.sent("evt")] == ["storage"]
