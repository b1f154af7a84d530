"""The tap: processes of this machine that take paths in plain text, over a local socket (SOCK_SEQPACKET).

Message boundaries are kept, nothing is lost between us and the kernel, and a reader that does not keep up costs a
counted packet, never a late one. The messages are listed in docs/streaming.md.
"""

import asyncio
import json
import logging
import socket
from collections.abc import Sequence
from pathlib import Path as FilePath
from types import TracebackType
from typing import Any, Protocol, Self

from xunlu_kit.errors import ConfigError
from xunlu_streaming.layer import Kind, Outgoing
from xunlu_streaming.path import Path, Tap
from xunlu_streaming.tap_messages import EVERY_PATH, PACKET, REPORT

log = logging.getLogger(__name__)

TRACKS: dict[Kind, int] = {"video": 0, "audio": 1}

CONNECTIONS_MAX = 8
REQUEST_BYTES_MAX = 1000
REQUESTS_PER_TURN = 32
BUFFER_BYTES = 4 * 1024 * 1024


class Connection:
    """One reader.

    Attributes:
        dropped: messages that it did not take in time.
    """

    def __init__(self, sock: socket.socket, server: "TapServer") -> None:
        self.dropped = 0
        self._sock = sock
        self._server = server
        self._paths = server.paths
        self._numbers: dict[str, int] = {}
        self._next = 0

    # -- what it asks -------------------------------------------------------------------------------------------------

    def read(self) -> None:
        """Take its requests."""
        for _ in range(REQUESTS_PER_TURN):
            try:
                data = self._sock.recv(REQUEST_BYTES_MAX)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._server.close(self)
                return
            self._obey(data)

    def _obey(self, data: bytes) -> None:
        try:
            request = json.loads(data)
            [(verb, name)] = request.items()
        except (ValueError, AttributeError):
            log.warning("tap said nothing that is understood")
            return
        if not isinstance(name, str) or len(name) > 64:
            return
        match verb:
            case "take" if name == EVERY_PATH:
                self._paths.take_every(self)
            case "take":
                self._paths.take(name, self)
            case "leave" if name == EVERY_PATH:
                self._paths.leave_every(self)
            case "leave":
                self._paths.leave(name, self)
            case "keyframe":
                self._paths.ask_for_keyframe(name)

    def close(self) -> None:
        """Leave everything."""
        self._paths.leave_every(self)
        self._sock.close()

    # -- what it is told ----------------------------------------------------------------------------------------------

    def began(self, path: Path) -> None:
        """A publication begins."""
        if path.publisher is None:
            return
        self._next = (self._next + 1) & 0xFFFF
        self._numbers[path.name] = self._next
        tracks = [
            {"track": TRACKS[kind], "kind": kind, "codec": track.codec, "clock_hz": track.clock_hz}
            | {"pt": track.payload_type, "fmtp": path.publisher.parameters_of(track.payload_type)}
            for kind, track in path.tracks.items()
            if kind in path.publisher.kinds
        ]
        self._tell(b"P", {"did": path.name, "path": self._next, "began_ms": path.began_ms, "tracks": tracks})

    def ended(self, path: Path, why: str) -> None:
        """It ended."""
        number = self._numbers.pop(path.name, None)
        if number is not None:
            self._tell(b"E", {"path": number, "why": why})

    def packets(self, path: Path, burst: Sequence[Outgoing], arrival_us: int) -> None:
        """What was forwarded; of several layers the first one."""
        number = self._numbers.get(path.name)
        if number is None:
            return
        for one in burst:
            track = one.layer.track
            if one.layer is next(iter(track.layers.values())):
                self._send(PACKET.pack(b"R", number, TRACKS[track.kind], arrival_us) + one.packet)

    def report(self, path: Path, kind: Kind, ntp: int, stamp: int) -> None:
        """A sender report."""
        if (number := self._numbers.get(path.name)) is not None:
            self._send(REPORT.pack(b"S", number, TRACKS[kind], ntp, stamp))

    def _tell(self, kind: bytes, value: dict[str, Any]) -> None:
        self._send(kind + json.dumps(value).encode())

    def _send(self, data: bytes) -> None:
        try:
            self._sock.send(data)
        except OSError:
            self.dropped += 1


class Paths(Protocol):
    """Who owns the paths of a worker."""

    def take(self, name: str, tap: Tap) -> None:
        """Somebody wants a path; it is kept up for it."""

    def take_every(self, tap: Tap) -> None:
        """Somebody wants each path while it is live, and keeps none of them up."""

    def leave(self, name: str, tap: Tap) -> None:
        """Somebody does not want a path any more."""

    def leave_every(self, tap: Tap) -> None:
        """Somebody has gone."""

    def ask_for_keyframe(self, name: str) -> None:
        """Somebody has lost the picture."""


class TapServer:
    """Listens for readers."""

    def __init__(self, file: FilePath, paths: "Paths") -> None:
        """Describe it; nothing is opened before `async with`.

        Args:
            file: of the socket; its folder is made, readable by us alone.
            paths: who owns the paths.
        """
        self.paths = paths
        self._file = file
        self._listener: socket.socket | None = None
        self._connections: dict[Connection, socket.socket] = {}

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
        for connection in list(self._connections):
            self.close(connection)
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
        self._file.unlink(missing_ok=True)

    @property
    def dropped(self) -> int:
        """Messages that no reader took in time, of the readers that are there."""
        return sum(one.dropped for one in self._connections)

    def _accept(self) -> None:
        assert self._listener is not None
        try:
            sock, _ = self._listener.accept()
        except OSError:
            return
        if len(self._connections) >= CONNECTIONS_MAX:
            sock.close()
            return
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        connection = Connection(sock, self)
        self._connections[connection] = sock
        asyncio.get_running_loop().add_reader(sock, connection.read)

    def close(self, connection: Connection) -> None:
        """A reader has gone."""
        sock = self._connections.pop(connection, None)
        if sock is not None:
            asyncio.get_running_loop().remove_reader(sock)
            connection.close()
