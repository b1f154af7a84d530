"""A token lets somebody stay on the radio net, not only join it."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.integration.talk_rig import Net, running_net
from tests.services import TestBroker
from tests.talk import Participant
from xunlu_protocol.talk import Deny, Groups, Ping, Pong, Problem, Renew

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("quiet_net")]


async def renew(net: Net, who: Participant, **claims: object) -> None:
    await who.send(Renew(token=net.talk.token(who.who, **claims)))


async def is_there(who: Participant, n: int) -> None:
    """Whether the server still listens; whatever was asked before has its answer by then."""
    await who.send(Ping(n=n))
    await who.told(Pong, n=n)


async def test_whoever_brings_no_fresh_token_leaves_when_its_own_ends(broker: TestBroker, tmp_path: Path) -> None:
    async with running_net(broker, tmp_path) as net:
        gid = await net.group("a", "b")
        a, b = net.person("a", 440), net.person("b", 900)
        await asyncio.gather(a.join(gid), b.join(gid))
        soon = int(time.time()) + 2
        await asyncio.gather(renew(net, a, exp=soon), renew(net, b, exp=soon))
        await renew(net, a)
        await b.told(Problem, slug="token-expired", final=True)
        await b.socket.wait_closed()
        again = await net.person("b", 900).join(gid)
        await a.press(gid)
        await again.hears(a)


async def test_a_fresh_token_counts_with_its_rights_at_once(broker: TestBroker, tmp_path: Path) -> None:
    async with running_net(broker, tmp_path) as net:
        gid = await net.group("a", "b")
        desk = await net.person("u-2", path="/1/", rights=["take_down"]).join(gid)
        await desk.take_down(gid)
        await is_there(desk, 1)
        await renew(net, desk, path="/1/")
        await desk.take_down(gid)
        await desk.told(Problem, slug="right-take-down", final=False)
        await renew(net, desk)
        await desk.told(Groups, groups=())
        await desk.press(gid)
        await desk.told(Deny, gid=gid, cause="receive_only")


async def test_a_token_that_is_not_good_changes_nothing(broker: TestBroker, tmp_path: Path) -> None:
    async with running_net(broker, tmp_path) as net:
        gid = await net.group("a", "b")
        a = await net.person("a").join(gid)
        for n, (token, slug) in enumerate(
            (
                ("x", "token-malformed"),
                (net.talk.token("b"), "token-participant"),
                (net.talk.token("a", exp=1), "token-expired"),
            )
        ):
            await a.send(Renew(token=token))
            await a.told(Problem, slug=slug, final=False)
            await is_there(a, n)
