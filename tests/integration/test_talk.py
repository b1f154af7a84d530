"""The radio net with real parts: the process, the broker, WebSockets, DTLS, Opus."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.services import TestBroker
from tests.talk import Participant, Talk, running_talk
from xunlu_kit.mqtt import Session, SessionOptions
from xunlu_protocol.talk import Deny, Granted, Hears, Idle, Position, Problem, Revoke, Taken, TalkGroup
from xunlu_protocol.topics import talk_group

pytestmark = pytest.mark.integration

TENANT = "main"


class Net:
    """A talk server with groups, and participants that are sent home at the end."""

    def __init__(self, talk: Talk, session: Session) -> None:
        self.talk = talk
        self.session = session
        self.mark = secrets.token_hex(3)
        self.people: list[Participant] = []
        self.groups: list[str] = []

    async def group(self, *members: str, **more: Any) -> str:
        gid = f"g{self.mark}-{len(self.groups)}"
        self.groups.append(gid)
        spec = {"gid": gid, "name": "一中队", "kind": "squad", "path": "/1/2/", "members": members}
        await self.session.publish(talk_group(TENANT, gid), TalkGroup.parse(spec | more).encode(), retain=True)
        return gid

    def person(self, who: str, hz: int = 440, **claims: Any) -> Participant:
        self.people.append(Participant(self.talk, who, hz, claims))
        return self.people[-1]

    async def clear(self) -> None:
        await asyncio.gather(*(one.close() for one in self.people))
        for gid in self.groups:
            await self.session.publish(talk_group(TENANT, gid), b"", retain=True)


@pytest_asyncio.fixture
async def net(broker: TestBroker, tmp_path: Path) -> AsyncIterator[Net]:
    options = SessionOptions(client_id=secrets.token_hex(8))
    settings = {"talk_longest_s": 3, "talk_grace_s": 0.5, "talk_end_of_media_s": 2}
    async with running_talk(broker, tmp_path, **settings) as talk, Session(broker.account("xunlu-api"), options) as one:
        await one.wait_connected()
        made = Net(talk, one)
        try:
            yield made
        finally:
            await made.clear()


async def test_whoever_is_granted_the_floor_is_heard_and_nobody_else(net: Net) -> None:
    gid = await net.group("a", "b", "c")
    a, b, c = net.person("a", 440), net.person("b", 900), net.person("c", 1500)
    await asyncio.gather(*(one.join(gid) for one in (a, b, c)))
    await a.press(gid)
    granted = await a.told(Granted, gid=gid)
    assert 2 < granted.left_s <= 3
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
