"""The tap: processes of this machine that take paths in plain text, over a local socket (SOCK_SEQPACKET).

Message boundaries are kept, nothing is lost between us and the kernel, and a reader that does not keep up costs a
counted packet, never a late one. The messages are listed in docs/streaming.md.
"""

import json
import logging
import socket
from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import Any, Protocol

from xunlu_streaming.layer import Kind, Outgoing
from xunlu_streaming.path import Path, Tap
from xunlu_streaming.reader_server import LocalReader, ReaderServer
from xunlu_streaming.tap_messages import EVERY_PATH, PACKET, REPORT

log = logging.getLogger(__name__)

TRACKS: dict[Kind, int] = {"video": 0, "audio": 1}


class Connection(LocalReader):
    """One reader."""

    def __init__(self, sock: socket.socket, paths: "Paths") -> None:
        super().__init__(sock)
        self._paths = paths
        self._numbers: dict[str, int] = {}
        self._next = 0

    # -- what it asks -------------------------------------------------------------------------------------------------

    def obey(self, request: bytes) -> None:
        """Take or leave a path for it."""
        try:
            [(verb, name)] = json.loads(request).items()
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
        super().close()

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
                self.send(PACKET.pack(b"R", number, TRACKS[track.kind], arrival_us) + one.packet)

    def report(self, path: Path, kind: Kind, ntp: int, stamp: int) -> None:
        """A sender report."""
        if (number := self._numbers.get(path.name)) is not None:
            self.send(REPORT.pack(b"S", number, TRACKS[kind], ntp, stamp))

    def _tell(self, kind: bytes, value: dict[str, Any]) -> None:
        self.send(kind + json.dumps(value).encode())


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


class TapServer(ReaderServer[Connection]):
    """Listens for readers of paths."""

    def __init__(self, file: FilePath, paths: "Paths") -> None:
        """Describe it; nothing is opened before `async with`.

        Args:
            file: of the socket; its folder is made, readable by us alone.
            paths: who owns the paths.
        """
        super().__init__(file, lambda sock: Connection(sock, paths))
