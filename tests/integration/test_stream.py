"""The event stream of a real API process, fed by a real worker."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.integration.desk_rig import Desk, hear, of, press_marks, running_desk
from tests.integration.ingest_rig import eventually, fix, now_s, rig
from tests.processes import running_api
from tests.services import TestBroker, TestDatabase
from xunlu_protocol.command import Reply
from xunlu_protocol.event import Event
from xunlu_protocol.status import State

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def desk(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Desk]:
    async with running_desk(database, broker) as made:
        yield made


async def test_a_fix_reaches_the_console_within_a_moment(desk: Desk) -> None:
    did = await desk.device()
    async with await desk.connect(await desk.token()) as socket:
        first = json.loads(await socket.recv())
        assert first["type"] == "snapshot"
        await desk.rig.publish(did, "loc", fix(1, vel=7.2, cog=45, bds=9).encode())
        told = await hear(socket, of(did, lat=31.23))
        assert (told["spd"], told["cog"], told["bds"]) == (2.0, 45, 9)
        await desk.rig.publish(did, "state", State(st="online", sid=1, tst=now_s()).encode())
        await hear(socket, of(did, st="online"))


async def test_a_squad_hears_only_its_own_and_is_told_when_a_device_leaves_it(desk: Desk) -> None:
    east, west = await desk.unit("east"), await desk.unit("west")
    ours, theirs = await desk.device(east), await desk.device(west)
    async with await desk.connect(await desk.token(unit=east)) as socket:
        heard: list[str] = []

        def until_ours(message: dict[str, Any]) -> bool:
            heard.extend(device["did"] for device in message.get("devices", ()))
            return ours in heard and any(device.get("lat") for device in message.get("devices", ()))

        await desk.rig.publish(theirs, "loc", fix(1).encode())
        await desk.rig.publish(theirs, "evt", Event(tst=now_s(), sid=1, seq=2).encode(), "sos")
        await desk.rig.publish(ours, "loc", fix(1).encode())
        await hear(socket, until_ours)
        assert theirs not in heard
        await desk.rig.connection.execute("update device set unit_id = %s where did = %s", [west, ours])
        await desk.notify(ours)
        assert await hear(socket, lambda message: ours in message.get("gone", ()))


async def test_an_sos_raises_an_alarm_and_marks_the_device(desk: Desk) -> None:
    did = await desk.device()
    async with await desk.connect(await desk.token()) as socket:
        await desk.rig.publish(did, "evt", Event(tst=now_s(), sid=1, seq=1).encode(), "sos")
        alarm = await hear(socket, lambda m: next((a for a in m.get("alarms", ()) if a["did"] == did), None))
        assert (alarm["kind"], alarm["state"], alarm["severity"]) == ("sos", "new", 3)
    async with await desk.connect(await desk.token()) as socket:
        assert await hear(socket, of(did, sos=alarm["id"]))


async def test_a_cursor_resumes_with_what_changed_meanwhile(desk: Desk) -> None:
    did = await desk.device()
    token = await desk.token()
    async with await desk.connect(token) as socket:
        await desk.rig.publish(did, "loc", fix(1, age_s=2).encode())
        cursor = (await hear(socket, of(did, lat=31.23)))["cursor"]
    async with await desk.connect(token) as other:
        await desk.rig.publish(did, "loc", fix(2, lat=31.5).encode())
        await hear(other, of(did, lat=31.5))
    async with await desk.connect(token, since=cursor) as socket:
        message = json.loads(await socket.recv())
        assert message["type"] == "delta"
        assert of(did, lat=31.5)(message)
    async with await desk.connect(token, since="1") as socket:
        assert json.loads(await socket.recv())["type"] == "snapshot"


async def test_a_desk_that_was_cut_off_learns_who_left_and_what_became_of_commands(desk: Desk) -> None:
    east, west = await desk.unit("near"), await desk.unit("far")
    token = await desk.token(unit=east)
    async with await desk.connect(await desk.token()) as colleague:

        async def made() -> str:
            did = await desk.device(east)
            await hear(colleague, of(did, unit=east))
            return did

        disabled, moved, back, asked = [await made() for _ in range(4)]
        async with await desk.connect(token) as socket:
            cursor = json.loads(await socket.recv())["cursor"]
        for did, unit in ((moved, west), (back, west), (back, east)):
            await desk.moves(did, unit)
            await hear(colleague, of(did, unit=unit))
        await desk.rig.connection.execute("update device set status = 'disabled' where did = %s", [disabled])
        await desk.notify(disabled)
        await hear(colleague, lambda message: disabled in message.get("gone", ()))
        await desk.rig.connection.execute(
            "insert into command (rid, device_id, name, args, expires_at)"
            " select %s, id, 'photo', '{}', now() + interval '1 min' from device where did = %s",
            [f"c-{asked}", asked],
        )
        await desk.rig.publish(asked, "rpc", Reply(st="done", tst=now_s()).encode(), f"c-{asked}")
        await hear(colleague, lambda message: message.get("command"))
    async with await desk.connect(token, since=cursor) as socket:
        delta = json.loads(await socket.recv())
        assert delta["type"] == "delta"
        assert {disabled, moved} <= set(delta["gone"])
        assert not {back, asked} & set(delta["gone"])
        assert of(back, unit=east)(delta)
        command = await hear(socket, lambda message: message.get("command"))
        assert (command["id"], command["state"]) == (f"c-{asked}", "done")


async def test_a_desk_that_missed_more_than_can_wait_begins_anew(desk: Desk) -> None:
    east, west = await desk.unit("busy"), await desk.unit("calm")
    did = await desk.device(east)
    token, calm = await desk.token(unit=east), await desk.token(unit=west)
    async with await desk.connect(token) as socket, await desk.connect(calm) as other:
        cursors = [json.loads(await one.recv())["cursor"] for one in (socket, other)]
        await press_marks(desk.rig, did, 1001)
        with pytest.raises(ConnectionClosed):
            await hear(socket, of("nobody"))
        assert socket.close_code == 4408
    for who, cursor, expected in zip((token, calm), cursors, ("snapshot", "delta"), strict=True):
        async with await desk.connect(who, since=cursor) as socket:
            assert json.loads(await socket.recv())["type"] == expected


async def test_positions_outside_the_map_wait_until_it_shows_them_but_states_come_at_once(desk: Desk) -> None:
    did = await desk.device()
    async with await desk.connect(await desk.token()) as socket, await desk.connect(await desk.token()) as other:
        await desk.rig.publish(did, "loc", fix(1, age_s=3).encode())
        await hear(socket, of(did, lat=31.23))
        far = {"type": "view", "bbox": [100, 20, 101, 21], "zoom": 12, "selected": []}
        for asked in (far, {"type": "ping", "t": 1}):
            await socket.send(json.dumps(asked))
        await hear(socket, lambda message: message["type"] == "pong")
        await desk.rig.publish(did, "loc", fix(2, age_s=2, lat=31.24).encode())
        await hear(other, of(did, lat=31.24))
        await desk.rig.publish(did, "state", State(st="online", sid=1, tst=now_s()).encode())
        told = await hear(socket, of(did, st="online"))
        assert "lat" not in told
        await desk.rig.publish(did, "loc", fix(3, age_s=1, lat=31.25).encode())
        await hear(other, of(did, lat=31.25))
        told = await hear(socket, lambda message: (one := of(did)(message)) and "tms" in one and one)
        assert "lat" not in told, "a pulse says that it reports, not where"
        await socket.send(json.dumps({**far, "bbox": [121, 31, 122, 32]}))
        await hear(socket, of(did, lat=31.25))


@pytest.mark.parametrize(("role", "code"), [(None, 4401), ("officer", 4403)])
async def test_who_may_not_listen_is_told_why_by_the_close_code(desk: Desk, role: str | None, code: int) -> None:
    token = await desk.token(role) if role else "nonsense"
    async with await desk.connect(token) as socket:
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == code


async def test_one_account_cannot_open_streams_without_end(database: TestDatabase, broker: TestBroker) -> None:
    async with rig(database, broker) as made, running_api(database, broker, streams_per_account_max=2) as api:
        await made.device()
        desk = Desk(made, api)
        token, colleague = await desk.token(), await desk.token()
        async with await desk.connect(token) as first, await desk.connect(token) as second:
            for socket in (first, second):
                assert json.loads(await socket.recv())["type"] == "snapshot"
            async with await desk.connect(token) as third:
                with pytest.raises(ConnectionClosed):
                    await third.recv()
                assert (third.close_code, "close one" in str(third.close_reason)) == (4429, True)
            async with await desk.connect(colleague) as other:
                assert json.loads(await other.recv())["type"] == "snapshot"

        async def admitted() -> bool:
            async with await desk.connect(token) as again:
                with contextlib.suppress(ConnectionClosed):
                    return bool(await again.recv())
                return False

        assert await eventually(admitted)


async def test_a_page_of_another_origin_cannot_use_the_cookie(desk: Desk) -> None:
    headers = {"Cookie": f"xunlu_session={await desk.token()}", "Origin": "http://elsewhere.example"}
    async with connect(desk.api.stream_url, additional_headers=headers) as socket:
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 4403


async def test_nonsense_from_a_client_changes_nothing(desk: Desk) -> None:
    async with await desk.connect(await desk.token()) as socket:
        for nonsense in ("", "{", '{"type": "view", "bbox": [1]}', "x" * 100_000, '{"type": "ping", "t": 7}'):
            await socket.send(nonsense)
        assert (await hear(socket, lambda m: m if m["type"] == "pong" else None))["t"] == 7
