"""A TCP proxy that behaves like a bad mobile network: it delays, stalls and breaks, when a test says so."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

CHUNK_BYTES = 16_384


@dataclass(slots=True)
class Impairment:
    """A proxy in front of one address; change its attributes while it runs.

    Attributes:
        port: where it listens.
        delay_s: added to every chunk in each direction.
        refusing: new connections are closed at once.
    """

    host: str
    target_port: int
    port: int = 0
    delay_s: float = 0.0
    refusing: bool = False
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def stall(self) -> None:
        """Let nothing through, and keep the connections: a tunnel."""
        self._open.clear()

    def flow(self) -> None:
        """Let everything through again."""
        self._open.set()

    def cut(self) -> None:
        """Break every connection at once."""
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.close()
            return
        try:
            there_reader, there_writer = await asyncio.open_connection(self.host, self.target_port)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, there_writer}
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pump(reader, there_writer))
                tasks.create_task(self._pump(there_reader, writer))
        finally:
            self._writers -= {writer, there_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK_BYTES):
                await self._open.wait()
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                writer.write(chunk)
                await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def impaired(host: str, target_port: int) -> AsyncIterator[Impairment]:
    """Run a proxy on a free port of loopback."""
    proxy = Impairment(host, target_port)
    proxy.flow()
    server = await asyncio.start_server(proxy._serve, "127.0.0.1", 0)  # noqa: SLF001  our own
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.cut()
