"""Push-to-talk of real agents, through the real talk server and the real broker."""

import asyncio
import dataclasses
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import av
import pytest
import pytest_asyncio

from tests.integration.agent_rig import TENANT, Recorder, session, task
from tests.integration.detour import Detour
from tests.integration.talk_rig import Net, running_net
from tests.services import TestBroker
from tests.talk import pitch_hz, until
from tests.unit.xunlu_edge.rig import Keyboard
from xunlu_edge.agent import Agent
from xunlu_edge.hardware import Signal
from xunlu_edge.media.sources import GeneratedSound
from xunlu_edge.media.tone import PITCH_HZ, RATE_HZ
from xunlu_edge.talk import participant as participants
from xunlu_kit.mqtt import Session
from xunlu_platform.auth.broker_accounts import BrokerAccounts
from xunlu_platform.auth.dynamic_security import RESPONSE_TOPIC
from xunlu_protocol.talk import Idle, Taken, TalkInvitation
from xunlu_protocol.topics import down
from xunlu_sim.hardware import Loudspeaker
from xunlu_sim.udp_impairment import UdpOptions

pytestmark = pytest.mark.integration


class Officer:
    """A real agent with a key, a microphone that sounds a tone, and a loudspeaker that remembers."""

    def __init__(self, broker: TestBroker, state: Path, api: Session) -> None:
        self.recorder = Recorder(broker, state)
        self.loudspeaker = Loudspeaker()
        self.recorder.hardware = dataclasses.replace(
            self.recorder.hardware, microphone=GeneratedSound(), loudspeaker=self.loudspeaker
        )
        self.agent: Agent
        self._api = api

    @property
    def did(self) -> str:
        return self.recorder.did

    @property
    def is_on_the_net(self) -> bool:
        participant = self.agent.radio.participant
        return participant is not None and participant.is_joined

    async def invited(self, net: Net, gid: str) -> None:
        invitation = TalkInvitation(url=net.talk.url, token=net.talk.token(self.did, did=self.did), main=gid)
        await self._api.publish(down(TENANT, self.did, "talk"), invitation.encode(), retain=True)

    async def dismissed(self) -> None:
        await self._api.publish(down(TENANT, self.did, "talk"), b"", retain=True)

    def press(self, signal: Signal) -> None:
        keys = self.recorder.hardware.keys
        assert isinstance(keys, Keyboard)
        keys.pressed.put_nowait(signal)

    def pieces_at(self, hz: int, since_s: float = 0.0) -> int:
        """How many pieces of 20 ms with this pitch the officer has heard."""
        return sum(abs(pitch_hz(_frame(pcm)) - hz) < 60 for at_s, pcm in list(self.loudspeaker.heard) if at_s > since_s)


def _frame(pcm: bytes) -> av.AudioFrame:
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
    frame.planes[0].update(pcm)
    frame.sample_rate = RATE_HZ
    return frame


@dataclasses.dataclass
class Squad:
    """Two officers with recorders on one net."""

    net: Net
    gid: str
    wang: Officer
    li: Officer


@pytest_asyncio.fixture
async def squad(broker: TestBroker, tmp_path: Path) -> AsyncIterator[Squad]:
    async with AsyncExitStack() as stack:
        net = await stack.enter_async_context(running_net(broker, tmp_path, talk_longest_s=8))
        api = await stack.enter_async_context(session(broker.account("xunlu-api"), RESPONSE_TOPIC))
        accounts = BrokerAccounts(api, TENANT)

        async def hear() -> None:
            async for message in api.messages():
                api.acknowledge(message)
                accounts.handle(message)

        await stack.enter_async_context(task(hear(), "accounts"))
        wang, li = (Officer(broker, tmp_path / secrets.token_hex(3), api) for _ in range(2))
        gid = await net.group(wang.did, li.did, "u-1")
        for officer in (wang, li):
            await accounts.put(officer.did, officer.recorder.password, "approved", "recorder")
            officer.recorder.know_itself()
            officer.agent = await stack.enter_async_context(officer.recorder.running())
            await officer.invited(net, gid)
        await until(lambda: wang.is_on_the_net and li.is_on_the_net, "the recorders did not join")
        yield Squad(net, gid, wang, li)
        for officer in (wang, li):
            await officer.dismissed()


async def test_an_officer_presses_hears_the_permit_and_is_heard_by_the_other(squad: Squad) -> None:
    desk = await squad.net.person("u-1").join(squad.gid)
    squad.wang.press("ptt")
    taken = await desk.told(Taken, gid=squad.gid)
    assert (taken.talker.id, taken.talker.did) == (squad.wang.did, squad.wang.did)
    await until(lambda: squad.li.pieces_at(PITCH_HZ) >= 12, "the other recorder does not hear it")
    assert squad.wang.pieces_at(1200) >= 2, "the permit"
    assert not squad.wang.pieces_at(PITCH_HZ), "nobody hears oneself"
    squad.wang.press("ptt_release")
    await desk.told(Idle, gid=squad.gid)
    quiet_s = time.monotonic() + 0.5
    count = squad.li.loudspeaker.count
    await until(lambda: time.monotonic() > quiet_s)
    assert squad.li.loudspeaker.count - count < 25, "nothing sounds while nobody talks"
    squad.li.press("ptt")
    await until(lambda: squad.wang.pieces_at(PITCH_HZ) >= 12, "nor the way back")


async def test_whoever_holds_the_key_too_long_is_told_and_not_heard_any_more(squad: Squad) -> None:
    desk = await squad.net.person("u-1").join(squad.gid)
    squad.wang.press("ptt")
    await desk.told(Taken, gid=squad.gid)
    await desk.told(Idle, gid=squad.gid)
    await until(lambda: squad.wang.pieces_at(400) >= 5, "the tone of a revoked talker")
    participant = squad.wang.agent.radio.participant
    assert participant is not None
    assert participant.key.state == "refused", "the key must be let go first"


async def test_an_officer_in_distress_cuts_in(squad: Squad) -> None:
    desk = await squad.net.person("u-1").join(squad.gid)
    squad.wang.press("ptt")
    await desk.told(Taken, gid=squad.gid)
    squad.li.press("sos")
    squad.li.press("ptt")
    assert (await desk.told(Taken, gid=squad.gid, urgency=2)).talker.id == squad.li.did
    since_s = time.monotonic()
    await until(lambda: squad.wang.pieces_at(PITCH_HZ, since_s) >= 5, "the one who was cut hears the other")


async def test_a_connection_that_breaks_heals_and_a_held_key_asks_again(squad: Squad) -> None:
    desk = await squad.net.person("u-1").join(squad.gid)
    squad.wang.press("ptt")
    await desk.told(Taken, gid=squad.gid)
    participant = squad.wang.agent.radio.participant
    assert participant is not None
    joins = participant.joins
    # The newest connection of a name takes the place of the one before, which is told so and comes back.
    # It may be back before the thief has heard its welcome, so nobody waits for that.
    thief = asyncio.create_task(squad.net.person(squad.wang.did).join(squad.gid))
    await until(lambda: participant.joins > joins, "it did not come back")
    thief.cancel()
    await asyncio.gather(thief, return_exceptions=True)
    await until(lambda: participant.key.is_talking)
    since_s = time.monotonic()
    await until(lambda: squad.li.pieces_at(PITCH_HZ, since_s) >= 5, "it talks on")


async def test_a_withdrawn_invitation_ends_it_and_a_new_one_begins_it(squad: Squad) -> None:
    await squad.wang.dismissed()
    await until(lambda: squad.wang.agent.radio.participant is None)
    await squad.wang.invited(squad.net, squad.gid)
    await until(lambda: squad.wang.is_on_the_net)


async def test_an_officer_who_changes_the_network_in_mid_burst_talks_on(
    squad: Squad, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AsyncExitStack() as stack:
        detour = Detour(stack, UdpOptions(delay_s=0.02))
        await squad.wang.dismissed()
        await until(lambda: squad.wang.agent.radio.participant is None)
        monkeypatch.setattr(participants, "find_ways", lambda _: detour)
        await squad.wang.invited(squad.net, squad.gid)
        await until(lambda: squad.wang.is_on_the_net)
        desk = await squad.net.person("u-1").join(squad.gid)
        squad.wang.press("ptt")
        await desk.told(Taken, gid=squad.gid)
        await until(lambda: squad.li.pieces_at(PITCH_HZ) >= 5)
        detour.link.change_address()
        since_s = time.monotonic()
        await until(lambda: squad.li.pieces_at(PITCH_HZ, since_s) >= 12, "the other recorder hears no more")
        assert not [one for one in desk.said if isinstance(one, Idle | Taken)], "the floor was lost on the way"
        participant = squad.wang.agent.radio.participant
        assert participant is not None
        assert participant.joins == 1
