"""The radio net with real parts: the process, the broker, WebSockets, DTLS, Opus."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.integration.talk_rig import TENANT, Net, running_net
from tests.services import TestBroker
from xunlu_protocol.talk import Deny, Granted, Groups, Hears, Idle, Members, Position, Problem, Revoke, Taken
from xunlu_protocol.topics import talk_group

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def net(broker: TestBroker, tmp_path: Path) -> AsyncIterator[Net]:
    async with running_net(broker, tmp_path) as made:
        yield made


async def test_whoever_is_granted_the_floor_is_heard_and_nobody_else(net: Net) -> None:
    gid = await net.group("a", "b", "c")
    a, b, c = net.person("a", 440), net.person("b", 900), net.person("c", 1500)
    await asyncio.gather(*(one.join(gid) for one in (a, b, c)))
    await a.press(gid)
    granted = await a.told(Granted, gid=gid)
    assert 0 < granted.left_s <= 30
    taken = await c.told(Taken, gid=gid, grant=granted.grant)
    assert (taken.talker.id, taken.talker.name) == ("a", "name of a")
    await b.press(gid)
    assert (await b.told(Position, gid=gid)).position == 1
    await asyncio.gather(c.hears(a), b.hears(a))
    assert not [hz for _, hz in c.heard if abs(hz - 900) < 60], "who waits is not heard"
    await a.let_go(gid)
    second = await b.told(Granted, gid=gid)
    assert second.grant == granted.grant + 1
    await c.hears(b)
    await b.let_go(gid)
    await c.told(Idle, gid=gid)
    await c.told(Hears, gid=None)


async def test_an_emergency_cuts_in_at_once(net: Net) -> None:
    gid = await net.group("a", "b", "c")
    a, b, c = net.person("a", 440, priority=255, rights=["barge"]), net.person("b", 900), net.person("c", 1500)
    await asyncio.gather(*(one.join(gid) for one in (a, b, c)))
    await a.press(gid)
    await c.hears(a)
    await b.press(gid, urgency=2)
    await a.told(Revoke, gid=gid, cause="preempted", left_s=0)
    assert (await c.told(Taken, gid=gid, urgency=2)).talker.id == "b"
    first = len(c.heard)
    await c.hears(b)
    pitches = [hz for _, hz in c.heard[first:] if hz]
    switch = next(place for place, hz in enumerate(pitches) if abs(hz - 900) < 60)
    assert not [hz for hz in pitches[switch + 1 :] if abs(hz - 440) < 60], "nothing of a revoked talker comes later"


async def test_a_talker_that_calls_an_emergency_is_not_cut_off_by_any_rank(net: Net) -> None:
    gid = await net.group("a", "b")
    a, b = net.person("a", 440), net.person("b", 900)
    chief = net.person("u-2", 1500, priority=255, path="/1/", rights=["barge"])
    await asyncio.gather(*(one.join(gid) for one in (a, b, chief)))
    await a.press(gid)
    grant = (await a.told(Granted, gid=gid)).grant
    await b.hears(a)
    await a.press(gid, urgency=2)
    await a.told(Granted, gid=gid, grant=grant + 1)
    assert (await b.told(Taken, gid=gid, grant=grant + 1, urgency=2)).talker.id == "a"
    await chief.press(gid)
    await chief.told(Position, gid=gid, position=1)
    await b.hears(a)
    assert not [one for one in (*a.said, *b.said) if isinstance(one, Revoke | Idle)]


async def test_barge_in_and_take_down_need_their_rights(net: Net) -> None:
    gid = await net.group("a", "b")
    a = net.person("a", 440)
    plain = net.person("u-1", 900, priority=200, path="/1/")
    chief = net.person("u-2", 1500, priority=200, path="/1/", rights=["barge", "take_down"])
    await asyncio.gather(*(one.join(gid) for one in (a, plain, chief)))
    await a.press(gid)
    await chief.told(Taken, gid=gid)
    await plain.take_down(gid)
    await plain.told(Problem, slug="right-take-down")
    await plain.press(gid, urgency=2)
    await plain.told(Problem, slug="right-emergency")
    await plain.told(Deny, gid=gid, cause="receive_only")
    await chief.press(gid)
    await a.told(Revoke, gid=gid, cause="preempted")
    await a.hears(chief)
    await chief.let_go(gid)
    await a.press(gid)
    await chief.told(Taken, gid=gid)
    await chief.take_down(gid)
    await a.told(Revoke, gid=gid, cause="taken_down")
    await chief.told(Idle, gid=gid)


async def test_of_several_groups_the_urgent_one_is_heard_then_the_main_one(net: Net) -> None:
    main, low, high = [await net.group("l", who) for who in ("m", "n", "h")]
    listener = net.person("l", 300)
    m, n, h = net.person("m", 440), net.person("n", 900), net.person("h", 1500)
    await listener.join(main, [high, low])
    await asyncio.gather(m.join(main), n.join(low), h.join(high))
    await n.press(low)
    await listener.told(Hears, gid=low)
    await h.press(high)
    await listener.told(Taken, gid=high)
    await listener.hears(n)
    await m.press(main)
    await listener.told(Hears, gid=main)
    await listener.hears(m)
    await n.press(low, urgency=2)
    await n.let_go(low)
    await n.press(low, urgency=2)
    await listener.told(Hears, gid=low)
    await listener.hears(n)
    await n.let_go(low)
    await listener.told(Hears, gid=main)
    await listener.hears(m)


async def test_late_entry_is_the_next_packet(net: Net) -> None:
    gid = await net.group("a", "b", "late")
    a, b, late = net.person("a", 440), net.person("b", 900), net.person("late", 1500)
    await asyncio.gather(a.join(gid), b.join(gid), late.join())
    await a.press(gid)
    await b.hears(a)
    late.heard.clear()
    await late.tune(gid)
    await late.told(Taken, gid=gid)
    await late.hears(a, 5)
    assert abs(late.heard[1][1] - 440) < 60, "the second frame at the latest is speech"


async def test_groups_that_come_change_and_go_are_followed(net: Net) -> None:
    first = await net.group("a", "b")
    a, b = net.person("a"), net.person("b")
    later = f"g{net.mark}-1"
    await asyncio.gather(a.join(first, [later]), b.join(later))
    assert await net.group("a", "b") == later
    await a.told(Groups)
    members = await b.told(Members, gid=later)
    while len(members.online) < 2:
        members = await b.told(Members, gid=later)
    assert {one.id for one in members.online} == {"a", "b"}
    await a.press(later)
    await b.hears(a)
    await net.group_is(later, "b", listeners=("b",))
    await b.told(Idle, gid=later)
    await b.press(later)
    await b.told(Deny, gid=later, cause="receive_only")
    await a.press(later)
    await a.told(Deny, gid=later, cause="receive_only")


async def test_the_grants_of_a_group_that_comes_back_rise(net: Net) -> None:
    gid = await net.group("a", "b")
    a, b = net.person("a"), net.person("b")
    await asyncio.gather(a.join(gid), b.join(gid))
    await a.press(gid)
    grant = (await a.told(Granted, gid=gid)).grant
    await net.session.publish(talk_group(TENANT, gid), b"", retain=True)
    await a.told(Groups, groups=())
    await net.group_is(gid, "a", "b")
    while len((await b.told(Members, gid=gid)).online) < 2:
        pass
    await a.press(gid)
    assert (await a.told(Granted, gid=gid)).grant > grant
