"""House-keeping against the real database and broker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from tests.integration.ingest_rig import TENANT, Rig, eventually, now_s, rig
from tests.services import TestBroker, TestDatabase
from xunlu_kit.mqtt import Session, SessionOptions, Subscription
from xunlu_platform.jobs import run
from xunlu_platform.jobs.jobs import Jobs
from xunlu_platform.jobs.roll_up import roll_up
from xunlu_platform.review.evidence import server_down
from xunlu_platform.store import housekeeping
from xunlu_platform.store.review import read_server_states
from xunlu_platform.store.store import SYSTEM, Store
from xunlu_protocol.fleet import FleetFrame
from xunlu_protocol.presence import publish_presence
from xunlu_protocol.status import State
from xunlu_protocol.topics import fleet, server_state, up

pytestmark = pytest.mark.integration

HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)


@pytest_asyncio.fixture
async def made(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Rig]:
    async with rig(database, broker) as one:
        yield one


@pytest_asyncio.fixture
async def store(database: TestDatabase) -> AsyncIterator[Store]:
    async with Store(database.dsn("jobs")) as opened:
        yield opened


@contextlib.asynccontextmanager
async def jobs_running(made: Rig) -> AsyncIterator[None]:
    task = asyncio.create_task(run(made.settings))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def walk(made: Rig, did: str, *, metres_a_fix: float, fixes: int = 60) -> None:
    """A walk to the north with one fix a minute, one degree being 111 194.9 m."""
    await made.connection.execute(
        "insert into position (device_id, fix_at, sid, seq, received_at, lat, lon, late) "
        "select id, %s::timestamptz + n * interval '1 minute', 1, n, now(), 31 + n * %s::float8 / 111194.9, 121, false "
        "from device, generate_series(0, %s - 1) n where did = %s",
        [HOUR, metres_a_fix, fixes, did],
    )


async def roll_up_of(made: Rig, did: str) -> dict[str, Any]:
    sql = "select h.* from position_hour h join device d on d.id = h.device_id where did = %s and hour = %s"
    [row] = await made.rows(sql, did, HOUR)
    return row


async def test_an_hour_rolls_up_to_its_distance_and_moving_time(made: Rig, store: Store) -> None:
    walker, stander = await made.device(), await made.device()
    await walk(made, walker, metres_a_fix=60)
    await walk(made, stander, metres_a_fix=1)
    assert await housekeeping.hour_over(store, HOUR) == 2
    assert await roll_up(store, hours_max=10) == 2
    moved, stood = await roll_up_of(made, walker), await roll_up_of(made, stander)
    assert moved["distance_m"] == pytest.approx(59 * 60, rel=1e-4)
    assert (moved["fixes"], moved["moving_s"], stood["moving_s"]) == (60, 59 * 60, 0)
    assert await roll_up(store, hours_max=10) == 0


async def test_a_late_fix_makes_its_hour_due_again(made: Rig, store: Store) -> None:
    did = await made.device()
    await walk(made, did, metres_a_fix=60, fixes=30)
    await housekeeping.hour_over(store, HOUR)
    await roll_up(store, hours_max=10)
    async with made.working():
        age_s = int((datetime.now(UTC) - HOUR).total_seconds()) - 1800
        late = {"_type": "location", "lat": 31.5, "lon": 121.0, "tst": now_s() - age_s, "sid": 1, "seq": 500}
        await made.session.publish(up(TENANT, did, "loc/hist"), str(late).replace("'", '"').encode())
        assert await eventually(lambda: made.rows("select from position_hour_due"))
    await roll_up(store, hours_max=10)
    assert ((await roll_up_of(made, did))["fixes"], (await roll_up_of(made, did))["late_fixes"]) == (31, 1)


async def test_a_command_that_nobody_answers_expires_and_is_told(made: Rig, store: Store) -> None:
    did = await made.device()
    await made.connection.execute(
        "insert into command (rid, device_id, name, args, expires_at) "
        "select 'rid-1', id, 'photo', '{}', now() - interval '1 second' from device where did = %s",
        [did],
    )
    await made.session.subscribe(Subscription(topic=fleet(TENANT, "jobs"), qos=0))
    await Jobs(store, made.session, fleet(TENANT, "jobs")).expire_commands()
    async with asyncio.timeout(15):
        async for message in made.session.messages():
            [notice] = FleetFrame.decode(message.payload).notices
            assert (notice.what, notice.id, notice.did) == ("command", "rid-1", did)
            break
    [row] = await made.rows("select * from command")
    assert (row["state"], row["code"]) == ("expired", 3)


async def test_a_device_that_vanished_while_nobody_listened_is_found_offline(made: Rig) -> None:
    did = await made.device()
    await made.connection.execute(
        "insert into device_state (device_id, availability, availability_sid, birth_sid) "
        "select id, 'online', 4, 4 from device where did = %s",
        [did],
    )
    lost = State(st="offline", sid=4, tst=now_s(), why="lost").encode()
    await made.session.publish(up(TENANT, did, "state"), lost, retain=True)

    async def offline() -> list[dict[str, Any]]:
        return await made.rows("select * from device_state where availability = 'offline' and why = 'lost'")

    async with jobs_running(made):
        assert await eventually(offline)
        assert await eventually(lambda: made.rows("select from server_state where host like 'jobs@%%' and online"))
    await made.session.publish(up(TENANT, did, "state"), b"", retain=True)


async def test_a_power_cut_that_nobody_lived_to_tell_of_counts_as_server_down(made: Rig) -> None:
    workers = [f"ingest-{made.worker}-{number}@here" for number in (1, 2)]

    @contextlib.asynccontextmanager
    async def everything_running() -> AsyncIterator[None]:
        """Whoever leaves it says nothing: a session that is closed in good order has no will."""
        since = datetime.now(UTC)

        async def heard() -> bool:
            rows = await made.rows("select host from server_state where online and at >= %s", since)
            return {row["host"] for row in rows}.issuperset(workers)

        async with jobs_running(made), contextlib.AsyncExitStack() as stack:
            for host in workers:
                options, hello = SessionOptions(client_id=host), publish_presence(host)
                await stack.enter_async_context(Session(made.session.broker, options, on_connect=hello))
            assert await eventually(heard)
            assert await eventually(lambda: made.rows("select from server_watch where until > now() - interval '9 s'"))
            yield

    async with everything_running():
        pass
    # An hour goes by.
    await made.connection.execute("update server_state set at = at - interval '1 hour'")
    await made.connection.execute(
        "update server_watch set since = since - interval '1 hour', until = until - interval '1 hour'"
    )
    ended = (await made.rows("select max(until) as at from server_watch"))[0]["at"]
    async with everything_running():
        pass
    async with Store(made.settings.database("api")) as store, store.session(SYSTEM) as session:
        rows = await read_server_states(session, ended - timedelta(hours=1), datetime.now(UTC))
    begun = min(row["at"] for row in rows if row["host"] in workers and row["at"] > ended)
    told = server_down(row for row in rows if row["host"] in workers)
    assert told == [(round(ended.timestamp() * 1000), round(begun.timestamp() * 1000))]
    for host in workers:
        await made.session.publish(server_state(host), b"", retain=True)


async def test_retention_acts_only_when_it_is_on_and_was_seen_before(made: Rig, store: Store) -> None:
    did = await made.device()
    await made.connection.execute(
        "insert into position (device_id, fix_at, sid, seq, received_at, lat, lon, late) "
        "select id, now() - n * interval '1 day', 1, n, now(), 31, 121, false "
        "from device, generate_series(1, 60) n where did = %s",
        [did],
    )
    await made.connection.execute(
        "insert into position_hour_due (device_id, hour) select device_id, date_trunc('hour', fix_at) from position"
    )
    assert await roll_up(store, hours_max=100) == 60
    await made.connection.execute("update retention_rule set keep_days = 30, enabled = true where subject = 'position'")
    assert await housekeeping.apply_retention(store) == []
    async with store.session(SYSTEM) as session:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await session.connection.execute("delete from position")
    await made.connection.execute("select preview_retention('position')")
    [ran] = await housekeeping.apply_retention(store)
    left = (await made.rows("select count(*) from position"))[0]["count"]
    assert ran["rows_affected"] == 60 - left
    assert 30 <= left <= 31
    # The shapes of what was erased are places of people, too.
    [shapes] = await made.rows("select count(*), min(hour) > now() - interval '32 days' as young from track_piece")
    assert shapes == {"count": 4 * left, "young": True}


async def test_a_job_that_fails_for_a_reason_of_its_own_does_not_stop_the_others(made: Rig) -> None:
    did = await made.device()
    await made.connection.execute("revoke delete on login from xunlu_jobs")
    async with jobs_running(made):
        await made.connection.execute(
            "insert into command (rid, device_id, name, args, expires_at) "
            "select 'expires-later', id, 'locate', '{}', now() + interval '1 second' from device where did = %s",
            [did],
        )

        async def expired() -> Any:
            return await made.rows("select from command where state = 'expired'")

        assert await eventually(expired)


async def test_days_that_are_over_are_sorted_by_device_and_stay_whole(made: Rig, store: Store) -> None:
    dids = [await made.device() for _ in range(3)]
    await made.connection.execute(
        "insert into position (device_id, fix_at, sid, seq, received_at, lat, lon, late) "
        "select d.id, now() - interval '3 days' + n * interval '1 s', 1, n, now(), 31, 121, false "
        "from generate_series(1, 500) n cross join device d where did = any(%s)",
        [dids],
    )
    before = await made.rows("select device_id, fix_at, sid, seq from position order by 1, 2, 3, 4")
    sorted_chunks = 0
    while await housekeeping.sort_chunk(store):
        sorted_chunks += 1
    assert sorted_chunks == len(await made.rows("select from show_chunks('position')"))
    devices = [
        row["device_id"] for row in await made.rows("select device_id from position order by tableoid desc, ctid")
    ]
    assert sum(one != other for one, other in pairwise(devices)) <= 3 * sorted_chunks
    assert await made.rows("select device_id, fix_at, sid, seq from position order by 1, 2, 3, 4") == before
