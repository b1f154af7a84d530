"""The floor log keeps what is not confirmed, within its bound, and over the death of its process."""

import asyncio
from pathlib import Path

from tests.talk import until
from xunlu_streaming.talk.floor_log import FloorLog
from xunlu_streaming.talk.spool import Spool


def test_of_too_many_entries_the_oldest_are_given_up_and_counted(tmp_path: Path) -> None:
    with Spool(tmp_path / "log.db") as spool:
        log = FloorLog(100, spool)
        for number in range(130):
            log.note("g", "granted", f"p{number}", grant=number)
        assert (len(log), log.lost) == (100, 30)


def test_confirming_what_was_never_told_changes_nothing(tmp_path: Path) -> None:
    with Spool(tmp_path / "log.db") as spool:
        log = FloorLog(100, spool)
        log.note("g", "joined", "a")
        log.confirm(("unknown",))
        assert (len(log), log.lost) == (1, 0)


async def test_a_successor_finds_in_order_what_was_not_confirmed(tmp_path: Path) -> None:
    with Spool(tmp_path / "log.db") as spool:
        log = FloorLog(100, spool)
        for who in "abc":
            log.note("g", "joined", who)
        await log.write()
        [_, second, _] = spool.entries()
        log.confirm((second.id,))
        log.note("g", "joined", "d")
        await log.write()
        assert log.unsaved == 0
    with Spool(tmp_path / "log.db") as spool:
        assert [entry.who for entry in spool.entries()] == ["a", "c", "d"]
        assert len(FloorLog(100, spool)) == 3
        shorter = FloorLog(2, spool)
        assert (len(shorter), shorter.lost) == (2, 1)


async def test_what_happens_is_saved_without_being_asked_for(tmp_path: Path) -> None:
    with Spool(tmp_path / "log.db") as spool:
        log = FloorLog(100, spool)
        saving = asyncio.create_task(log.save())
        log.note("g", "joined", "a")
        await until(spool.entries)
        saving.cancel()
        await asyncio.gather(saving, return_exceptions=True)


def test_a_file_that_is_no_database_is_set_aside(tmp_path: Path) -> None:
    file = tmp_path / "log.db"
    file.write_bytes(b"no database" * 1000)
    with Spool(file) as spool:
        assert spool.entries() == []
    [aside] = tmp_path.glob("log.broken-*")
    assert aside.read_bytes().startswith(b"no database")


async def test_an_entry_that_cannot_be_read_is_counted_and_left_out(tmp_path: Path) -> None:
    file = tmp_path / "log.db"
    with Spool(file) as spool:
        log = FloorLog(100, spool)
        for who in "ab":
            log.note("g", "joined", who)
        await log.write()
        with spool._database as database:
            database.execute("update entry set body = '{' where rowid = 1")
        assert [entry.who for entry in spool.entries()] == ["b"]
        assert spool.broken == 1
