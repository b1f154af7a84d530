"""A TCP proxy that behaves like a bad mobile network: it delays, stalls and breaks, when a test says so."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

CHUNK_BYTES = 16_384
CONNECT_TIMEOUT_S = 10.0


class Impairment:
    """A proxy in front of one address, on a port of loopback; change it while it runs.

    Attributes:
        port: where it listens.
        delay_s: added to every chunk in each direction.
        connections: how many it carries now.
    """

    def __init__(self, host: str, target_port: int) -> None:
        self.port = 0
        self.delay_s = 0.0
        self._target = (host, target_port)
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._carrying: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def connections(self) -> int:
        """How many it carries now."""
        return len(self._carrying)

    def stall(self) -> None:
        """Let nothing through, and keep the connections: a tunnel."""
        self._flowing.clear()

    def flow(self) -> None:
        """Let everything through again."""
        self._flowing.set()

    def cut(self) -> None:
        """Break every connection at once."""
        for task in self._carrying:
            task.cancel()

    async def lose(self) -> None:
        """No network at all: every connection breaks, and new ones are refused."""
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def find(self) -> None:
        """Listen, at first on a free port and after a loss on the same again."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(reader, writer), name="impairment.connection")
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers = [writer]
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                there_reader, there_writer = await asyncio.open_connection(*self._target)
            writers.append(there_writer)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pump(reader, there_writer))
                tasks.create_task(self._pump(there_reader, writer))
        except OSError:
            # Who waits here learns it by the end of its own connection.
            return
        finally:
            for each in writers:
                each.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK_BYTES):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                await self._flowing.wait()
                writer.write(chunk)
                await writer.drain()
            writer.write_eof()


@contextlib.asynccontextmanager
async def impaired(host: str, target_port: int) -> AsyncIterator[Impairment]:
    """Run a proxy on a free port of loopback."""
    proxy = Impairment(host, target_port)
    await proxy.find()
    try:
        yield proxy
    finally:
        await proxy.lose()
