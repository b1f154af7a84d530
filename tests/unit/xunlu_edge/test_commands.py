"""Commands: once each, answered step by step, honestly."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.xunlu_edge.rig import (
    START_MS,
    HandClock,
    Machine,
    Mailbox,
    Receiver,
    VideoRecorder,
    bench_database,
    bench_hardware,
    epoch_bytes,
    settle,
)
from xunlu_edge.actions import Actions
from xunlu_edge.clock_watch import ClockWatch
from xunlu_edge.commands import WAITING_MAX, Commands
from xunlu_edge.events import Events
from xunlu_edge.journal import Journal
from xunlu_edge.ledger import Ledger
from xunlu_edge.live import Live
from xunlu_edge.notes import Notes
from xunlu_edge.outbox import Outbox
from xunlu_edge.positions import Positions
from xunlu_edge.settings import AgentSettings
from xunlu_edge.shadow import ShadowKeeper
from xunlu_edge.situation import Situation
from xunlu_edge.uplink import Uplink
from xunlu_protocol.command import BAD_ARGUMENTS, BUSY, EXPIRED, HARDWARE, UNSUPPORTED

EXPIRY = START_MS // 1000 + 60


class Bench:
    """Everything that a command touches."""

    def __init__(self, folder: Path) -> None:
        self.clock = HandClock()
        self.hardware = bench_hardware()
        self.database = bench_database(folder)
        self.situation = Situation()
        self.mailbox = Mailbox()
        self.rebooted = False
        self.configured = False
        watch = ClockWatch(self.clock)
        self.outbox = Outbox(self.database, self.clock, bytes_max=1_000_000)
        journal = Journal(self.outbox, Uplink(self.outbox, self.mailbox, self.clock, resend_after_s=30), watch)
        events = Events(self.hardware, journal, self.situation, self.database, watch, self.clock)
        self.positions = Positions(self.hardware, journal, self.situation, watch, self.clock)
        settings = AgentSettings(state=folder)
        self.live = Live(self.hardware, settings, watch)
        actions = Actions(
            hardware=self.hardware,
            positions=self.positions,
            events=events,
            shadow=ShadowKeeper(self.database, self.situation),
            situation=self.situation,
            live=self.live,
            notes=Notes(self.hardware, settings, self.database, self.clock),
            watch=watch,
            clock=self.clock,
        )
        self.commands = Commands(
            Ledger(self.database, self.clock),
            actions,
            self.mailbox,
            watch,
            on_reboot=self._reboot,
            on_config=self._configure,
        )
        self.tasks = [
            asyncio.create_task(self.commands.work(), name="work"),
            asyncio.create_task(self.commands.send_replies(), name="replies"),
            asyncio.create_task(self.positions.run(), name="positions"),
            asyncio.create_task(self.live.run(), name="live"),
        ]

    def _reboot(self) -> None:
        self.rebooted = True

    def _configure(self) -> None:
        self.configured = True

    def ask(self, rid: str, name: str, *, exp: int = EXPIRY, **args: object) -> None:
        self.commands.receive(rid, json.dumps({"rid": rid, "name": name, "args": args, "exp": exp}).encode())

    def replies(self, rid: str) -> list[dict[str, Any]]:
        return [json.loads(payload) for channel, tail, payload in self.mailbox.sent if (channel, tail) == ("rpc", rid)]

    def steps(self, rid: str) -> list[str]:
        return [reply["st"] for reply in self.replies(rid)]

    async def outcome(self, rid: str, *finals: str) -> dict[str, Any]:
        async with asyncio.timeout(5):
            while not (steps := self.steps(rid)) or steps[-1] not in (finals or ("done", "failed", "rejected")):
                self.mailbox.arrived.clear()
                await self.mailbox.arrived.wait()
        return self.replies(rid)[-1]

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks.clear()
        self.database.close()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    await bench.close()


async def test_a_command_is_answered_step_by_step(bench: Bench) -> None:
    bench.ask("c1", "record_start", category="inspection")
    assert (await bench.outcome("c1"))["result"] == {"rec": "R1"}
    assert bench.steps("c1") == ["delivered", "accepted", "running", "done"]
    assert bench.hardware.recording == "R1"


async def test_the_same_rid_twice_is_one_command(bench: Bench) -> None:
    bench.ask("c1", "record_start")
    await bench.outcome("c1")
    bench.ask("c1", "record_start")
    await bench.mailbox.wait_for(5)
    assert bench.steps("c1")[-2:] == ["done", "done"]
    assert isinstance(bench.hardware.recorder, VideoRecorder)
    assert bench.hardware.recorder.count == 1


async def test_the_same_rid_is_one_command_after_a_restart_too(bench: Bench, tmp_path: Path) -> None:
    bench.ask("c1", "record_start")
    await bench.outcome("c1")
    await bench.close()
    again = Bench(tmp_path)
    again.ask("c1", "record_start")
    assert (await again.outcome("c1"))["st"] == "done"
    assert again.hardware.recording is None
    await again.close()


@pytest.mark.parametrize("name", ["photo", "say_text", "lock", "unlock", "lamp", "fly_home"])
async def test_what_this_hardware_cannot_do_is_rejected_as_unsupported(bench: Bench, name: str) -> None:
    bench.ask("c1", name, text="你好", lamp="white", on=True)
    reply = await bench.outcome("c1")
    assert (reply["st"], reply["code"]) == ("rejected", UNSUPPORTED)


async def test_a_late_command_does_not_start(bench: Bench) -> None:
    bench.ask("c1", "record_start", exp=START_MS // 1000 - 1)
    assert (await bench.outcome("c1"))["code"] == EXPIRED
    assert bench.hardware.recording is None


@pytest.mark.parametrize(
    "payload",
    [
        b"{",
        b"[]",
        b'{"rid": "c1", "name": "track_interval", "args": {"interval_s": -1}, "exp": 2000000000}',
        b'{"rid": "other", "name": "photo", "args": {}, "exp": 2000000000}',
        b'{"rid": "c1", "name": "config", "args": {"config": {"moving_s": "fast"}}, "exp": 2000000000}',
        b'{"rid": "c1", "name": "config", "args": {"config": {"colour": 1}}, "exp": 2000000000}',
    ],
    ids=["json", "type", "bounds", "foreign-rid", "bad-setting", "unknown-setting"],
)
async def test_bad_arguments_change_nothing(bench: Bench, payload: bytes) -> None:
    before = bench.situation.config
    bench.commands.receive("c1", payload)
    assert (await bench.outcome("c1"))["code"] == BAD_ARGUMENTS
    assert bench.situation.config == before


async def test_recording_twice_is_busy(bench: Bench) -> None:
    bench.ask("c1", "record_start")
    await bench.outcome("c1")
    bench.ask("c2", "record_start")
    assert (await bench.outcome("c2"))["code"] == BUSY
    bench.ask("c3", "record_stop")
    assert (await bench.outcome("c3"))["result"] == {"rec": "R1"}
    bench.ask("c4", "record_stop")
    assert (await bench.outcome("c4"))["code"] == BUSY


async def test_too_many_commands_are_refused_as_busy(bench: Bench) -> None:
    for number in range(WAITING_MAX + 1):
        bench.ask(f"c{number}", "record_stop")
    reply = await bench.outcome(f"c{WAITING_MAX}")
    assert (reply["st"], reply["code"]) == ("rejected", BUSY)


async def test_locate_now_reports_the_next_fix_at_once(bench: Bench) -> None:
    assert isinstance(bench.hardware.gnss, Receiver)
    for second in range(2):
        bench.hardware.gnss.said.put_nowait(epoch_bytes(START_MS + second * 1000))
    bench.ask("c1", "locate_now")
    await bench.outcome("c1", "running")
    bench.hardware.gnss.said.put_nowait(epoch_bytes(START_MS + 2000) + epoch_bytes(START_MS + 3000))
    assert (await bench.outcome("c1"))["result"] == {"sid": bench.outbox.sid, "seq": bench.outbox.seq}


async def test_track_interval_sets_the_rate_for_a_while(bench: Bench) -> None:
    bench.ask("c1", "track_interval", interval_s=1, duration_s=60)
    assert (await bench.outcome("c1"))["result"] == {"until": START_MS // 1000 + 60}
    now = bench.clock.monotonic_s()
    assert bench.situation.activity(now + 59, recording=False).interval_s == 1
    assert bench.situation.activity(now + 61, recording=False).interval_s is None
    bench.ask("c2", "track_interval", interval_s=0)
    await bench.outcome("c2")
    assert bench.situation.activity(now, recording=False).interval_s is None


async def test_config_changes_some_settings_and_reports_them(bench: Bench) -> None:
    bench.ask("c1", "config", config={"moving_s": 1})
    await bench.outcome("c1")
    assert (bench.situation.config.moving_s, bench.situation.config.still_s) == (1, 15)
    assert bench.configured


async def test_a_reboot_is_done_when_the_next_session_says_so(bench: Bench, tmp_path: Path) -> None:
    bench.ask("c1", "reboot")
    await bench.outcome("c1", "running")
    await settle()
    assert bench.rebooted
    assert isinstance(bench.hardware.system, Machine)
    assert bench.hardware.system.reboots == 1
    await bench.close()
    again = Bench(tmp_path)
    again.commands.connected()
    assert (await again.outcome("c1"))["st"] == "done"
    await again.close()


async def test_a_command_cut_short_by_a_restart_has_failed(bench: Bench, tmp_path: Path) -> None:
    bench.ask("c1", "locate_now")
    await bench.outcome("c1", "running")
    await bench.close()
    again = Bench(tmp_path)
    again.commands.connected()
    reply = await again.outcome("c1")
    assert (reply["st"], reply["code"]) == ("failed", HARDWARE)
    await again.close()


async def test_a_reply_that_could_not_be_sent_is_sent_after_the_next_connect(bench: Bench) -> None:
    bench.mailbox.reachable = False
    bench.ask("c1", "record_start")
    await settle()
    assert bench.hardware.recording == "R1"
    bench.mailbox.reachable = True
    bench.commands.connected()
    assert (await bench.outcome("c1"))["st"] == "done"


async def test_a_disk_that_refuses_costs_no_answer(bench: Bench) -> None:
    bench.ask("c1", "record_start")
    bench.database.execute("pragma query_only = on")
    assert (await bench.outcome("c1"))["st"] == "done"
    await settle()
    assert not any(task.done() for task in bench.tasks)
