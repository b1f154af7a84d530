"""Comings and goings on their way to the desks: at once, within the scope, whatever fails on the way; and posts now."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection

from tests.integration.desk_rig import Desk, hear, running_desk
from tests.integration.ingest_rig import fix, rig
from tests.integration.zone_rig import AWAY, HOME, report, walk, zone
from tests.processes import platform_environment, running, running_api
from tests.services import TestBroker, TestDatabase

pytestmark = pytest.mark.integration

LEAVES = [HOME] * 3 + [AWAY] * 4
# The API processes look for themselves twice a minute.
HEALED_S = 60


@pytest_asyncio.fixture
async def desk(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Desk]:
    async with running_desk(database, broker) as made:
        yield made


@asynccontextmanager
async def listening(desk: Desk, **account: Any) -> AsyncIterator[ClientConnection]:
    """A desk that has read everything there was."""
    async with await desk.connect(await desk.token(**account)) as socket:
        await hear(socket, lambda message: message["type"] == "movements" and message["movements"] is None)
        yield socket


def movement(did: str, kind: str, *, withdrawn: bool = False) -> Callable[[dict[str, Any]], Any]:
    """A coming or going of a device."""

    def find(message: dict[str, Any]) -> dict[str, Any] | None:
        for one in message.get("movements") or ():
            if (one["did"], one["kind"], one["withdrawn_at"] is not None) == (did, kind, withdrawn):
                return dict(one)
        return None

    return find


def alarm(did: str, **fields: Any) -> Callable[[dict[str, Any]], Any]:
    """An alarm of a device with these values."""

    def find(message: dict[str, Any]) -> dict[str, Any] | None:
        for one in message.get("alarms", ()):
            if one["did"] == did and all(one[name] == value for name, value in fields.items()):
                return dict(one)
        return None

    return find


async def get(desk: Desk, path: str, **account: Any) -> Any:
    headers = {"Authorization": f"Bearer {await desk.token(**account)}"}
    async with httpx2.AsyncClient(base_url=desk.api.url, headers=headers) as client:
        answer = await client.get(f"/api/v1{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def glimpses(desk: Desk, did: str) -> None:
    """Two fixes 25 s apart say that somebody left; between them they were seen at home, as a late fix will tell."""
    away = [fix(seq, lat=AWAY[0], lon=AWAY[1], age_s=age_s, acc=5.0) for seq, age_s in ((10, 60), (12, 35))]
    await report(desk.rig, did, [*walk([HOME] * 3, ago_s=100), *away, *walk([HOME] * 3, ago_s=30, first=13)])


async def proves_otherwise(desk: Desk, did: str) -> None:
    await report(desk.rig, did, [fix(11, lat=HOME[0], lon=HOME[1], age_s=48, acc=5.0)], "loc/hist")


async def test_a_desk_hears_who_left_a_post_as_it_is_stored(desk: Desk) -> None:
    did = await desk.device()
    number = await zone(desk.rig, did, "post")
    async with listening(desk) as socket:
        await report(desk.rig, did, walk(LEAVES, ago_s=60))
        told = await hear(socket, movement(did, "leave"))
    assert (told["zone"]["id"], told["zone"]["kind"], told["severity"], told["late"]) == (number, "post", 2, False)
    [read] = (await get(desk, f"/zones/events?did={did}"))["items"]
    assert read == {name: value for name, value in told.items() if name in read}


async def test_a_squad_hears_its_own_and_of_a_zone_beyond_it_only_that_it_was_one(desk: Desk) -> None:
    ours, theirs = await desk.device(), await desk.device()
    for did in (ours, theirs):
        await zone(desk.rig, did, "responsibility")
    east, west = await desk.unit("east"), await desk.unit("west")
    for did, unit in ((ours, east), (theirs, west)):
        await desk.rig.connection.execute("update device set unit_id = %s where did = %s", [unit, did])
        await desk.notify(did)
    async with listening(desk, unit=east) as socket:
        heard: list[str] = []

        def until_ours(message: dict[str, Any]) -> Any:
            heard.extend(one["did"] for one in message.get("movements") or ())
            return movement(ours, "leave")(message)

        await report(desk.rig, theirs, walk(LEAVES, ago_s=60))
        await report(desk.rig, ours, walk(LEAVES, ago_s=60))
        told = await hear(socket, until_ours)
        raised = await hear(socket, alarm(ours))
    assert set(heard) == {ours}
    assert (told["zone"], raised["zone"]) == (None, None)
    items = (await get(desk, "/zones/events", unit=east))["items"]
    assert {(one["did"], one["zone"]) for one in items} == {(ours, None)}


async def test_what_late_fixes_disprove_is_told_and_takes_its_alarm_back(
    desk: Desk, database: TestDatabase, broker: TestBroker
) -> None:
    did = await desk.device()
    await zone(desk.rig, did, "post")
    jobs = platform_environment(database, broker)
    async with listening(desk) as socket, running("xunlu_platform", "jobs", environment=jobs):
        await glimpses(desk, did)
        await hear(socket, alarm(did, state="new", withdrawn_ms=None))
        await proves_otherwise(desk, did)
        gone = await hear(socket, alarm(did, state="false"))
        assert gone["withdrawn_ms"] is not None
    [left, *_] = [
        one for one in (await get(desk, f"/zones/events?did={did}&withdrawn=true"))["items"] if one["severity"]
    ]
    assert left["withdrawn_at"] is not None
    [listed] = (await get(desk, "/alarms?state=closed"))["items"]
    assert (listed["state"], listed["closed_by"], listed["withdrawn_at"] is not None) == ("false", None, True)


async def test_an_alarm_that_somebody_has_is_marked_and_stays_theirs(
    desk: Desk, database: TestDatabase, broker: TestBroker
) -> None:
    did = await desk.device()
    await zone(desk.rig, did, "post")
    jobs = platform_environment(database, broker)
    async with listening(desk) as socket, running("xunlu_platform", "jobs", environment=jobs):
        await glimpses(desk, did)
        number = (await hear(socket, alarm(did, state="new")))["id"]
        async with httpx2.AsyncClient(base_url=desk.api.url) as client:
            headers = {"Authorization": f"Bearer {await desk.token()}"}
            await client.post(f"/api/v1/alarms/{number}/acknowledge", headers=headers)
        await hear(socket, alarm(did, state="acknowledged", withdrawn_ms=None))
        await proves_otherwise(desk, did)
        marked = await hear(socket, lambda message: (one := alarm(did)(message)) and one["withdrawn_ms"] and one)
    assert marked["state"] == "acknowledged"
    audited = await desk.rig.rows("select action from audit where target = %s and action like 'alarm.%%'", did)
    assert [row["action"] for row in audited] == ["alarm.acknowledged"]


async def test_more_than_a_desk_can_be_told_is_read_again(desk: Desk) -> None:
    did = await desk.device()
    first = await zone(desk.rig, did, "watch")
    await desk.rig.connection.execute(
        "with made as (insert into zone (unit_id, kind, name) select unit_id, kind, name || n from zone,"
        " generate_series(1, 1199) n where id = %s returning id) insert into zone_version (zone_id, shape, valid_from)"
        " select made.id, shape, valid_from from made, zone_version where zone_id = %s",
        [first, first],
    )
    async with listening(desk) as socket:
        await report(desk.rig, did, walk([AWAY] * 3 + [HOME] * 2, ago_s=60))
        told: list[int] = []

        def until_missed(message: dict[str, Any]) -> bool:
            if message["type"] != "movements":
                return False
            told.append(len(message["movements"] or ()))
            return message["movements"] is None

        await hear(socket, until_missed)
        assert max(told) <= 40
        await socket.send(json.dumps({"type": "ping", "t": 1}))
        await hear(socket, lambda message: message["type"] == "pong")
    [row] = await desk.rig.rows("select count(*) as alarms from alarm where state = 'new'")
    assert row["alarms"] == 1200


async def test_what_a_killed_worker_stored_and_did_not_tell_is_told_by_the_next_look(
    database: TestDatabase, broker: TestBroker
) -> None:
    async with rig(database, broker) as made, running_api(database, broker) as api:
        desk = Desk(made, api)
        async with made.working():
            did = await made.device()
            await desk.notify(did)
            await zone(made, did, "post")
        async with listening(desk) as socket:
            slow = platform_environment(database, broker, frame_interval_s=5)
            worker = ("xunlu_platform", "ingest", "--name", made.worker)
            async with running(*worker, environment=slow) as process:
                await report(made, did, walk(LEAVES, ago_s=60))
                process.kill()
                await process.wait()
            async with asyncio.timeout(HEALED_S):
                told = None
                while told is None:
                    told = movement(did, "leave")(json.loads(await socket.recv()))
        async with made.working(), listening(desk) as again:
            await report(made, did, walk([AWAY], ago_s=0, first=20))
            await again.send(json.dumps({"type": "ping", "t": 1}))
            await hear(again, lambda message: message["type"] == "pong")
        [read] = (await get(desk, f"/zones/events?did={did}"))["items"]
        assert read["id"] == told["id"]


async def on_post(desk: Desk, number: int, **account: Any) -> dict[str, Any]:
    [post] = [one for one in await get(desk, "/zones/posts", **account) if one["zone"] == number]
    return dict(post)


async def test_a_post_tells_who_is_on_it_since_when_and_when_it_was_left(desk: Desk) -> None:
    did = await desk.device()
    number = await zone(desk.rig, did, "post")
    assert await on_post(desk, number) == {
        "zone": number,
        "in_force": True,
        "present": [],
        "others": 0,
        "left_at": None,
    }
    came = walk([AWAY] * 3 + [HOME] * 3, ago_s=90)
    await report(desk.rig, did, came)
    [present] = (await on_post(desk, number))["present"]
    assert (present["did"], present["officer"]) == (did, None)
    assert datetime.fromisoformat(present["since"]).timestamp() == came[3].tst
    gone = walk([AWAY] * 4, ago_s=30, first=7)
    await report(desk.rig, did, gone)
    post = await on_post(desk, number)
    assert post["present"] == []
    assert datetime.fromisoformat(post["left_at"]).timestamp() == gone[0].tst


async def test_a_post_out_of_whose_sight_somebody_stands_is_not_empty(desk: Desk) -> None:
    east, west = await desk.unit("east"), await desk.unit("west")
    theirs = await desk.device(west)
    number = await zone(desk.rig, theirs, "post")
    await desk.rig.connection.execute("update zone set unit_id = %s where id = %s", [east, number])
    await desk.rig.rows("insert into zone_audience (zone_id, unit_id) values (%s, %s) returning id", number, west)
    await report(desk.rig, theirs, walk([HOME] * 3, ago_s=30))
    post = await on_post(desk, number, unit=east)
    assert (post["present"], post["others"]) == ([], 1)
    assert await get(desk, "/zones/posts", unit=west) == []


async def test_whoever_is_not_concerned_or_not_heard_of_mans_no_post(desk: Desk) -> None:
    stranger, silent = await desk.device(), await desk.device()
    others, theirs = await zone(desk.rig, stranger, "post"), await zone(desk.rig, silent, "post")
    unit = await desk.unit("others")
    await desk.rig.rows("insert into zone_audience (zone_id, unit_id) values (%s, %s) returning id", others, unit)
    await report(desk.rig, silent, walk([HOME] * 3, ago_s=800))
    assert (await on_post(desk, theirs))["present"] == []
    await report(desk.rig, stranger, walk([HOME] * 3, ago_s=30))
    assert [one["did"] for one in (await on_post(desk, theirs))["present"]] == [stranger]
    assert (await on_post(desk, others))["present"] == []


async def test_nobody_is_missed_outside_of_the_window_of_a_post(desk: Desk) -> None:
    local = datetime.now(UTC).astimezone(ZoneInfo("Asia/Shanghai"))
    hours = {"window_from": (local + timedelta(hours=2)).time(), "window_to": (local + timedelta(hours=4)).time()}
    number = await zone(desk.rig, await desk.device(), "post", **hours)
    assert not (await on_post(desk, number))["in_force"]
