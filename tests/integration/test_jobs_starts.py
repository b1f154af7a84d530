"""What the jobs process starts without a person: the picture of an SOS, and tokens for those who publish."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.ingest_rig import TENANT, eventually
from tests.integration.jobs_rig import Desk, hurry, running_desk
from tests.integration.live_rig import claims_of
from tests.services import TestBroker, TestDatabase
from xunlu_platform.jobs import orders
from xunlu_protocol.command import LiveStart, Request
from xunlu_protocol.media import RecordingOrder
from xunlu_protocol.topics import media_order

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest_asyncio.fixture
async def desk(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Desk]:
    async with running_desk(database, broker) as made:
        yield made


async def test_an_sos_is_recorded_and_the_recorder_publishes_once_it_is_there(
    desk: Desk, database: TestDatabase
) -> None:
    did = await desk.recorder()
    await desk.execute("update device_state set availability = 'offline'")
    alarm = await desk.raise_sos(did)

    def requests() -> list[Request]:
        return [Request.decode(said[0]) for topic, said in desk.heard.items() if f"/{did}/dn/rpc/" in topic]

    async def asked() -> list[Request]:
        return requests()

    async with desk.jobs():
        await desk.last_said(media_order(TENANT, did), RecordingOrder(id=f"sos-{alarm}", why="sos").encode())
        assert requests() == []
        await desk.execute("update device_state set availability = 'online'")
        [request] = await eventually(asked)
        start = LiveStart.parse(request.args)
        assert claims_of(start.token, database).path == did
        [row] = await desk.rig.rows("select * from command")
        assert (row["rid"], row["created_by"], "token" in row["args"]) == (request.rid, None, False)


@pytest.mark.parametrize("state", ["failed", "expired", "done"])
async def test_an_sos_starts_a_recorder_again_whenever_its_picture_is_lost(desk: Desk, state: str) -> None:
    did = await desk.recorder()
    await desk.raise_sos(did)
    async with desk.jobs():
        assert await eventually(lambda: desk.rig.rows("select from command where state = 'queued'"))
        await desk.execute("update recording_order set created_at = now() - interval '1 hour'")
        await desk.execute("update command set state = %s, created_at = now() + interval '1 minute'", state)
        await a_later_sos_was_served(desk)
        assert len(await desk.commands_of(did)) == 1, "the picture may be about to come"
        await desk.execute("update command set created_at = now() - interval '1 minute'")

        async def again() -> bool:
            return len(await desk.commands_of(did)) == 2

        assert await eventually(again)


async def test_an_sos_starts_nobody_who_publishes(desk: Desk) -> None:
    did = await desk.recorder()
    async with desk.jobs(), desk.relaying(did):
        await desk.raise_sos(did)
        await a_later_sos_was_served(desk)
        assert await desk.commands_of(did) == []


@pytest.mark.parametrize("ending", ["a person stops it", "the recorder rejects it"])
async def test_the_picture_of_an_sos_does_not_come_back_when(desk: Desk, ending: str) -> None:
    did = await desk.recorder()
    await desk.look(did, "lin")
    await desk.raise_sos(did)
    async with desk.jobs():
        assert await eventually(lambda: desk.rig.rows("select from command where state = 'queued'"))
        await desk.execute("update recording_order set created_at = now() - interval '1 hour'")
        if ending == "a person stops it":
            await desk.execute(
                "insert into command (rid, device_id, name, args, state, created_by, expires_at)"
                " select 'stop', c.device_id, 'live_stop', '{}', 'done', a.id, now() from command c, account a"
                " where username = 'lin'"
            )
        state = "done" if ending == "a person stops it" else "rejected"
        await desk.execute("update command set state = %s, created_at = now() - interval '1 minute'", state)
        await a_later_sos_was_served(desk)
        starts = [one for one in await desk.commands_of(did) if one["name"] == "live_start"]
        assert len(starts) == 1


async def test_who_publishes_for_long_gets_a_fresh_token_with_the_same_bounds(
    desk: Desk, database: TestDatabase
) -> None:
    did, fresh = await desk.recorder(), await desk.recorder()
    for one, age in ((did, "31 minutes"), (fresh, "10 minutes")):
        await desk.execute(
            "insert into command (rid, device_id, name, args, state, expires_at, created_at)"
            " select 'c-' || did, id, 'live_start', %s, 'done', now(), now() - %s::interval from device where did = %s",
            json.dumps({"whip": "http://moved.example/x", "by": "林晓", "audio": False, "height_max": 480}), age, one,
        )  # fmt: skip

    def renewed() -> list[Request]:
        return [Request.decode(one) for topic, said in desk.heard.items() for one in said if f"/{did}/dn/rpc/" in topic]

    async def once() -> list[Request]:
        return renewed()

    async with desk.jobs(), desk.relaying(did, fresh):
        [request] = await eventually(once)
        start = LiveStart.parse(request.args)
        assert (start.by, start.audio, start.height_max) == ("林晓", False, 480)
        assert start.whip.endswith(f"/whip/{did}")
        claims = claims_of(start.token, database)
        assert (claims.path, claims.act, claims.jti) == (did, "publish", request.rid)
        # It came to nothing: the recorder gets another one, which is enough for both of the next looks.
        await desk.execute(
            "update command set state = 'expired', created_at = now() - interval '1 minute' where rid = %s", request.rid
        )

        async def twice() -> bool:
            return len(renewed()) == 2

        await eventually(twice)
        await a_later_sos_was_served(desk)
        assert len(await desk.commands_of(did)) == 3
        assert len(await desk.commands_of(fresh)) == 1


async def test_the_recording_of_an_sos_goes_on_for_a_while_after_it_is_closed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    did = await desk.recorder()
    alarms = [f"sos-{await desk.raise_sos(did)}"]

    async def timed() -> list[dict[str, Any]]:
        return await desk.rig.rows("select from recording_order where until > now() + interval '4 minutes'")

    async def open_ended() -> list[dict[str, Any]]:
        return await desk.rig.rows("select from recording_order where until is null and ended_at is null")

    async with desk.jobs():
        assert await eventually(open_ended)
        await desk.execute("update alarm set state = 'resolved'")
        assert await eventually(timed)
        alarms.append(f"sos-{await desk.raise_sos(did)}")
        assert await eventually(open_ended)
        monkeypatch.setattr(orders, "AFTER_SOS_S", 0)
        await desk.execute("update alarm set state = 'false'")
        assert await eventually(lambda: desk.rig.rows("select from recording_order where ended_at is not null"))
        await a_later_sos_was_served(desk)
        assert len(await desk.rig.rows("select from recording_order where id = any(%s)", alarms)) == 1


async def test_an_old_or_a_late_sos_starts_nothing(desk: Desk) -> None:
    old, late = await desk.recorder(), await desk.recorder()
    await desk.raise_sos(old)
    await desk.execute("update alarm set received_at = now() - interval '2 hours'")
    await desk.raise_sos(late)
    await desk.execute("update alarm set late = true where received_at > now() - interval '1 minute'")
    async with desk.jobs():
        await a_later_sos_was_served(desk)
    assert await desk.commands_of(old) == await desk.commands_of(late) == []
    assert len(await desk.rig.rows("select from recording_order")) == 1


async def test_the_rule_can_be_switched_off(database: TestDatabase, broker: TestBroker) -> None:
    async with running_desk(database, broker, sos_live=False) as quiet:
        await quiet.raise_sos(await quiet.recorder())
        async with quiet.jobs():
            await an_order_has_ended(quiet)
        assert await quiet.rig.rows("select from recording_order") == []


async def a_later_sos_was_served(desk: Desk) -> None:
    """The rule has run since: somebody else's SOS, raised now, has got its order and its command."""
    did = await desk.recorder()
    await desk.raise_sos(did)

    async def served() -> list[dict[str, Any]]:
        return await desk.rig.rows("select from command c join device d on d.id = c.device_id where did = %s", did)

    assert await eventually(served)


async def an_order_has_ended(desk: Desk) -> None:
    """The jobs have looked at the orders."""
    did = await desk.rig.device()
    await desk.execute(
        "insert into recording_order (id, device_id, why, until) select 'due', id, 'always', now() from device"
        " where did = %s",
        did,
    )

    async def ended() -> list[dict[str, Any]]:
        return await desk.rig.rows("delete from recording_order where id = 'due' and ended_at is not null returning id")

    assert await eventually(ended)
