"""Local sockets (SOCK_SEQPACKET) to processes of this machine that take what we carry."""

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from xunlu_kit.errors import ConfigError

CONNECTIONS_MAX = 8
REQUEST_BYTES_MAX = 1000
REQUESTS_PER_TURN = 32
BUFFER_BYTES = 4 * 1024 * 1024


class LocalReader(ABC):
    """One connection.

    Attributes:
        dropped: messages that it did not take in time.
    """

    def __init__(self, sock: socket.socket) -> None:
        """Own a connected socket that does not block."""
        self.dropped = 0
        self._sock = sock

    @abstractmethod
    def obey(self, request: bytes) -> None:
        """Do what it asks; what is not understood changes nothing."""

    def send(self, data: bytes) -> None:
        """Say something, now or never."""
        try:
            self._sock.send(data)
        except OSError:
            self.dropped += 1

    def close(self) -> None:
        """Let go of everything, the socket too."""
        self._sock.close()


ReaderT = TypeVar("ReaderT", bound=LocalReader)


class ReaderServer(Generic[ReaderT]):
    """Listens for readers.

    Attributes:
        readers: that are there.
    """

    def __init__(self, file: Path, make: Callable[[socket.socket], ReaderT]) -> None:
        """Describe it; nothing is opened before `async with`.

        Args:
            file: of the socket; its folder is made, readable by us alone.
            make: makes a reader of a new connection.
        """
        self.readers: dict[ReaderT, socket.socket] = {}
        self._file = file
        self._make = make
        self._listener: socket.socket | None = None

    async def __aenter__(self) -> Self:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            listener.bind(str(self._file))
        except OSError as error:
            listener.close()
            raise ConfigError(f"The socket {self._file} cannot be made ({error}); set XUNLU_STREAMING_RUN.") from error
        self._file.chmod(0o600)
        listener.listen(CONNECTIONS_MAX)
        listener.setblocking(False)
        asyncio.get_running_loop().add_reader(listener, self._accept)
        self._listener = listener
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for reader in list(self.readers):
            self.close(reader)
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
        self._file.unlink(missing_ok=True)

    @property
    def dropped(self) -> int:
        """Messages that no reader took in time, of the readers that are there."""
        return sum(one.dropped for one in self.readers)

    def _accept(self) -> None:
        assert self._listener is not None
        try:
            sock, _ = self._listener.accept()
        except OSError:
            return
        if len(self.readers) >= CONNECTIONS_MAX:
            sock.close()
            return
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        reader = self._make(sock)
        self.readers[reader] = sock
        asyncio.get_running_loop().add_reader(sock, self._read, reader)

    def _read(self, reader: ReaderT) -> None:
        sock = self.readers[reader]
        for _ in range(REQUESTS_PER_TURN):
            try:
                request = sock.recv(REQUEST_BYTES_MAX)
            except BlockingIOError:
                return
            except OSError:
                request = b""
            if not request:
                self.close(reader)
                return
            reader.obey(request)

    def close(self, reader: ReaderT) -> None:
        """A reader has gone."""
        sock = self.readers.pop(reader, None)
        if sock is not None:
            asyncio.get_running_loop().remove_reader(sock)
            reader.close()
