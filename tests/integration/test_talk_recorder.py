"""Push-to-talk of real agents, through the real talk server and the real broker."""

import asyncio
import dataclasses
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.agent_rig import TENANT, device_accounts
from tests.integration.detour import Detour
from tests.integration.talk_officer import Officer
from tests.integration.talk_rig import Net, running_net
from tests.services import TestBroker
from tests.talk import Participant, until
from xunlu_edge.media.tone import PITCH_HZ
from xunlu_edge.talk import participant as participants
from xunlu_protocol.talk import Idle, Taken, TalkInvitation
from xunlu_protocol.topics import down, talk_group
from xunlu_sim.udp_impairment import UdpOptions

pytestmark = pytest.mark.integration


DESK_HZ = 1000


def _pieces_at(hz: int, desk: Participant, since_s: float = 0.0) -> int:
    """How many pieces of 20 ms with this pitch the desk has heard."""
    return sum(abs(heard_hz - hz) < 60 for at_s, heard_hz in desk.heard if at_s > since_s)


@dataclasses.dataclass
class Squad:
    """Two officers with recorders on one net."""

    net: Net
    gid: str
    wang: Officer
    li: Officer

    async def invites(self, officer: Officer, main: str, *scan: str, **claims: Any) -> None:
        """The platform says what the officer's key talks in, and what is heard beside that."""
        token = self.net.talk.token(officer.did, did=officer.did, **claims)
        invitation = TalkInvitation(url=self.net.talk.url, token=token, main=main, scan=scan)
        await self.net.session.publish(down(TENANT, officer.did, "talk"), invitation.encode(), retain=True)

    async def dismisses(self, officer: Officer) -> None:
        await self.net.session.publish(down(TENANT, officer.did, "talk"), b"", retain=True)


@pytest_asyncio.fixture
async def squad(broker: TestBroker, tmp_path: Path) -> AsyncIterator[Squad]:
    async with AsyncExitStack() as stack:
        net = await stack.enter_async_context(running_net(broker, tmp_path, talk_longest_s=8))
        accounts = await stack.enter_async_context(device_accounts(broker))
        wang, li = (Officer(broker, tmp_path / secrets.token_hex(3)) for _ in range(2))
        squad = Squad(net, await net.group(wang.did, li.did, "u-1"), wang, li)
        for officer in (wang, li):
            await accounts.put(officer.did, officer.recorder.password, "approved", "recorder")
            officer.recorder.know_itself()
            officer.agent = await stack.enter_async_context(officer.recorder.running())
            await squad.invites(officer, squad.gid)
        await until(lambda: wang.is_on_the_net and li.is_on_the_net, "the recorders did not join")
        yield squad
        for officer in (wang, li):
            await squad.dismisses(officer)


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
    assert squad.wang.participant.key.state == "refused", "the key must be let go first"


async def test_an_officer_in_distress_cuts_in(squad: Squad) -> None:
    desk = await squad.net.person("u-1").join(squad.gid)
    squad.wang.press("ptt")
    await desk.told(Taken, gid=squad.gid)
    squad.li.press("sos")
    squad.li.press("ptt")
    assert (await desk.told(Taken, gid=squad.gid, urgency=2)).talker.id == squad.li.did
    since_s = time.monotonic()
    await until(lambda: squad.wang.pieces_at(PITCH_HZ, since_s) >= 5, "the one who was cut hears the other")


async def test_an_officer_who_calls_for_help_while_waiting_in_the_queue_cuts_in(squad: Squad) -> None:
    desk = await squad.net.person("u-1").join(squad.gid)
    await desk.press(squad.gid)
    await desk.told(Taken, gid=squad.gid)
    squad.wang.press("ptt")
    await until(lambda: squad.wang.participant.key.state == "queued")
    squad.wang.press("sos")
    assert (await desk.told(Taken, gid=squad.gid, urgency=2)).talker.id == squad.wang.did
    await until(lambda: squad.li.pieces_at(PITCH_HZ) >= 5, "the other recorder does not hear it")


async def test_an_officer_who_calls_for_help_while_talking_talks_on_as_an_emergency(squad: Squad) -> None:
    desk = await squad.net.person("u-1").join(squad.gid)
    squad.wang.press("ptt")
    await desk.told(Taken, gid=squad.gid, urgency=0)
    squad.wang.press("sos")
    assert (await desk.told(Taken, gid=squad.gid, urgency=2)).talker.id == squad.wang.did
    since_s = time.monotonic()
    await until(lambda: squad.li.pieces_at(PITCH_HZ, since_s) >= 5, "it does not talk on")
    assert squad.wang.participant.key.is_talking


async def test_a_session_that_is_open_goes_on_with_the_token_of_the_newest_invitation(squad: Squad) -> None:
    call = await squad.net.group(squad.wang.did, "u-1")
    desk = await squad.net.person("u-1").join(call)
    await squad.invites(squad.wang, call, squad.gid, name="王队长")
    await squad.wang.is_called()
    squad.wang.press("ptt")
    assert (await desk.told(Taken, gid=call)).talker.name == "王队长"
    assert squad.wang.participant.joins == 1


async def test_an_officer_who_is_called_answers_with_the_key_and_both_are_heard_at_once(squad: Squad) -> None:
    net, wang, desk = squad.net, squad.wang, squad.net.person("u-1", DESK_HZ)
    await desk.join(squad.gid)
    call = await net.group("u-1", wang.did, kind="private", duplex=True)
    await desk.tune(call)
    await squad.invites(wang, call, squad.gid)
    await wang.is_called()
    await desk.press(call)
    await until(lambda: wang.pieces_at(DESK_HZ) >= 12, "the officer does not hear the desk")
    wang.press("ptt")
    await until(lambda: _pieces_at(PITCH_HZ, desk) >= 12, "the desk does not hear the officer")
    both_s = time.monotonic()
    await until(lambda: wang.pieces_at(DESK_HZ, both_s) >= 5 and _pieces_at(PITCH_HZ, desk, both_s) >= 5)
    wang.press("ptt_release")
    await desk.let_go(call)
    await squad.invites(wang, squad.gid)
    await net.session.publish(talk_group(TENANT, call), b"", retain=True)
    await until(lambda: wang.pieces_at(600) >= 6, "no tone says that the call is over")
    assert not squad.li.pieces_at(PITCH_HZ), "the squad heard what was said in the call"
    assert not squad.li.pieces_at(DESK_HZ)
    wang.press("ptt")
    await until(lambda: squad.li.pieces_at(PITCH_HZ) >= 5, "afterwards the key does not talk in the squad")


async def test_each_group_numbers_its_grants_for_itself(squad: Squad) -> None:
    desk = await squad.net.person("u-1").join(squad.gid)
    other = await squad.net.group(squad.wang.did, squad.li.did)
    await squad.invites(squad.li, squad.gid, other)
    for _ in range(2):
        squad.wang.press("ptt")
        await desk.told(Taken, gid=squad.gid)
        squad.wang.press("ptt_release")
        await desk.told(Idle, gid=squad.gid)
    since_s = time.monotonic()
    await squad.invites(squad.wang, other, squad.gid)
    await squad.wang.is_called()
    squad.wang.press("ptt")
    await until(lambda: squad.li.pieces_at(PITCH_HZ, since_s) >= 12, "a valid grant was thrown away")
    assert squad.wang.participant.key.stale == 0


async def test_a_connection_that_breaks_heals_and_a_held_key_asks_again(squad: Squad) -> None:
    desk = await squad.net.person("u-1").join(squad.gid)
    squad.wang.press("ptt")
    await desk.told(Taken, gid=squad.gid)
    participant = squad.wang.participant
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
    await squad.dismisses(squad.wang)
    await until(lambda: squad.wang.agent.radio.participant is None)
    await squad.invites(squad.wang, squad.gid)
    await until(lambda: squad.wang.is_on_the_net)


async def test_an_officer_who_changes_the_network_in_mid_burst_talks_on(
    squad: Squad, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AsyncExitStack() as stack:
        detour = Detour(stack, UdpOptions(delay_s=0.02))
        await squad.dismisses(squad.wang)
        await until(lambda: squad.wang.agent.radio.participant is None)
        monkeypatch.setattr(participants, "find_ways", lambda _: detour)
        await squad.invites(squad.wang, squad.gid)
        await until(lambda: squad.wang.is_on_the_net)
        desk = await squad.net.person("u-1").join(squad.gid)
        squad.wang.press("ptt")
        await desk.told(Taken, gid=squad.gid)
        await until(lambda: squad.li.pieces_at(PITCH_HZ) >= 5)
        detour.link.change_address()
        since_s = time.monotonic()
        await until(lambda: squad.li.pieces_at(PITCH_HZ, since_s) >= 12, "the other recorder hears no more")
        assert not [one for one in desk.said if isinstance(one, Idle | Taken)], "the floor was lost on the way"
        assert squad.wang.participant.joins == 1
