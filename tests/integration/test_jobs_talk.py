"""What the jobs process does for push-to-talk: it has groups and invitations retained, and keeps logs and bursts."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from tests.integration.ingest_rig import TENANT, rig
from tests.integration.jobs_talk_rig import Net
from tests.services import TestBroker, TestDatabase
from xunlu_kit.mqtt import Session, SessionOptions, Subscription
from xunlu_platform.jobs import talk
from xunlu_protocol.talk import TalkGroup
from xunlu_protocol.talk_reports import BurstReport, FloorEntry, TalkLog
from xunlu_protocol.topics import down, talk_ack, talk_burst, talk_group, talk_log

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("quiet_net")]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs in a rhythm for tests."""
    for name in ("GROUPS_S", "INVITATIONS_S", "SOS_S"):
        monkeypatch.setattr(talk, name, 0.2)


@pytest_asyncio.fixture
async def net(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Net]:
    topics = (talk_group(TENANT, "+"), talk_ack(TENANT, "+"), down(TENANT, "+", "talk"))
    options = SessionOptions(client_id="net", subscriptions=[Subscription(topic=one) for one in topics])
    settings = {"talk_url": "https://talk.example:8010", "recorder_talk_url": "http://10.0.0.1:8010"}
    async with (
        rig(database, broker, **settings) as made,
        Session(broker.account("xunlu-streaming"), options) as session,
    ):
        await session.wait_connected()
        running = Net(made, session, database)
        await made.device()
        [row] = await made.rows("select id from unit")
        running.root = row["id"]
        listening = asyncio.create_task(running.listen())
        yield running
        for topic, payload in running.heard.items():
            if payload and "/ack/" not in topic:
                await session.publish(topic, b"", retain=True)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def test_every_unit_has_a_group_of_its_own_officers_that_follows_bindings_and_names(net: Net) -> None:
    east, west = await net.squad("East"), await net.squad("West")
    ours, theirs = await net.officer(east, "1"), await net.officer(west, "2")
    async with net.jobs():
        group = await net.group(f"unit-{east}", lambda one: bool(one.members))
        assert (group.name, group.kind, group.members) == ("East", "squad", (ours,))
        assert group.path == f"/{net.root}/{east}/"
        assert (await net.group(f"unit-{net.root}")).members == (), "a district's own officers only"
        await net.execute("update unit set name = 'Old Town' where id = %s", east)
        await net.execute("update officer set unit_id = %s where number = '2'", east)
        await net.group(f"unit-{east}", lambda one: one.name == "Old Town" and {*one.members} == {ours, theirs})
        await net.execute("update binding set released_at = now()")
        await net.group(f"unit-{east}", lambda one: not one.members)


async def test_a_group_of_units_follows_them_and_is_withdrawn_when_it_is_over(net: Net) -> None:
    east = await net.squad("East")
    did = await net.officer(east, "1")
    await net.execute(
        "insert into talk_group (gid, unit_id, kind, name) values ('night', %s, 'standing', 'Night')", net.root
    )
    await net.execute("insert into talk_group_member (gid, unit_id) values ('night', %s)", net.root)
    await net.session.publish(talk_group(TENANT, "old"), TalkGroup(
        gid="old", name="x", kind="temporary", path="/1/").encode(), retain=True)  # fmt: skip
    async with net.jobs():
        assert (await net.group("night", lambda one: bool(one.members))).members == (did,)
        await net.withdrawn(talk_group(TENANT, "old"))
        await net.execute("update talk_group set until = now() where gid = 'night'")
        await net.withdrawn(talk_group(TENANT, "night"))


async def test_a_recorder_is_invited_with_its_groups_and_no_longer_when_it_is_disabled(net: Net) -> None:
    east = await net.squad("East")
    did, mute = await net.officer(east, "1"), await net.officer(east, "2")
    await net.execute("update device_state s set birth = '{}' from device d where d.id = device_id and did = %s", mute)
    async with net.jobs():
        first = await net.invitation(did)
        assert (first.url, first.main, first.scan) == ("ws://10.0.0.1:8010/ptt", f"unit-{east}", ())
        claims = net.claims(first)
        assert (claims.sub, claims.did, claims.number, claims.priority, claims.path) == (did, did, "1", 100, None)
        assert claims.rights == ("emergency",)
        assert claims.exp - time.time() > 17 * 3600
        await net.calls(did, "later", "standing", east)
        await net.calls(did, "first", "broadcast", east, listener=True)
        second = await net.invitation(did, lambda one: len(one.scan) == 2)
        assert (second.main, second.scan) == (f"unit-{east}", ("first", "later"))
        assert second.token == first.token, "the same claims, told again only because the groups changed"
        assert down(TENANT, mute, "talk") not in net.heard
        await net.execute("update device set status = 'disabled' where did = %s", did)
        await net.withdrawn(down(TENANT, did, "talk"))


async def test_the_key_talks_in_the_most_pressing_group_in_which_its_officer_may_talk(net: Net) -> None:
    east = await net.squad("East")
    did, other = await net.officer(east, "1"), await net.officer(east, "2")
    alarms = [
        await net.one(
            "insert into alarm (device_id, kind, severity, sid, seq, raised_at, received_at, state, closed_at)"
            " select id, 'sos', 3, 1, 1, now(), now(), 'resolved', now() from device where did = %s",
            one,
        )
        for one in (did, other)
    ]
    async with net.jobs():
        home = await net.turned(did, f"unit-{east}")
        assert home.scan == ()
        await net.calls(did, "night", "standing", east)
        for gid, kind in (("team", "temporary"), ("call-1", "private"), ("call-2", "private"), ("help", "emergency")):
            await net.calls(did, gid, kind, east)
            assert (await net.turned(did, gid)).scan[0] == home.main, "the squad stands first"
        await net.calls(did, "own", "emergency", east, alarm=alarms[0])
        await net.turned(did, "own")
        await net.calls(did, "later", "emergency", east, alarm=alarms[1])
        await net.calls(did, "storm", "broadcast", east, listener=True)
        told = await net.invitation(did, lambda one: len(one.scan) == 8)
        assert told.main == "own", "the SOS of the officer, before those of others"
        assert told.scan == (home.main, "later", "help", "storm", "call-2", "call-1", "team", "night")
        for gid, main in (
            ("own", "later"),
            ("later", "help"),
            ("help", "call-2"),
            ("call-2", "call-1"),
            ("call-1", "team"),
        ):
            await net.execute("update talk_group set closed_at = now() where gid = %s", gid)
            await net.turned(did, main)
        await net.execute("update talk_group_member set listener = true where gid = 'team'")
        assert (await net.turned(did, f"unit-{east}")).scan == ("storm", "team", "night")
        assert (await net.invitation(other)).main == home.main


async def test_a_group_that_is_told_of_turns_the_keys_of_its_members_at_once(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GROUPS_S", "INVITATIONS_S"):
        monkeypatch.setattr(talk, name, 3600)
    east = await net.squad("East")
    did = await net.officer(east, "1")
    async with net.jobs():
        await net.turned(did, f"unit-{east}")
        await net.calls(did, "call", "private", east)
        told = TalkGroup(gid="call", name="x", kind="private", path=f"/{net.root}/")
        await net.session.publish(talk_group(TENANT, "call"), told.encode(), retain=True)
        await net.turned(did, "call")
        await net.execute("update talk_group set closed_at = now() where gid = 'call'")
        await net.session.publish(talk_group(TENANT, "call"), b"", retain=True)
        await net.turned(did, f"unit-{east}")


async def test_an_sos_calls_the_nearest_on_duty_and_the_dispatchers_above(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talk, "NEAREST", 2)
    east, west = await net.squad("East"), await net.squad("West")
    caller = await net.officer(east, "1")
    near = [await net.officer(west, "2", lat=31.01), await net.officer(east, "3", lat=30.98)]
    far, away = await net.officer(east, "4", lat=32.0), await net.officer(east, "5", lat=31.001)
    await net.execute("update device_state s set availability = 'offline' from device d where d.id = device_id"
                      " and did = %s", away)  # fmt: skip
    desks = [await net.account("dispatcher", unit) for unit in (net.root, east, west)]
    await net.account("auditor", east)
    alarm = await net.one(
        "insert into alarm (device_id, kind, severity, sid, seq, raised_at, received_at)"
        " select id, 'sos', 3, 1, 1, now(), now() from device where did = %s",
        caller,
    )
    async with net.jobs():
        group = await net.group(f"sos-{alarm}", lambda one: bool(one.members))
        assert {*group.members} == {caller, *near, f"u-{desks[0]}", f"u-{desks[1]}"}
        assert far not in group.members
        assert (group.kind, group.name, group.until) == ("emergency", f"SOS {caller}", None)
        monkeypatch.setattr(talk, "AFTER_SOS_S", 0)
        await net.execute("update alarm set state = 'resolved'")
        await net.withdrawn(talk_group(TENANT, f"sos-{alarm}"))


def entry(name: str, gid: str, what: str, who: str, **values: Any) -> FloorEntry:
    return FloorEntry(id=name, gid=gid, tms=now_ms(), what=what, who=who, **values)


async def test_the_floor_log_is_kept_once_and_what_a_dispatcher_did_is_audited(net: Net) -> None:
    east = await net.squad("East")
    did, boss = await net.officer(east, "1"), await net.account("dispatcher", net.root)
    gid = f"unit-{east}"
    entries = (
        entry("e1", gid, "granted", did, grant=7),
        entry("e2", gid, "preempted", did, by=f"u-{boss}", grant=7),
        entry("e3", gid, "taken_down", did, by=f"u-{boss}", grant=8),
        entry("e4", gid, "listening_in", f"u-{boss}"),
        entry("e5", "forgotten", "granted", did, grant=1),
    )
    async with net.jobs():
        for name in ("marker-1", "marker-2"):
            told = TalkLog(entries=(*entries, entry(name, gid, "joined", did)))
            await net.session.publish(talk_log(TENANT), told.encode())
            await net.acknowledged(name)
    rows = await net.rig.rows("select id, unit_id, grant_number from floor_entry order by id")
    assert [row["id"] for row in rows] == ["e1", "e2", "e3", "e4", "e5", "marker-1", "marker-2"]
    assert (rows[0]["unit_id"], rows[0]["grant_number"], rows[4]["unit_id"]) == (east, 7, net.root)
    audit = await net.rig.rows("select * from audit order by id")
    assert {(row["action"], row["account_id"], row["target"]) for row in audit} == {
        (action, boss, gid) for action in ("talk.barge", "talk.take_down", "talk.listen_in")
    }
    assert len(audit) == 3
    assert audit[0]["username"] == f"dispatcher{net.root}"


def burst(name: str, gid: str, talker: str, **values: Any) -> BurstReport:
    started_ms = now_ms() - 10_000
    fields: dict[str, Any] = {
        "id": name, "gid": gid, "talker": talker, "did": talker, "grant": 7, "file": f"ptt/{name}.opus",
        "started_ms": started_ms, "ended_ms": started_ms + 4000, "size_bytes": 4, "sha256": "ab" * 32, **values,
    }  # fmt: skip
    return BurstReport(**fields)


async def test_a_burst_belongs_to_its_talker_and_place_and_is_registered_once(net: Net) -> None:
    east = await net.squad("East")
    did = await net.officer(east, "1")
    for age, lat in (("5 minutes", 31.1), ("20 seconds", 31.2), ("1 second", 31.3)):
        await net.execute(
            "insert into position (device_id, fix_at, sid, seq, received_at, lat, lon, late)"
            " select id, now() - %s::interval, 1, 1, now(), %s, 121, false from device where did = %s",
            age, lat, did,
        )  # fmt: skip
    async with net.jobs():
        for name in ("b1", "b2", "b1", "b3"):
            report = burst(name, f"unit-{east}", did, did="nobody" if name == "b3" else did)
            await net.session.publish(talk_burst(TENANT, "host-1"), report.encode())
        await net.acknowledged("b3")
    rows = await net.rig.rows("select b.*, o.number from burst b left join officer o on o.id = officer_id order by id")
    assert [(row["id"], row["number"], row["lat"]) for row in rows] == [("b1", "1", 31.2), ("b2", "1", 31.2), (
        "b3", None, None)]  # fmt: skip
    assert {row["unit_id"] for row in rows} == {east}


async def test_hostile_reports_stop_nobody(net: Net) -> None:
    east = await net.squad("East")
    did = await net.officer(east, "1")
    gid = f"unit-{east}"
    escape = burst("b9", gid, did).model_dump() | {"file": "../secret"}
    async with net.jobs():
        await net.group(gid)
        for topic, payload in (
            (talk_log(TENANT), b"{"),
            (talk_log(TENANT), TalkLog(entries=(entry("nul", gid, "a\x00b", did),)).encode()),
            (talk_burst(TENANT, "host-1"), json.dumps(escape).encode()),
            (talk_burst(TENANT, "host-1"), b"[]"),
            (talk_log(TENANT), TalkLog(entries=(entry("good", gid, "joined", did),)).encode()),
        ):
            await net.session.publish(topic, payload)
        await net.acknowledged("good")
    assert [row["id"] for row in await net.rig.rows("select id from floor_entry")] == ["good"]
    assert await net.rig.rows("select from burst") == []


@pytest.mark.parametrize("role", ["api", "ingest", "jobs"])
async def test_nobody_may_alter_or_delete_what_was_said(database: TestDatabase, role: str) -> None:
    async with await psycopg.AsyncConnection.connect(database.dsn(role), autocommit=True) as connection:
        for statement in (
            "update burst set file = ''", "delete from burst", "update floor_entry set who = ''",
            "delete from floor_entry", "update message set text = 'x'", "delete from message_target",
            "delete from talk_group",
        ):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await connection.execute(statement.encode())
