"""The outbox: nothing is forgotten that was not confirmed, whatever dies."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.xunlu_edge.rig import START_MS, HandClock, bench_database
from xunlu_edge.database import FILE_NAME, open_database
from xunlu_edge.errors import StorageError
from xunlu_edge.outbox import Mark, Outbox, Thinned, _held_ranges
from xunlu_protocol.confirm import Confirmation
from xunlu_protocol.event import Event
from xunlu_protocol.location import Location

FIX = Location(kind="location", lat=31.23, lon=121.47, tst=START_MS // 1000)
SOS = Event(tst=START_MS // 1000)
ALL = Mark(2**53, 2**53)
BEGINNING = Mark(-1, 0)


class Bench:
    """Opens outboxes in one folder, and forgets to close them as a power cut does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.databases: list[sqlite3.Connection] = []

    def outbox(self, bytes_max: int = 10_000_000) -> Outbox:
        self.databases.append(bench_database(self.folder))
        return Outbox(self.databases[-1], HandClock(), bytes_max=bytes_max)

    def cut_power(self) -> None:
        """What was not committed is gone."""
        while self.databases:
            database = self.databases.pop()
            database.rollback()
            database.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.cut_power()


def thin(outbox: Outbox) -> list[Thinned]:
    """One step; what went."""
    return [gone for gone, _ in outbox.thin(lambda gone: Event(tst=START_MS // 1000, thinned=gone.ranges))]


def waiting(outbox: Outbox) -> set[tuple[int, int]]:
    """All but the reports of thinning."""
    found = [outbox.oldest(BEGINNING, ALL, events=events, limit=100_000) for events in (True, False)]
    return {(entry.sid, entry.seq) for entries in found for entry in entries if entry.kind != "storage"}


def test_where_an_officer_was_is_for_the_owner_of_the_folder_alone(tmp_path: Path) -> None:
    open_database(tmp_path / "state").close()
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0


def test_locations_and_events_share_one_sequence_without_holes(bench: Bench) -> None:
    outbox = bench.outbox()
    entries = [outbox.append("loc", FIX), outbox.append("sos", SOS), outbox.append("loc", FIX)]
    assert [(entry.sid, entry.seq) for entry in entries] == [(outbox.sid, 1), (outbox.sid, 2), (outbox.sid, 3)]
    assert Location.decode(entries[2].payload).seq == 3
    assert Event.decode(entries[1].payload).sid == outbox.sid


def test_a_power_cut_loses_nothing_that_was_appended(bench: Bench) -> None:
    outbox = bench.outbox()
    first = outbox.sid
    for _ in range(5):
        outbox.append("loc", FIX)
    bench.cut_power()
    outbox = bench.outbox()
    assert waiting(outbox) == {(first, seq) for seq in range(1, 6)}
    assert (outbox.sid, outbox.count) == (first + 1, 5)


def test_a_session_counter_never_repeats(bench: Bench) -> None:
    sids = []
    for _ in range(4):
        sids.append(bench.outbox().sid)
        bench.cut_power()
    assert sids == [START_MS // 1000 + i for i in range(4)]


def test_only_a_confirmation_lets_go(bench: Bench) -> None:
    outbox = bench.outbox()
    for _ in range(10):
        outbox.append("loc", FIX)
    removed = outbox.confirm(Confirmation(sid=outbox.sid, upto=8, missing=((3, 4), (7, 7))))
    assert removed == 5
    assert {seq for _, seq in waiting(outbox)} == {3, 4, 7, 9, 10}
    assert outbox.count == 5


def test_a_confirmation_of_another_session_touches_nothing(bench: Bench) -> None:
    outbox = bench.outbox()
    outbox.append("loc", FIX)
    assert outbox.confirm(Confirmation(sid=outbox.sid - 1, upto=100)) == 0
    assert outbox.count == 1


def test_a_confirmation_lost_in_a_power_cut_costs_a_second_sending_only(bench: Bench) -> None:
    outbox = bench.outbox()
    outbox.append("loc", FIX)
    outbox.confirm(Confirmation(sid=outbox.sid, upto=1))
    assert outbox.count == 0
    bench.cut_power()
    assert bench.outbox().count == 1


def test_confirmations_are_durable_with_the_next_append_and_at_the_end(bench: Bench) -> None:
    outbox = bench.outbox()
    outbox.append("loc", FIX)
    outbox.confirm(Confirmation(sid=outbox.sid, upto=1))
    outbox.append("loc", FIX)
    bench.cut_power()
    outbox = bench.outbox()
    assert outbox.count == 1
    outbox.confirm(Confirmation(sid=outbox.sid - 1, upto=2))
    outbox.close()
    bench.cut_power()
    assert bench.outbox().count == 0


def test_the_oldest_come_first_across_sessions_and_in_pages(bench: Bench) -> None:
    outbox = bench.outbox()
    for _ in range(3):
        outbox.append("loc", FIX)
    bench.cut_power()
    outbox = bench.outbox()
    outbox.append("loc", FIX)
    page = outbox.oldest(BEGINNING, outbox.mark, events=False, limit=2)
    rest = outbox.oldest(page[-1].mark, outbox.mark, events=False, limit=10)
    assert [entry.seq for entry in page + rest] == [1, 2, 3, 1]
    assert rest[-1].sid == outbox.sid


def test_a_disk_that_refuses_uses_up_no_sequence(bench: Bench) -> None:
    outbox = bench.outbox()
    outbox.append("loc", FIX)
    database = bench.databases[-1]
    database.execute("pragma query_only = on")
    with pytest.raises(StorageError, match="disk"):
        outbox.append("loc", FIX)
    database.execute("pragma query_only = off")
    assert outbox.append("loc", FIX).seq == 2


def test_a_disk_that_gives_nothing_back_says_so(bench: Bench) -> None:
    outbox = bench.outbox()
    bench.databases[-1].execute("drop table entry")
    with pytest.raises(StorageError, match="disk"):
        outbox.oldest(BEGINNING, ALL, events=False, limit=1)
    with pytest.raises(StorageError, match="disk"):
        outbox.holds_upto(ALL)


def test_an_unreadable_file_is_set_aside_and_never_deleted(bench: Bench) -> None:
    (bench.folder / FILE_NAME).write_bytes(b"this is no database, but may hold somebody's fixes" * 100)
    outbox = bench.outbox()
    outbox.append("loc", FIX)
    assert (bench.folder / f"{FILE_NAME}.broken-1").read_bytes().startswith(b"this is no database")


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(StorageError, match="state"):
        open_database(tmp_path / "state")


# -- full -------------------------------------------------------------------------------------------------------------


def test_thinning_drops_every_second_of_the_oldest_locations_and_says_which(bench: Bench) -> None:
    outbox = bench.outbox()
    for number in range(1, 2001):
        outbox.append("sos" if number % 100 == 0 else "loc", SOS if number % 100 == 0 else FIX)
    before = waiting(outbox)
    (report,) = thin(outbox)
    gone = {(outbox.sid, seq) for r in report.ranges for seq in range(r.first, r.last + 1)}
    assert waiting(outbox) == before - gone
    assert report.count == len(gone) == 500
    assert max(seq for _, seq in gone) < 1100
    assert not any(seq % 100 == 0 for _, seq in gone)


def test_repeated_thinning_first_halves_everything_then_quarters_the_oldest(bench: Bench) -> None:
    outbox = bench.outbox()
    for _ in range(2000):
        outbox.append("loc", FIX)
    for _ in range(2):
        thin(outbox)
    assert waiting(outbox) == {(outbox.sid, seq) for seq in range(1, 2001, 2)}
    thin(outbox)
    assert waiting(outbox) == {(outbox.sid, seq) for seq in range(1, 2001, 4)}


def test_events_go_only_when_no_location_is_left_and_an_sos_last(bench: Bench) -> None:
    outbox = bench.outbox()
    outbox.append("sos", SOS)
    outbox.append("loc", FIX)
    for _ in range(200):
        outbox.append("mark", SOS)
    thin(outbox)
    assert (outbox.sid, 2) not in waiting(outbox)
    thin(outbox)
    assert waiting(outbox) == {(outbox.sid, 1)}


def test_the_thinned_of_each_session_are_reported_apart(bench: Bench) -> None:
    first = bench.outbox()
    for _ in range(10):
        first.append("loc", FIX)
    bench.cut_power()
    second = bench.outbox()
    for _ in range(10):
        second.append("loc", FIX)
    assert [(report.sid, report.count) for report in thin(second)] == [(first.sid, 5), (second.sid, 5)]


def test_a_power_cut_while_thinning_leaves_everything_or_what_went_with_its_report(bench: Bench) -> None:
    outbox = bench.outbox()
    for _ in range(10):
        outbox.append("loc", FIX)

    def cut(gone: Thinned) -> Event:
        raise StorageError(f"The power went before {gone.count} were reported.")

    with pytest.raises(StorageError):
        outbox.thin(cut)
    bench.cut_power()
    outbox = bench.outbox()
    assert len(waiting(outbox)) == 10
    ((gone, report),) = outbox.thin(lambda gone: Event(tst=START_MS // 1000, thinned=gone.ranges))
    bench.cut_power()
    outbox = bench.outbox()
    assert len(waiting(outbox)) == 10 - gone.count
    assert outbox.oldest(BEGINNING, ALL, events=True, limit=2) == [report]


def test_weight_is_right_after_everything(bench: Bench) -> None:
    outbox = bench.outbox(bytes_max=20_000)
    for _ in range(200):
        outbox.append("loc", FIX)
    assert outbox.is_full
    outbox.confirm(Confirmation(sid=outbox.sid, upto=50))
    thin(outbox)
    count, weight = outbox.count, outbox.bytes
    outbox.close()
    bench.cut_power()
    again = bench.outbox()
    assert (again.count, again.bytes) == (count, weight)


@given(
    upto=st.integers(0, 60),
    missing=st.lists(
        st.tuples(st.integers(0, 70), st.integers(0, 70)).map(lambda pair: (min(pair), max(pair))), max_size=8
    ),
)
def test_held_ranges_are_what_the_confirmation_covers(upto: int, missing: list[tuple[int, int]]) -> None:
    confirmation = Confirmation(sid=1, upto=upto, missing=tuple(missing))
    held = {seq for first, last in _held_ranges(confirmation) for seq in range(first, last + 1)}
    assert held == {seq for seq in range(100) if confirmation.covers(seq)}
