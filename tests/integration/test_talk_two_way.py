"""Two-way calls: there is no floor, but everybody has a gate of their own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.integration.talk_rig import TENANT, Net, running_net
from tests.services import TestBroker
from tests.talk import Participant, until
from xunlu_protocol.talk import Deny, FloorRelease, FloorState, Granted, Hears, Idle, Revoke, Taken
from xunlu_protocol.topics import floor

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def net(broker: TestBroker, tmp_path: Path) -> AsyncIterator[Net]:
    async with running_net(broker, tmp_path, floor(TENANT, "+"), talk_longest_s=2, talk_end_of_media_s=2) as made:
        yield made


async def call(net: Net, *others: Participant) -> tuple[str, Participant, Participant]:
    """A call between two, which others listen in to."""
    gid = await net.group("a", "b", kind="private", duplex=True)
    a, b = net.person("a", 440), net.person("b", 900)
    await asyncio.gather(*(one.join(gid) for one in (a, b, *others)))
    return gid, a, b


async def both_talk(gid: str, a: Participant, b: Participant) -> None:
    await asyncio.gather(a.press(gid), b.press(gid))
    await asyncio.gather(a.hears(b), b.hears(a))


def talkers(one: Participant) -> set[str]:
    """Who has talked, as far as somebody was told since it was asked last."""
    return {said.talker.id for said in one.said if isinstance(said, Taken)}


async def test_both_are_heard_at_once_and_whoever_listens_in_is_not(net: Net) -> None:
    spy = net.person("u-9", 300, path="/", rights=["listen_in"])
    gid, a, b = await call(net, spy)
    await both_talk(gid, a, b)
    assert not [hz for _, hz in a.heard if abs(hz - 440) < 60], "nobody hears itself"
    await spy.press(gid)
    await spy.told(Deny, gid=gid, cause="receive_only")
    await b.hears(a)
    assert talkers(b) == {"a", "b"}


async def test_sound_before_the_key_and_behind_its_release_is_not_heard(net: Net) -> None:
    gid, a, b = await call(net)
    a.microphone.pressed.set()
    await b.press(gid)
    await a.hears(b)
    assert talkers(b) == {"b"}
    await a.press(gid)
    await b.hears(a)
    await a.send(FloorRelease(gid=gid))
    b.said.clear()
    await b.told(Taken, gid=gid)
    await a.hears(b, 50)
    assert talkers(b) <= {"b"}


async def test_a_call_that_is_taken_down_is_silent_until_a_key_is_pressed_anew(net: Net) -> None:
    chief = net.person("u-2", 1500, path="/1/", rights=["listen_in", "take_down"])
    gid, a, b = await call(net, chief)
    await both_talk(gid, a, b)
    await chief.take_down(gid)
    await asyncio.gather(*(one.told(Revoke, gid=gid, cause="taken_down", left_s=0) for one in (a, b)))
    await chief.told(Idle, gid=gid)
    await a.press(gid)
    await a.told(Granted, gid=gid)
    await b.hears(a, 50)
    assert talkers(chief) == {"a"}, "the other one sends on, and is not heard"


async def test_whoever_still_talks_is_told_for_as_long_as_it_lasts(net: Net) -> None:
    states: list[FloorState] = []

    async def hear() -> None:
        async for message in net.session.messages():
            net.session.acknowledge(message)
            state = FloorState.decode(message.payload) if message.payload else None
            if state is not None and state.gid == gid:
                states.append(state)

    def newest() -> tuple[str | None, list[str]]:
        return (states[-1].talker, [other.id for other in states[-1].others]) if states else (None, [])

    gid, a, b = await call(net)
    hearing = asyncio.create_task(hear())
    await a.press(gid)
    await b.hears(a)
    await b.press(gid)
    await until(lambda: newest() == ("b", ["a"]), "both talk")
    await b.let_go(gid)
    await until(lambda: newest() == ("a", []), "the first one talks still")
    assert (await b.told(Taken, gid=gid, grant=states[-1].epoch)).talker.id in {"a", "b"}
    told_ms = states[-1].until or 0
    await until(lambda: (states[-1].until or 0) > told_ms, "nobody takes the server for dead")
    assert newest() == ("a", [])
    await a.let_go(gid)
    await until(lambda: newest() == (None, []), "nobody talks")
    assert [state.epoch for state in states] == sorted(state.epoch for state in states)
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)


async def test_a_gate_stays_open_through_a_silence(net: Net) -> None:
    gid, a, b = await call(net)
    await a.press(gid)
    await b.hears(a)
    a.microphone.pressed.clear()
    await b.told(Idle, gid=gid)
    a.microphone.pressed.set()
    await b.told(Taken, gid=gid)
    await b.hears(a)


async def test_an_emergency_raises_the_call_without_a_break(net: Net) -> None:
    gid, a, b = await call(net)
    await a.press(gid)
    await b.hears(a)
    b.said.clear()
    await a.press(gid, urgency=2)
    await until(lambda: any(isinstance(said, Taken) for said in b.said))
    assert not [said for said in b.said if isinstance(said, Idle)]
    await b.told(Taken, gid=gid, urgency=2)
    await b.hears(a)


async def test_whoever_loses_the_right_to_talk_is_silent_at_once(net: Net) -> None:
    gid, a, b = await call(net)
    await a.press(gid)
    await b.hears(a)
    await net.group_is(gid, "a", "b", kind="private", duplex=True, listeners=("a",))
    await b.told(Idle, gid=gid)
    await b.told(Hears, gid=None)
