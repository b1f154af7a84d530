"""The uplink: live first, backlog in order, again what stays unconfirmed."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.xunlu_edge.rig import START_MS, HandClock, Mailbox, bench_database, settle
from xunlu_edge import uplink as uplink_module
from xunlu_edge.clock_watch import ClockWatch
from xunlu_edge.journal import Journal
from xunlu_edge.outbox import Outbox
from xunlu_edge.uplink import LIVE_AGE_MS, LIVE_WAITING_MAX, Uplink
from xunlu_protocol.confirm import Confirmation
from xunlu_protocol.event import Event
from xunlu_protocol.location import Location

FIX = Location(kind="location", lat=31.23, lon=121.47, tst=START_MS // 1000)
SOS = Event(tst=START_MS // 1000)


class Bench:
    """Outbox, uplink and mailbox of one recorder."""

    def __init__(self, folder: Path, *, bytes_max: int = 10_000_000) -> None:
        self.clock = HandClock()
        self.database = bench_database(folder)
        self.outbox = Outbox(self.database, self.clock, bytes_max=bytes_max)
        self.mailbox = Mailbox()
        self.uplink = Uplink(self.outbox, self.mailbox, self.clock, resend_after_s=30)
        self.journal = Journal(self.outbox, self.uplink, ClockWatch(self.clock))
        self.lanes = [
            asyncio.create_task(self.uplink.send_live(), name="live"),
            asyncio.create_task(self.uplink.send_backlog(), name="backlog"),
        ]

    def fixes(self, count: int) -> None:
        for _ in range(count):
            self.journal.add("loc", FIX)

    def sent(self, channel: str) -> list[int]:
        """Sequences of the locations sent on a channel."""
        values = [json.loads(payload) for where, _, payload in self.mailbox.sent if where == channel]
        return [one["seq"] for value in values for one in (value if isinstance(value, list) else [value])]

    def confirm(self, upto: int, *missing: tuple[int, int]) -> None:
        self.uplink.confirm(Confirmation(sid=self.outbox.sid, upto=upto, missing=missing))

    async def close(self) -> None:
        for lane in self.lanes:
            lane.cancel()
        await asyncio.gather(*self.lanes, return_exceptions=True)
        self.database.close()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    await bench.close()


async def test_a_fix_goes_out_at_once_as_a_single_object(bench: Bench) -> None:
    bench.fixes(1)
    await bench.mailbox.wait_for(1)
    ((channel, _, payload),) = bench.mailbox.sent
    assert channel == "loc"
    assert json.loads(payload)["seq"] == 1


async def test_what_gathers_behind_a_slow_link_goes_in_one_message_of_at_most_fifty(bench: Bench) -> None:
    bench.fixes(60)
    await bench.mailbox.wait_for(2)
    assert [len(json.loads(payload)) for _, _, payload in bench.mailbox.sent] == [50, 10]


async def test_an_event_goes_before_the_locations_of_its_moment(bench: Bench) -> None:
    bench.fixes(2)
    bench.journal.add("sos", SOS)
    await bench.mailbox.wait_for(2)
    assert [(channel, tail) for channel, tail, _ in bench.mailbox.sent] == [("evt", "sos"), ("loc", "")]


async def test_what_was_written_offline_comes_as_backlog_oldest_first(bench: Bench) -> None:
    bench.mailbox.reachable = False
    bench.fixes(120)
    await settle()
    bench.mailbox.reachable = True
    bench.uplink.connected()
    await bench.mailbox.wait_for(3)
    assert bench.sent("loc/hist") == list(range(1, 121))
    assert all(one["hist"] for _, _, payload in bench.mailbox.sent for one in json.loads(payload))


async def test_old_events_come_before_old_locations_and_say_that_they_are_old(bench: Bench) -> None:
    bench.mailbox.reachable = False
    bench.fixes(3)
    bench.journal.add("sos", SOS)
    bench.clock.pass_s(61)
    bench.mailbox.reachable = True
    bench.uplink.connected()
    await bench.mailbox.wait_for(2)
    assert [channel for channel, _, _ in bench.mailbox.sent] == ["evt", "loc/hist"]
    assert Event.decode(bench.mailbox.sent[0][2]).hist is True


async def test_a_location_that_waited_too_long_for_the_live_lane_is_back_filled(bench: Bench) -> None:
    bench.fixes(1)
    bench.clock.pass_s(LIVE_AGE_MS / 1000 + 1)
    await bench.mailbox.wait_for(1)
    assert bench.mailbox.sent[0][0] == "loc/hist"


async def test_what_stays_unconfirmed_is_sent_again(bench: Bench) -> None:
    bench.fixes(3)
    await bench.mailbox.wait_for(1)
    bench.uplink.connected()
    await bench.mailbox.wait_for(2)
    bench.clock.pass_s(31)
    bench.uplink._due_changed.set()
    await bench.mailbox.wait_for(3)
    assert bench.sent("loc/hist") == [1, 2, 3, 1, 2, 3]


async def test_what_is_missing_is_sent_again_and_what_is_held_is_not(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uplink_module, "MISSING_AFTER_S", 0.0)
    bench.fixes(10)
    await bench.mailbox.wait_for(1)
    bench.confirm(9, (3, 4), (7, 7))
    await bench.mailbox.wait_for(2)
    assert bench.sent("loc/hist") == [3, 4, 7]
    assert bench.outbox.count == 4


async def test_after_a_long_silence_of_the_platform_the_first_confirmation_brings_the_rest_soon(bench: Bench) -> None:
    bench.fixes(3)
    await bench.mailbox.wait_for(1)
    bench.uplink.connected()
    for sent in range(2, 7):
        await bench.mailbox.wait_for(sent)
        await settle()
        bench.clock.pass_s(301)
        bench.uplink._due_changed.set()
    await bench.mailbox.wait_for(7)
    await settle()
    bench.confirm(1)
    bench.clock.pass_s(31)
    bench.uplink._due_changed.set()
    await bench.mailbox.wait_for(8)
    assert bench.sent("loc/hist")[-2:] == [2, 3]


async def test_a_range_that_the_device_no_longer_holds_starts_nothing(bench: Bench) -> None:
    bench.fixes(2)
    bench.confirm(2)
    bench.confirm(5, (3, 4))
    assert bench.uplink._due_s is None


async def test_the_backlog_waits_for_the_platform(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uplink_module, "WINDOW", 100)
    bench.mailbox.reachable = False
    bench.fixes(400)
    bench.mailbox.reachable = True
    bench.uplink.connected()
    await bench.mailbox.wait_for(3)
    await settle()
    assert len(bench.mailbox.sent) == 3
    bench.confirm(150)
    await bench.mailbox.wait_for(6)
    assert bench.sent("loc/hist") == list(range(1, 301))


async def test_a_full_live_lane_leaves_its_oldest_to_the_backlog_and_counts_them(bench: Bench) -> None:
    bench.fixes(LIVE_WAITING_MAX + 5)
    assert bench.uplink.overflow == 5
    assert bench.outbox.count == LIVE_WAITING_MAX + 5


async def test_a_full_outbox_is_thinned_and_the_thinning_is_reported(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "small", bytes_max=100_000)
    bench.fixes(1000)
    assert bench.outbox.bytes <= 100_000
    reports = bench.outbox.oldest(uplink_module.BEGINNING, bench.outbox.mark, events=True, limit=100)
    ranges = [r for report in reports for r in Event.decode(report.payload).thinned or ()]
    assert sum(r.last - r.first + 1 for r in ranges) == bench.journal.thinned > 0
    assert bench.outbox.count == 1000 + len(reports) - bench.journal.thinned
    assert {Event.decode(report.payload).thinned_sid for report in reports} == {bench.outbox.sid}
    await bench.close()


async def test_an_sos_goes_out_even_when_the_disk_refuses_it(bench: Bench) -> None:
    bench.database.execute("pragma query_only = on")
    bench.journal.add("sos", SOS)
    await bench.mailbox.wait_for(1)
    event = Event.decode(bench.mailbox.sent[0][2])
    assert (event.sid, event.seq, bench.journal.lost) == (bench.outbox.sid, None, 1)


async def test_an_sos_that_the_disk_refuses_in_a_dead_spot_waits_for_the_connection(bench: Bench) -> None:
    bench.mailbox.reachable = False
    bench.database.execute("pragma query_only = on")
    bench.journal.add("sos", SOS)
    bench.fixes(LIVE_WAITING_MAX + 1)
    await settle()
    assert not bench.mailbox.sent
    bench.mailbox.reachable = True
    for _ in range(2):
        bench.uplink.connected()
        await settle()
    events = [payload for channel, _, payload in bench.mailbox.sent if channel == "evt"]
    assert [Event.decode(payload).seq for payload in events] == [None], "told once it is heard, and once only"
