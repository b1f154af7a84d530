"""Where NMEA comes from: a serial device or a TCP port, opened again whenever it breaks."""

import asyncio
import logging
import os
from abc import ABC, abstractmethod
from urllib.parse import parse_qs, urlsplit

import serial

from xunlu_edge.hardware import Gnss
from xunlu_kit.backoff import backoff_s
from xunlu_kit.clock import Clock
from xunlu_kit.errors import ConfigError

log = logging.getLogger(__name__)

CHUNK_BYTES = 4096
CONNECT_TIMEOUT_S = 10.0
RETRY_CAP_S = 30.0
BAUD_DEFAULT = 9600


class _Reopening(ABC):
    """A byte source that outlives its connection."""

    def __init__(self, address: str, clock: Clock) -> None:
        self._address = address
        self._clock = clock
        self._waits = backoff_s(cap_s=RETRY_CAP_S)
        self._open = False

    async def read(self) -> bytes:
        """The next bytes; safe to cancel."""
        while True:
            try:
                if not self._open:
                    await self._connect()
                    self._open = True
                    log.info("receiver opened", extra={"receiver": self._address})
                if chunk := await self._receive():
                    self._waits = backoff_s(cap_s=RETRY_CAP_S)
                    return chunk
                problem = "it hung up"
            except (OSError, TimeoutError, serial.SerialException) as error:
                problem = str(error) or repr(error)
            self.close()
            log.warning("receiver not readable", extra={"receiver": self._address, "error": problem})
            await self._clock.sleep(next(self._waits))

    def close(self) -> None:
        """Let go of the device; the next read opens it again."""
        self._open = False
        self._disconnect()

    @abstractmethod
    async def _connect(self) -> None: ...

    @abstractmethod
    async def _receive(self) -> bytes:
        """Bytes, none when the source hung up."""

    @abstractmethod
    def _disconnect(self) -> None: ...


class TcpReceiver(_Reopening):
    """NMEA over TCP, as receivers, gpsd's raw port and phones' sharing apps serve it."""

    def __init__(self, host: str, port: int, clock: Clock) -> None:
        super().__init__(f"tcp://{host}:{port}", clock)
        self._host = host
        self._port = port
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None

    async def _connect(self) -> None:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port, limit=CHUNK_BYTES)

    async def _receive(self) -> bytes:
        return await self._reader.read(CHUNK_BYTES)

    def _disconnect(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


class SerialReceiver(_Reopening):
    """NMEA over a serial line, read when the event loop says that bytes are there: no thread, no polling."""

    def __init__(self, device: str, baud: int, clock: Clock) -> None:
        super().__init__(f"serial://{device}", clock)
        self._device = device
        self._baud = baud
        self._port: serial.Serial | None = None

    async def _connect(self) -> None:
        self._port = serial.Serial(self._device, self._baud, timeout=0, exclusive=True)

    async def _receive(self) -> bytes:
        assert self._port is not None
        descriptor = self._port.fileno()
        loop = asyncio.get_running_loop()
        readable: asyncio.Future[None] = loop.create_future()
        loop.add_reader(descriptor, _settle, readable)
        try:
            await readable
        finally:
            loop.remove_reader(descriptor)
        return os.read(descriptor, CHUNK_BYTES)

    def _disconnect(self) -> None:
        if self._port is not None:
            self._port.close()
            self._port = None


def open_receiver(url: str, clock: Clock) -> Gnss:
    """The receiver that a setting names: `serial:///dev/ttyS1?baud=9600` or `tcp://HOST:PORT`.

    Raises:
        ConfigError: the setting is neither.
    """
    parts = urlsplit(url)
    try:
        if parts.scheme == "serial" and parts.path:
            return SerialReceiver(parts.path, int(parse_qs(parts.query).get("baud", [BAUD_DEFAULT])[0]), clock)
        if parts.scheme == "tcp" and parts.hostname and parts.port:
            return TcpReceiver(parts.hostname, parts.port, clock)
    except ValueError as error:
        raise ConfigError(f"The receiver {url!r} cannot be understood: {error}.") from error
    raise ConfigError(f"The receiver {url!r} is neither serial:///dev/NAME?baud=N nor tcp://HOST:PORT.")


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
