"""Our end of a tap: stays connected, says what to take, and hands on what comes."""

import asyncio
import contextlib
import json
import logging
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from xunlu_kit.backoff import backoff_s
from xunlu_protocol.errors import ProtocolError
from xunlu_streaming.tap_messages import MESSAGE_BYTES_MAX

log = logging.getLogger(__name__)

MESSAGES_PER_TURN = 128
PAUSE_S = 0.004
"""Between two looks at the socket: the packets of a picture come as a burst, and waking up costs most."""
CONNECT_TIMEOUT_S = 5.0
RETRY_CAP_S = 2.0

Names = Callable[[], frozenset[str]]


class TapConnection(ABC):
    """The connection to one process; heals itself as long as that one's socket is there.

    Attributes:
        name: of the process, as its socket says.
        connected: whether it listens to us.
        invalid: messages that were not understood.
    """

    def __init__(self, file: Path, names: Names) -> None:
        """Describe it.

        Args:
            file: the socket.
            names: what to take.
        """
        self.name = file.stem
        self.connected = False
        self.invalid = 0
        self._file = file
        self._names = names
        self._told: set[str] = set()
        self._sock: socket.socket | None = None
        self._lost = asyncio.Event()

    async def run(self) -> None:
        """Stay connected until the socket is taken away."""
        waits = backoff_s(first_s=0.1, cap_s=RETRY_CAP_S)
        while self._file.exists():
            try:
                await self._connect()
                waits = backoff_s(first_s=0.1, cap_s=RETRY_CAP_S)
                await self._lost.wait()
                log.warning("tap gone", extra={"tap": self.name})
            except (OSError, TimeoutError) as error:
                log.debug("tap not reachable", extra={"tap": self.name, "error": str(error)})
            finally:
                self._hang_up()
            await asyncio.sleep(next(waits))

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        self._sock = sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.setblocking(False)
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            await loop.sock_connect(sock, str(self._file))
        self._lost.clear()
        self.connected = True
        log.info("tap connected", extra={"tap": self.name})
        loop.add_reader(sock, self._read, sock)
        self.sync()

    def _hang_up(self) -> None:
        self.connected = False
        self._told.clear()
        if self._sock is not None:
            asyncio.get_running_loop().remove_reader(self._sock)
            self._sock.close()
            self._sock = None
        self._end_all()

    @abstractmethod
    def _end_all(self) -> None:
        """The connection is gone, and with it whatever went on."""

    @abstractmethod
    def _hear(self, data: bytes) -> None:
        """Take a message.

        Args:
            data: not empty.

        Raises:
            ProtocolError: it makes no sense.
        """

    # -- what we say --------------------------------------------------------------------------------------------------

    def sync(self) -> None:
        """Say what has changed of what we take; what finds no room is said the next time."""
        names = self._names()
        for name in self._told - names:
            if self._say("leave", name):
                self._told.discard(name)
        for name in names - self._told:
            if self._say("take", name):
                self._told.add(name)

    def _say(self, verb: str, name: str) -> bool:
        with contextlib.suppress(OSError):
            if self._sock is not None and self.connected:
                self._sock.send(json.dumps({verb: name}).encode())
                return True
        return False

    # -- what we hear -------------------------------------------------------------------------------------------------

    def _read(self, sock: socket.socket) -> None:
        """Take what is there, then leave the socket alone for a moment."""
        if sock is not self._sock:
            return
        loop = asyncio.get_running_loop()
        receive, hear = sock.recv, self._hear
        for _ in range(MESSAGES_PER_TURN):
            try:
                data = receive(MESSAGE_BYTES_MAX)
            except BlockingIOError:
                loop.remove_reader(sock)
                loop.call_later(PAUSE_S, self._watch, sock)
                return
            except OSError:
                data = b""
            if not data:
                loop.remove_reader(sock)
                self._lost.set()
                return
            try:
                hear(data)
            except ProtocolError as error:
                self.invalid += 1
                log.warning("tap not understood", extra={"tap": self.name, "reason": error.reason})

    def _watch(self, sock: socket.socket) -> None:
        if sock is self._sock:
            asyncio.get_running_loop().add_reader(sock, self._read, sock)
