"""The radio net by HTTP: who joins with which rights, who makes groups of whom, and what is told of who talks."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.api_client import Caller, Platform, running_platform
from tests.integration.ingest_rig import eventually
from tests.services import TestBroker, TestDatabase
from xunlu_kit.mqtt import Session, SessionOptions, Subscription
from xunlu_protocol.talk import FloorState, Peer, TalkClaims, TalkGroup
from xunlu_protocol.topics import floor, talk_group
from xunlu_streaming.tokens import public_key, verify_talk

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("quiet_net")]

GIDS = ("unit-2", "unit-3")


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Platform]:
    """Three recorders on duty: P1 and P2 of squad 2, worn by officers 1 and 2, and P3 of squad 3, worn by officer 3."""
    async with running_platform(database, broker, talk_url="https://talk.example:8010") as running:
        await running.sql(
            "insert into officer (tenant, unit_id, number, name) values"
            " ('main', 2, 'D1', '王小明'), ('main', 2, 'D2', '李大力'), ('main', 3, 'D3', '林晓');"
            "insert into device (did, tenant, unit_id, kind, serial, vendor, model, status) select 'P' || n, 'main',"
            " unit, 'recorder', n, 'Xunlu', 'SIM', 'approved' from (values (1, 2), (2, 2), (3, 3)) v (n, unit);"
            "insert into binding (device_id, officer_id) select id, id from device;"
            "insert into device_state (device_id, availability, fix_at, lat, lon)"
            " select id, 'online', now(), 31 + id * 0.01, 121 from device"
        )
        await running.services.fleet.refresh()
        await running.services.mqtt.wait_connected()
        yield running
        for (gid,) in await running.sql("select gid from talk_group where kind <> 'squad'"):
            await running.services.publish(talk_group("main", gid), b"", retain=True)


@pytest_asyncio.fixture
async def server(broker: TestBroker) -> AsyncIterator[Session]:
    """What the talk server would say."""
    async with Session(broker.account("xunlu-streaming"), SessionOptions(client_id="talk-server")) as session:
        await session.wait_connected()
        yield session
        for gid in GIDS:
            await session.publish(floor("main", gid), b"", retain=True)


def claims(token: str, database: TestDatabase) -> TalkClaims:
    key = public_key((database.secrets / "media-key.pub").read_text("utf-8"))
    return verify_talk(token, key, now_s=time.time())


async def made(caller: Caller, **body: Any) -> dict[str, Any]:
    answer = await caller.post("/talk/groups", json=body)
    assert answer.status_code == 201, answer.text
    group: dict[str, Any] = answer.json()
    return group


async def test_a_dispatcher_joins_with_the_rights_of_a_desk(platform: Platform, database: TestDatabase) -> None:
    caller = await platform.sign_in("dispatcher", unit=2)
    told = (await caller.post("/talk/session")).json()
    assert (told["url"], told["main"], told["expires_s"]) == ("wss://talk.example:8010/ptt", "unit-2", 3600)
    assert [group["gid"] for group in told["groups"]] == ["unit-2"]
    said = claims(told["token"], database)
    assert (said.sub, said.priority, said.path, said.did) == (told["me"], 200, "/1/2/", None)
    assert {*said.rights} == {"barge", "take_down", "listen_in", "emergency", "broadcast"}
    supervisor = await platform.sign_in("supervisor")
    assert claims((await supervisor.post("/talk/session")).json()["token"], database).priority == 220


async def test_an_officer_joins_with_the_recorder_they_wear_and_only_their_own_groups(
    platform: Platform, database: TestDatabase
) -> None:
    desk = await platform.sign_in("dispatcher")
    other = await made(desk, kind="standing", name="others", members=["P3"])
    ours = await made(desk, kind="standing", name="ours", members=["P1"])
    officer = await platform.sign_in("officer", unit=2, officer=1)
    told = (await officer.post("/talk/session")).json()
    said = claims(told["token"], database)
    assert (said.number, said.did, said.priority, said.path) == ("D1", "P1", 100, None)
    assert said.rights == ("emergency",)
    gids = {group["gid"] for group in told["groups"]}
    assert gids == {"unit-2", ours["gid"]}
    assert other["gid"] not in gids
    assert (await officer.post("/talk/groups", json={"kind": "temporary", "members": ["P2"]})).status_code == 403
    assert (await officer.request("DELETE", f"/talk/groups/{ours['gid']}")).status_code == 403


async def test_groups_are_of_people_of_units_of_an_area_and_of_the_nearest(platform: Platform) -> None:
    caller = await platform.sign_in("dispatcher")
    me = (await caller.post("/talk/session")).json()["me"]

    def members(group: dict[str, Any]) -> set[str]:
        return {member["id"] for member in group["members"]}

    mixed = await made(caller, kind="standing", name="Night", members=["P3"], units=[2])
    assert members(mixed) == {me, "P1", "P2", "P3"}
    assert (mixed["until"], mixed["unit"]["id"], mixed["talker"]) == (None, 1, None)
    corners = [[31.015, 120.9], [31.015, 121.1], [31.05, 121.1], [31.05, 120.9]]
    inside = await made(caller, kind="broadcast", area=corners)
    assert members(inside) == {me, "P2", "P3"}
    assert {one["id"]: one["listener"] for one in inside["members"]} == {me: False, "P2": True, "P3": True}
    near = (await caller.post("/talk/groups/nearest", json={"did": "P1", "count": 1})).json()
    assert members(near) == {me, "P1", "P2"}
    assert near["until"] is not None
    call = await made(caller, kind="private", members=["P3"], duplex=True)
    assert (members(call), call["duplex"]) == ({me, "P3"}, True)
    listed = (await caller.get("/talk/groups")).json()["items"]
    assert {group["gid"] for group in listed} >= {"unit-1", "unit-2", mixed["gid"], call["gid"]}


async def test_the_talk_server_is_told_of_a_group_and_of_its_end_at_once(
    platform: Platform, broker: TestBroker
) -> None:
    caller = await platform.sign_in("dispatcher")
    listening = SessionOptions(client_id="ear", subscriptions=[Subscription(topic=talk_group("main", "+"))])
    async with Session(broker.account("xunlu-streaming"), listening) as session, asyncio.timeout(15):
        await session.wait_connected()
        gid = (await made(caller, kind="broadcast", name="台风预警", members=["P1"]))["gid"]
        message = await anext(session.messages())
        told = TalkGroup.decode(message.payload)
        assert (told.gid, told.name, told.path, told.listeners) == (gid, "台风预警", "/1/", ("P1",))
        assert len(told.members) == 2
        await caller.request("DELETE", f"/talk/groups/{gid}")
        message = await anext(session.messages())
        assert (message.topic, message.payload) == (talk_group("main", gid), b"")


async def test_groups_come_in_pages(platform: Platform) -> None:
    caller = await platform.sign_in("dispatcher")
    first = (await caller.get("/talk/groups?limit=2")).json()
    rest = (await caller.get("/talk/groups", params={"after": first["next"]})).json()
    assert [group["gid"] for group in first["items"] + rest["items"]] == ["unit-1", "unit-2", "unit-3"]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"kind": "temporary", "members": ["P3"]}, "unknown-member"),
        ({"kind": "temporary", "members": ["nobody"]}, "unknown-member"),
        ({"kind": "temporary", "units": [3]}, "unknown-unit"),
        ({"kind": "temporary"}, "nobody"),
        ({"kind": "temporary", "area": [[0, 0], [0, 1], [1, 1]]}, "nobody"),
        ({"kind": "private", "members": ["P1", "P2"]}, "private"),
        ({"kind": "standing", "members": ["P1"], "duplex": True}, "duplex"),
        ({"kind": "squad", "members": ["P1"]}, "literal_error"),
        ({"kind": "temporary", "members": ["P1"], "name": "a\x00"}, "string_pattern_mismatch"),
        ({"kind": "temporary", "members": ["P1"], "area": [[0, 0], [0, 1], [91, 1]]}, "less_than_equal"),
    ],
)
async def test_a_group_that_cannot_be_says_why(platform: Platform, body: dict[str, Any], reason: str) -> None:
    caller = await platform.sign_in("dispatcher", unit=2)
    answer = await caller.post("/talk/groups", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["reason"]) == (422, reason)


async def test_a_group_that_would_be_too_large_is_not_made(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = await platform.sign_in("dispatcher")
    monkeypatch.setattr("xunlu_platform.api.talk_groups.MEMBERS_MAX", 2)
    inside = [[31.0, 120.9], [31.0, 121.1], [31.05, 121.1], [31.05, 120.9]]
    for whom in ({"members": ["P1", "P2"]}, {"units": [2]}, {"area": inside}):
        answer = await caller.post("/talk/groups", json={"kind": "temporary", **whom})
        assert (answer.status_code, answer.json()["errors"][0]["reason"]) == (409, "too-many-members")
    assert await platform.sql("select count(*) from talk_group where kind <> 'squad'") == [(0,)]
    await made(caller, kind="temporary", members=["P1"])


async def test_a_group_that_is_ended_is_gone_but_that_of_a_unit_stays(platform: Platform) -> None:
    caller = await platform.sign_in("dispatcher")
    gid = (await made(caller, kind="temporary", members=["P1"]))["gid"]
    assert (await caller.request("DELETE", f"/talk/groups/{gid}")).status_code == 204
    assert (await caller.request("DELETE", f"/talk/groups/{gid}")).status_code == 404
    assert (await caller.request("DELETE", "/talk/groups/unit-2")).status_code == 409
    foreign = await platform.sign_in("dispatcher", unit=3)
    assert (await foreign.request("DELETE", "/talk/groups/unit-2")).status_code == 404
    assert await platform.sql("select action from audit order by id") == [("talk.make",), ("talk.close",)]


def state(gid: str, epoch: int, talker: str | None = None, *others: str, left_s: float = 30) -> bytes:
    now_ms = time.time_ns() // 1_000_000
    until = now_ms + int(left_s * 1000) if talker else None
    told = FloorState(
        gid=gid,
        talker=talker,
        did=talker,
        name=talker,
        others=tuple(Peer(id=one, name=one, did=one) for one in others),
        epoch=epoch,
        until=until,
        tms=now_ms,
    )
    return told.encode()


async def test_who_talks_is_shown_in_the_fleet_and_in_the_list(platform: Platform, server: Session) -> None:
    caller = await platform.sign_in("dispatcher")
    fleet = platform.services.fleet

    async def talk(did: str) -> Any:
        return fleet.devices[did].fields["talk"]

    async def becomes(did: str, gid: str | None) -> None:
        async def so() -> bool:
            return bool(await talk(did) == gid)

        await eventually(so)

    await server.publish(floor("main", "unit-2"), state("unit-2", 5, "P1"), retain=True)
    await becomes("P1", "unit-2")
    [group] = [one for one in (await caller.get("/talk/groups")).json()["items"] if one["gid"] == "unit-2"]
    assert (group["talker"]["id"], group["talker"]["did"], group["talker"]["urgency"]) == ("P1", "P1", 0)
    for hostile in (state("unit-2", 4, "P2"), state("unit-3", 9, "P2"), b"{", json.dumps({"gid": 7}).encode()):
        await server.publish(floor("main", "unit-2"), hostile)
    await server.publish(floor("main", "unit-3"), state("unit-3", 1, "P3"), retain=True)
    await becomes("P3", "unit-3")
    assert (await talk("P1"), await talk("P2")) == ("unit-2", None)
    await server.publish(floor("main", "unit-2"), state("unit-2", 5, "P2", "P1"), retain=True)
    await becomes("P2", "unit-2")
    assert await talk("P1") == "unit-2", "in a two-way call both talk"
    await server.publish(floor("main", "unit-2"), state("unit-2", 5), retain=True)
    await becomes("P1", None)
    await server.publish(floor("main", "unit-3"), state("unit-3", 2, "P3", left_s=-60), retain=True)
    await becomes("P3", None)


async def test_a_device_that_comes_back_is_told_with_its_talk(platform: Platform, server: Session) -> None:
    await server.publish(floor("main", "unit-2"), state("unit-2", 5, "P1"), retain=True)

    async def talks() -> bool:
        return bool(platform.services.fleet.devices["P1"].fields["talk"] == "unit-2")

    await eventually(talks)
    platform.services.fleet.devices.pop("P1")
    await platform.services.fleet.refresh()
    assert await talks()


async def test_our_own_page_may_use_the_microphone_and_reach_the_talk_server(platform: Platform) -> None:
    headers = (await platform.client.get("/")).headers
    assert "microphone=(self)" in headers["permissions-policy"]
    assert " wss://talk.example:8010;" in headers["content-security-policy"]
