"""The agent of a peer that is reached by full ICE: what it does with candidates that come late."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aioice import Connection

from xunlu_streaming.adapter import FullIce
from xunlu_streaming.sdp import CANDIDATES_MAX

WAIT_S = 10.0
NOT_YET_S = 0.1


@pytest_asyncio.fixture
async def ends(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[FullIce, Connection]]:
    """Ours, and a client's that knows no address of ours: it answers checks and begins none."""
    # aioice leaves loopback out, and no other network may be touched.
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda **_: ["127.0.0.1"])
    ours, client = FullIce(None), Connection(ice_controlling=True)
    await asyncio.gather(ours.gather(), client.gather_candidates())
    client.remote_username, client.remote_password = ours.ufrag, ours.password
    yield ours, client
    await asyncio.gather(ours.stop(), client.close())


@contextlib.asynccontextmanager
async def looking(ours: FullIce, client: Connection) -> AsyncIterator[asyncio.Task[bool]]:
    """Both look for a way, with an offer that named no address."""
    here = asyncio.create_task(ours.connect(client.local_username, client.local_password, (), lite=False))
    there = asyncio.create_task(client.connect())
    yield here
    here.cancel()
    there.cancel()
    await asyncio.gather(here, there, return_exceptions=True)


async def test_a_candidate_that_comes_later_is_a_way(ends: tuple[FullIce, Connection]) -> None:
    ours, client = ends
    async with looking(ours, client) as search:
        done, _ = await asyncio.wait([search], timeout=NOT_YET_S)
        assert not done
        await ours.add([one.to_sdp() for one in client.local_candidates])
        assert await asyncio.wait_for(search, WAIT_S)


async def test_names_of_mdns_and_strange_transports_are_passed_over(ends: tuple[FullIce, Connection]) -> None:
    ours, client = ends
    strange = [
        "1 1 udp 1 0b1c.local 5000 typ host",
        "1 1 sctp 1 127.0.0.1 5000 typ host",
        "1 1 udp 1 nowhere 5 typ host",
    ]
    async with looking(ours, client) as search:
        await ours.add([*strange, *(one.to_sdp() for one in client.local_candidates)])
        assert await asyncio.wait_for(search, WAIT_S)


async def test_what_one_peer_can_have_checked_is_bounded(ends: tuple[FullIce, Connection]) -> None:
    ours, _ = ends
    for port in range(1, 3 * CANDIDATES_MAX):
        await ours.add([f"1 1 udp 1 127.0.0.1 {port} typ host"])
    assert len(ours._ice.getRemoteCandidates()) == CANDIDATES_MAX
