"""The UDP proxy, between a client and an echo, both on loopback."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator

from xunlu_sim.udp_impairment import UdpLink, UdpOptions, impaired_udp


class Echo(asyncio.DatagramProtocol):
    """Sends back what comes, and remembers from where."""

    def __init__(self) -> None:
        self.peers: list[tuple[str, int]] = []

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.peers.append(addr)
        self.transport.sendto(data, addr)


class Client(asyncio.DatagramProtocol):
    """Collects what comes back."""

    def __init__(self) -> None:
        self.heard: list[int] = []
        self.arrived = asyncio.Event()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport

    def datagram_received(self, data: bytes, _: tuple[str, int]) -> None:
        self.heard.append(int(data))
        self.arrived.set()

    def send(self, first: int, last: int) -> None:
        for number in range(first, last):
            self.transport.sendto(b"%d" % number)

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.heard) < count:
                self.arrived.clear()
                await self.arrived.wait()


@contextlib.asynccontextmanager
async def a_line(options: UdpOptions | None = None) -> AsyncIterator[tuple[Echo, UdpLink, Client]]:
    loop = asyncio.get_running_loop()
    there, echo = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    async with impaired_udp("127.0.0.1", there.get_extra_info("sockname")[1], options) as link:
        here, client = await loop.create_datagram_endpoint(Client, remote_addr=("127.0.0.1", link.port))
        try:
            yield echo, link, client
        finally:
            here.close()
            there.close()


async def until_decided(link: UdpLink, count: int) -> None:
    async with asyncio.timeout(5):
        while link.carried + link.dropped < count:  # noqa: ASYNC110  the link has no event for it
            await asyncio.sleep(0.005)


async def until_over(link: UdpLink, client: Client, count: int) -> None:
    """Until each datagram has come back or is lost, on its way out or home."""
    async with asyncio.timeout(5):
        while len(client.heard) + link.dropped < count:  # noqa: ASYNC110  the link has no event for it
            await asyncio.sleep(0.005)


async def test_a_good_line_carries_everything_in_order() -> None:
    async with a_line() as (_, link, client):
        client.send(0, 50)
        await client.wait_for(50)
        assert client.heard == list(range(50))
        assert (link.carried, link.dropped) == (100, 0)


async def test_the_same_seed_loses_the_same_datagrams() -> None:
    runs = []
    for _ in range(2):
        async with a_line(UdpOptions(loss=0.3, seed=7)) as (_, link, client):
            client.send(0, 60)
            await until_over(link, client, 60)
            runs.append(client.heard)
    assert runs[0] == runs[1]
    assert 10 < len(runs[0]) < 50


async def test_jitter_keeps_the_order_and_reordering_does_not() -> None:
    async with a_line(UdpOptions(jitter_s=0.02)) as (_, _, client):
        client.send(0, 40)
        await client.wait_for(40)
        assert client.heard == list(range(40))
    async with a_line(UdpOptions(reorder=0.3)) as (_, _, client):
        client.send(0, 40)
        await client.wait_for(40)
        assert sorted(client.heard) == list(range(40))
        assert client.heard != list(range(40))


async def test_nothing_passes_an_outage() -> None:
    async with a_line() as (_, link, client):
        link.lose()
        client.send(0, 5)
        await until_decided(link, 5)
        link.find()
        client.send(5, 6)
        await client.wait_for(1)
        assert client.heard == [5]


async def test_a_changed_address_is_another_port_for_the_target() -> None:
    async with a_line() as (echo, link, client):
        client.send(0, 3)
        await client.wait_for(3)
        link.change_address()
        client.send(3, 6)
        await client.wait_for(6)
        assert sorted(Counter(echo.peers).values()) == [3, 3]


async def test_a_bottleneck_delays_and_then_drops() -> None:
    async with a_line(UdpOptions(rate_bps=8_000, queue_s=0.01)) as (_, link, client):
        client.send(100, 200)
        await until_decided(link, 100)
        await client.wait_for(1)
        assert link.dropped > 80
