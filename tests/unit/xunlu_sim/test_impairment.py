"""The bad network, in front of a server that says everything again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from xunlu_sim.impairment import Impairment, impaired

WAIT_S = 5.0
SOON_S = 0.1


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1000):
            writer.write(data)
            await writer.drain()
    writer.close()


@pytest_asyncio.fixture
async def network() -> AsyncIterator[Impairment]:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, impaired("127.0.0.1", server.sockets[0].getsockname()[1]) as proxy:
        yield proxy


@contextlib.asynccontextmanager
async def connected(network: Impairment) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", network.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def hear(reader: asyncio.StreamReader, count: int) -> bytes:
    async with asyncio.timeout(WAIT_S):
        return await reader.readexactly(count)


async def test_a_good_network_changes_nothing(network: Impairment) -> None:
    async with connected(network) as (reader, writer):
        writer.write(bytes(range(256)) * 500)
        assert await hear(reader, 128_000) == bytes(range(256)) * 500
        writer.write_eof()
        async with asyncio.timeout(WAIT_S):
            assert await reader.read() == b""


async def test_a_tunnel_keeps_what_was_said_until_its_end(network: Impairment) -> None:
    async with connected(network) as (reader, writer):
        network.stall()
        writer.write(b"SOS")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), SOON_S)
        network.flow()
        assert await hear(reader, 3) == b"SOS"


async def test_a_cut_breaks_every_connection_even_within_a_tunnel(network: Impairment) -> None:
    async with connected(network) as (reader, writer), connected(network) as (other, _):
        writer.write(b"x")
        await hear(reader, 1)
        network.stall()
        writer.write(b"lost")
        network.cut()
        for each in (reader, other):
            with contextlib.suppress(ConnectionError):
                async with asyncio.timeout(WAIT_S):
                    assert await each.read() == b""
    network.flow()
    async with connected(network) as (reader, writer):
        writer.write(b"again")
        assert await hear(reader, 5) == b"again"


async def test_a_slow_network_adds_its_delay_in_each_direction(network: Impairment) -> None:
    network.delay_s = 0.05
    async with connected(network) as (reader, writer):
        began_s = asyncio.get_running_loop().time()
        writer.write(b"x")
        await hear(reader, 1)
        assert asyncio.get_running_loop().time() - began_s >= 0.1


async def test_without_a_network_nobody_can_be_reached_until_it_is_found_again(network: Impairment) -> None:
    async with connected(network) as (reader, writer):
        writer.write(b"x")
        await hear(reader, 1)
        assert network.connections == 1
        await network.lose()
        assert network.connections == 0
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", network.port)
    await network.find()
    async with connected(network) as (reader, writer):
        writer.write(b"again")
        assert await hear(reader, 5) == b"again"


async def test_a_server_that_is_gone_is_told_by_the_end_of_the_connection() -> None:
    async with impaired("127.0.0.1", 1) as proxy:
        with contextlib.suppress(ConnectionError):
            async with connected(proxy) as (reader, _), asyncio.timeout(WAIT_S):
                assert await reader.read() == b""
