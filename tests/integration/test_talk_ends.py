"""When a talk group is over by itself: after a silence, never while somebody talks."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.integration.ingest_rig import Rig, rig
from tests.services import TestBroker, TestDatabase
from xunlu_platform.store.store import Store
from xunlu_platform.store.talk import put_off_ends

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def made(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Rig]:
    """A group that a silence of an hour ends; it was made half an hour ago."""
    async with rig(database, broker) as one:
        await one.device()
        await one.connection.execute(
            "insert into talk_group (gid, unit_id, kind, name, created_at, until, silence_s)"
            " select 'g', id, 'temporary', 'g', now() - interval '30 min', now() + interval '30 min', 3600"
            " from unit where parent_id is null"
        )
        yield one


@pytest_asyncio.fixture
async def store(database: TestDatabase) -> AsyncIterator[Store]:
    async with Store(database.dsn("jobs")) as opened:
        yield opened


async def log(made: Rig, what: str, minutes_ago: int, grant: int | None) -> None:
    await made.connection.execute(
        "insert into floor_entry (id, gid, unit_id, at, what, who, grant_number, urgency, priority)"
        " select %s, gid, unit_id, now() - make_interval(mins => %s), %s, 'R1', %s, 0, 100 from talk_group"
        " where gid = 'g'",
        [f"{what}-{minutes_ago}", minutes_ago, what, grant],
    )


async def left_min(made: Rig) -> int:
    """Minutes until it is over."""
    rows = await made.rows(
        "select round(extract(epoch from until - now()) / 60)::int as left from talk_group where gid = 'g'"
    )
    return int(rows[0]["left"])


async def test_what_was_said_last_puts_off_the_end(made: Rig, store: Store) -> None:
    await log(made, "granted", 11, 1)
    await log(made, "released", 10, 1)
    assert await put_off_ends(store) == 1
    assert await left_min(made) == 50
    assert await put_off_ends(store) == 0


async def test_a_burst_that_is_still_on_counts_as_now(made: Rig, store: Store) -> None:
    await log(made, "granted", 29, 1)
    assert await put_off_ends(store) == 1
    assert await left_min(made) == 60


async def test_whoever_comes_goes_or_is_refused_puts_off_nothing(made: Rig, store: Store) -> None:
    for what in ("joined", "denied", "parted"):
        await log(made, what, 1, None)
    assert await put_off_ends(store) == 0
    assert await left_min(made) == 30


async def test_a_group_that_is_over_stays_over(made: Rig, store: Store) -> None:
    await log(made, "released", 1, 1)
    await made.connection.execute("update talk_group set until = now() - interval '1 s' where gid = 'g'")
    assert await put_off_ends(store) == 0
