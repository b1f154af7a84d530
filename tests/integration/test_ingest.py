"""Ingest through its stable surfaces: bytes on a topic in, rows and answers out."""

import asyncio
import json
import math
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.ingest_rig import TENANT, Rig, eventually, fix, now_s, rig
from tests.services import TestBroker, TestDatabase
from xunlu_kit.mqtt import Subscription
from xunlu_protocol.confirm import Confirmation
from xunlu_protocol.event import Event, SequenceRange
from xunlu_protocol.fleet import FleetFrame
from xunlu_protocol.location import encode_locations
from xunlu_protocol.status import Birth, State, Telemetry
from xunlu_protocol.topics import down, fleet

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def ingest(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Rig]:
    async with rig(database, broker) as made, made.working():
        yield made


async def confirmation(ingest: Rig, did: str, *, upto: int) -> Confirmation:
    """Wait for a `dn/ack` that reaches `upto`."""
    topic = down(TENANT, did, "ack")
    async with asyncio.timeout(15):
        async for message in ingest.session.messages():
            ingest.session.acknowledge(message)
            if message.topic == topic and (said := Confirmation.decode(message.payload)).upto >= upto:
                return said
    raise AssertionError


async def listen(ingest: Rig, topic: str) -> None:
    await ingest.session.subscribe(Subscription(topic=topic))


async def test_a_fix_becomes_a_row_and_is_confirmed_to_the_device(ingest: Rig) -> None:
    did = await ingest.device()
    await listen(ingest, down(TENANT, did, "ack"))
    sent = fix(1, vel=3.6, cog=90, acc=5, sat=18, bds=11, hdop=0.8, rec="R1", batt=64)
    await ingest.publish(did, "loc", sent.encode())
    said = await confirmation(ingest, did, upto=1)
    assert (said.sid, said.upto, said.missing) == (1, 1, ())
    [row] = await ingest.positions(did)
    assert (row["lat"], row["lon"], row["sat"], row["bds"], row["rec"], row["late"]) == (
        31.23,
        121.47,
        18,
        11,
        "R1",
        False,
    )
    assert row["speed_mps"] == pytest.approx(1.0)
    [state] = await ingest.rows("select * from device_state where lat is not null")
    assert state["fix_at"] == row["fix_at"]


async def test_a_second_arrival_changes_nothing(ingest: Rig) -> None:
    did = await ingest.device()
    await listen(ingest, down(TENANT, did, "ack"))
    first = [fix(seq, age_s=10 - seq) for seq in range(1, 6)]
    other = fix(3, age_s=100, lat=32.0)
    for payload in (encode_locations(first), encode_locations(first), other.encode(), encode_locations(first)):
        await ingest.publish(did, "loc", payload)
    await ingest.publish(did, "loc", fix(6).encode())
    await confirmation(ingest, did, upto=6)
    assert [row["seq"] for row in await ingest.positions(did)] == [1, 2, 3, 4, 5, 6]
    assert {row["lat"] for row in await ingest.positions(did)} == {31.23}


async def test_a_confirmation_names_what_is_missing(ingest: Rig) -> None:
    did = await ingest.device()
    await listen(ingest, down(TENANT, did, "ack"))
    await ingest.publish(did, "loc", encode_locations([fix(seq, age_s=30 - seq) for seq in (1, 2, 5, 6, 9)]))
    assert (await confirmation(ingest, did, upto=9)).missing == ((3, 4), (7, 8))
    await ingest.publish(did, "loc/hist", encode_locations([fix(seq, age_s=30 - seq) for seq in (3, 4, 7, 8)]))
    while (await confirmation(ingest, did, upto=9)).missing:
        pass
    rows = await ingest.positions(did)
    assert [row["seq"] for row in rows] == list(range(1, 10))
    assert {row["seq"] for row in rows if row["late"]} == {3, 4, 7, 8}


async def test_a_hundred_shredded_holes_are_listed_up_to_the_bound_and_heal(ingest: Rig) -> None:
    did = await ingest.device()
    await listen(ingest, down(TENANT, did, "ack"))
    odd = [fix(seq, age_s=1000 - seq) for seq in range(1, 701, 2)]
    for start in range(0, len(odd), 50):
        await ingest.publish(did, "loc/hist", encode_locations(odd[start : start + 50]))
    said = await eventually(lambda: _confirmed_to(ingest, did, 401))
    assert len(said.missing) == 200
    assert not said.covers(said.upto + 1)


async def _confirmed_to(ingest: Rig, did: str, upto: int) -> Confirmation:
    return await confirmation(ingest, did, upto=upto)


async def test_fixes_without_a_sequence_are_known_by_their_time(ingest: Rig) -> None:
    did = await ingest.device()
    payload = fix(None, sid=0).encode()
    for _ in range(3):
        await ingest.publish(did, "loc", payload)
    assert await eventually(lambda: ingest.positions(did))
    await ingest.publish(did, "loc", fix(None, sid=0, tms=now_s() * 1000 + 1).encode())

    async def two() -> bool:
        return len(await ingest.positions(did)) == 2

    assert await eventually(two)
    assert not await ingest.rows("select from device_session s join device d on d.id = device_id where did = %s", did)


BAD = {
    "json": b'{"_type": "location", "lat": 31',
    "lat": fix(1).model_copy(update={"lat": 91.0}).encode(),
    "lon": fix(1).model_copy(update={"lon": -180.5}).encode(),
    "lat ": json.dumps({**fix(1).model_dump(by_alias=True, exclude_none=True), "lat": "north"}).encode(),
    "json ": json.dumps({**fix(1).model_dump(by_alias=True, exclude_none=True), "lat": math.nan}).encode(),
    "tst": json.dumps({"_type": "location", "lat": 1, "lon": 1}).encode(),
    "_type": b'{"_type": "waypoint"}',
    "count": encode_locations([fix(seq) for seq in range(1, 52)]),
    "nul": json.dumps({**fix(1).model_dump(by_alias=True, exclude_none=True), "conn": "\x00"}).encode(),
    "size": b" " * (300 * 1024),
    "future": fix(7, age_s=-3600).encode(),
    "ancient": fix(7).model_copy(update={"tst": 315_532_800}).encode(),
    "null_island": fix(7, lat=0.0, lon=0.0).encode(),
    "no_fix": fix(7, fix=0).encode(),
    "speed": fix(7, vel=900.0).encode(),
}


@pytest.mark.parametrize("reason", BAD, ids=lambda reason: reason.strip() + reason.count(" ") * "'")
async def test_a_bad_fix_is_counted_kept_apart_and_never_stops_the_ones_behind_it(ingest: Rig, reason: str) -> None:
    did = await ingest.device()
    await ingest.publish(did, "loc", fix(1, age_s=1).encode())
    await ingest.publish(did, "loc", BAD[reason])
    await ingest.publish(did, "loc", fix(2).encode())

    async def both() -> bool:
        return [row["seq"] for row in await ingest.positions(did)] == [1, 2]

    assert await eventually(both)
    [letter] = await ingest.letters(did)
    assert letter["reason"] == reason.strip()
    assert len(letter["payload"]) <= 4096


async def test_what_was_refused_is_never_asked_for_again(ingest: Rig) -> None:
    did = await ingest.device()
    await listen(ingest, down(TENANT, did, "ack"))
    batch = [fix(1, age_s=3), fix(2, age_s=-9000), fix(3)]
    await ingest.publish(did, "loc", encode_locations(batch))
    assert (await confirmation(ingest, did, upto=3)).missing == ()
    assert [row["seq"] for row in await ingest.positions(did)] == [1, 3]


async def test_thinned_sequences_are_never_asked_for_again(ingest: Rig) -> None:
    did = await ingest.device()
    await listen(ingest, down(TENANT, did, "ack"))
    await ingest.publish(did, "loc", encode_locations([fix(seq) for seq in (1, 2, 9)]))
    assert (await confirmation(ingest, did, upto=9)).missing == ((3, 8),)
    thinned = Event(tst=now_s(), sid=1, seq=10, thinned=(SequenceRange(first=3, last=8),))
    await ingest.publish(did, "evt", thinned.encode(), "storage")
    assert (await confirmation(ingest, did, upto=10)).missing == ()


@pytest.mark.parametrize(
    ("reason", "make"),
    [
        ("unknown_device", {"did": "nobody-knows-me"}),
        ("pending", {"status": "pending"}),
        ("disabled", {"status": "disabled"}),
        ("tenant", {"tenant": "elsewhere"}),
        ("kind", {"kind": "station"}),
    ],
)
async def test_who_may_not_write_is_refused_with_the_reason(ingest: Rig, reason: str, make: dict[str, str]) -> None:
    did = make.get("did") or await ingest.device(**make)
    await ingest.publish(did, "loc", fix(1).encode())

    async def refused() -> Any:
        return [letter for letter in await ingest.letters(did) if letter["reason"] == reason]

    assert await eventually(refused)
    assert not await ingest.positions(did)


async def test_a_pending_device_may_tell_its_state(ingest: Rig) -> None:
    did = await ingest.device(status="pending")
    await ingest.publish(did, "state", State(st="online", sid=1, tst=now_s()).encode())
    assert await eventually(lambda: states(ingest, did, "online"))


async def states(ingest: Rig, did: str, availability: str) -> list[dict[str, Any]]:
    return await ingest.rows(
        "select s.* from device_state s join device d on d.id = s.device_id where did = %s and availability = %s",
        did,
        availability,
    )


async def test_a_stale_will_does_not_put_a_living_session_off(ingest: Rig) -> None:
    did = await ingest.device()
    birth = Birth(sid=8, tst=now_s(), fw="1", serial=did)
    await ingest.publish(did, "birth", birth.encode())
    await ingest.publish(did, "state", State(st="online", sid=8, tst=now_s()).encode())
    assert await eventually(lambda: states(ingest, did, "online"))
    await ingest.publish(did, "state", State(st="offline", sid=7, tst=now_s(), why="lost").encode())
    await ingest.publish(did, "loc", fix(1, sid=8).encode())
    assert await eventually(lambda: ingest.positions(did))
    assert await states(ingest, did, "online")
    await ingest.publish(did, "state", State(st="offline", sid=8, tst=now_s(), why="lost").encode())
    [row] = await eventually(lambda: states(ingest, did, "offline"))
    assert (row["availability_sid"], row["why"]) == (8, "lost")


async def test_telemetry_keeps_its_history_and_the_newest(ingest: Rig) -> None:
    did = await ingest.device()
    for age_s, batt in ((60, 70.0), (0, 69.0), (30, 69.5)):
        await ingest.publish(did, "tele", Telemetry(tst=now_s() - age_s, sid=1, batt=batt).encode())

    async def three() -> bool:
        count = "select count(*) from telemetry t join device d on d.id = t.device_id where did = %s"
        return bool((await ingest.rows(count, did))[0]["count"] == 3)

    assert await eventually(three)
    [state] = await states(ingest, did, "offline")
    assert state["telemetry"]["batt"] == 69.0


async def test_an_sos_raises_one_alarm_with_the_last_known_place(ingest: Rig) -> None:
    did = await ingest.device()
    await ingest.publish(did, "loc", fix(1).encode())
    assert await eventually(lambda: ingest.positions(did))
    sos = Event(tst=now_s(), sid=1, seq=2).encode()
    for _ in range(3):
        await ingest.publish(did, "evt", sos, "sos")
    [alarm] = await eventually(lambda: alarms(ingest, did))
    assert (alarm["kind"], alarm["severity"], alarm["state"], alarm["lat"]) == ("sos", 3, "new", 31.23)
    await ingest.publish(did, "evt", Event(tst=now_s() + 1, sid=1, seq=3).encode(), "sos_cancel")

    async def cancelled() -> bool:
        return (await alarms(ingest, did))[0]["cancelled_at"] is not None

    assert await eventually(cancelled)
    assert len(await alarms(ingest, did)) == 1


async def test_an_sos_that_is_stored_after_its_cancellation_is_a_cancelled_one(ingest: Rig) -> None:
    did = await ingest.device()
    await ingest.publish(did, "evt", Event(tst=now_s(), sid=1, seq=2).encode(), "sos_cancel")
    await eventually(lambda: ingest.rows("select from event where type = 'sos_cancel'"))
    await ingest.publish(did, "evt", Event(tst=now_s() - 5, sid=1, seq=1).encode(), "sos")
    [alarm] = await eventually(lambda: alarms(ingest, did))
    assert alarm["cancelled_at"] is not None


async def test_a_fix_taken_after_a_connection_was_lost_says_that_there_is_another(ingest: Rig) -> None:
    did = await ingest.device()
    states = "select availability, why from device_state s join device d on d.id = s.device_id where did = %s"

    async def is_now(availability: str, why: str | None) -> bool:
        return await ingest.rows(states, did) == [{"availability": availability, "why": why}]

    await ingest.publish(did, "state", State(st="online", sid=1, tst=now_s()).encode())
    await eventually(lambda: is_now("online", None))
    await ingest.publish(did, "loc", fix(1).encode())
    await eventually(lambda: ingest.positions(did))
    # The will of the old connection is stored last.
    await ingest.publish(did, "state", State(st="offline", sid=1, tst=now_s(), why="lost").encode())
    await eventually(lambda: is_now("offline", "lost"))
    await ingest.publish(did, "loc", fix(2, age_s=60).encode())
    await eventually(lambda: has_positions(ingest, did, 2))
    assert await is_now("offline", "lost"), "this one was taken before"
    await ingest.publish(did, "loc", fix(3, age_s=-2).encode())
    await eventually(lambda: is_now("online", None))


async def has_positions(ingest: Rig, did: str, count: int) -> bool:
    return len(await ingest.positions(did)) == count


async def alarms(ingest: Rig, did: str) -> list[dict[str, Any]]:
    return await ingest.rows("select a.* from alarm a join device d on d.id = a.device_id where did = %s", did)


async def test_owntracks_locations_are_those_of_the_user_and_other_messages_pass_quietly(ingest: Rig) -> None:
    did = await ingest.device(kind="tracker")
    waypoint = {"_type": "waypoint", "desc": "Home", "lat": 31.0, "lon": 121.0, "tst": now_s()}
    phone = {"_type": "location", "lat": 31.2, "lon": 121.4, "tst": now_s(), "acc": 12, "tid": "zm", "vel": -1, "m": 1}
    for value in (waypoint, phone):
        await ingest.session.publish(f"owntracks/{did}/phone", json.dumps(value).encode())
    [row] = await eventually(lambda: ingest.positions(did))
    assert (row["lat"], row["speed_mps"], row["accuracy_m"]) == (31.2, None, 12)
    assert not await ingest.letters(did)


async def test_frames_carry_the_newest_of_each_device_and_notices_of_what_was_committed(ingest: Rig) -> None:
    did = await ingest.device()
    await listen(ingest, fleet(TENANT, "ingest-test"))
    await ingest.publish(
        did, "loc", encode_locations([fix(seq, age_s=5 - seq, lat=31 + seq / 100) for seq in (1, 2, 3)])
    )
    await ingest.publish(did, "evt", Event(tst=now_s(), sid=1, seq=4).encode(), "mark")
    seen, notices = None, []
    async with asyncio.timeout(15):
        async for message in ingest.session.messages():
            ingest.session.acknowledge(message)
            frame = FleetFrame.decode(message.payload)
            seen = next((one for one in frame.devices if one.did == did), seen)
            notices += [notice.what for notice in frame.notices if notice.did == did]
            if seen and notices:
                break
    assert seen is not None
    assert (seen.lat, notices) == (31.03, ["event"])


async def test_messages_that_wait_while_no_worker_runs_are_stored_by_the_next(
    database: TestDatabase, broker: TestBroker
) -> None:
    async with rig(database, broker) as made:
        did = await made.device()
        async with made.working():
            await made.publish(did, "loc", fix(1, age_s=9).encode())
            assert await eventually(lambda: made.positions(did))
        await made.publish(did, "loc", fix(2, age_s=8).encode())
        async with made.working():

            async def both() -> bool:
                return len(await made.positions(did)) == 2

            assert await eventually(both)
