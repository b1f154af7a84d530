"""Our end of a relay worker's tap: says which paths to take, and hands on what comes."""

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import Callable
from pathlib import Path

from xunlu_kit.backoff import backoff_s
from xunlu_protocol.errors import ProtocolError
from xunlu_streaming.record.publication import Publication
from xunlu_streaming.tap_messages import (
    BEGIN_KIND,
    END_KIND,
    MESSAGE_BYTES_MAX,
    PACKET,
    PACKET_KIND,
    REPORT,
    REPORT_KIND,
    TapEnd,
    TapPath,
)

log = logging.getLogger(__name__)

MESSAGES_PER_TURN = 128
PAUSE_S = 0.004
"""Between two looks at the socket: the packets of a picture come as a burst, and waking up costs most."""
CONNECT_TIMEOUT_S = 5.0
RETRY_CAP_S = 2.0
PUBLICATIONS_MAX = 2000

Begin = Callable[["TapClient", TapPath], Publication | None]


class TapClient:
    """The connection to one worker; heals itself as long as the worker's socket is there.

    Attributes:
        name: of the worker.
        connected: whether it listens to us.
        invalid: messages that were not understood.
        publications: that are recorded, by the worker's number.
    """

    def __init__(self, file: Path, begin: Begin, paths: Callable[[], frozenset[str]]) -> None:
        """Describe it.

        Args:
            file: the worker's socket.
            begin: makes what takes a publication's packets; None when it is not wanted.
            paths: what to take.
        """
        self.name = file.stem
        self.connected = False
        self.invalid = 0
        self.publications: dict[int, Publication] = {}
        self._file = file
        self._begin = begin
        self._paths = paths
        self._told: set[str] = set()
        self._sock: socket.socket | None = None
        self._lost = asyncio.Event()

    async def run(self) -> None:
        """Stay connected until the worker has taken its socket away."""
        waits = backoff_s(first_s=0.1, cap_s=RETRY_CAP_S)
        while self._file.exists():
            try:
                await self._connect()
                waits = backoff_s(first_s=0.1, cap_s=RETRY_CAP_S)
                await self._lost.wait()
                log.warning("relay gone", extra={"worker": self.name})
            except (OSError, TimeoutError) as error:
                log.debug("relay not reachable", extra={"worker": self.name, "error": str(error)})
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
        log.info("relay connected", extra={"worker": self.name})
        loop.add_reader(sock, self._read, sock)
        self.sync()

    def _hang_up(self) -> None:
        self.connected = False
        self._told.clear()
        if self._sock is not None:
            asyncio.get_running_loop().remove_reader(self._sock)
            self._sock.close()
            self._sock = None
        for publication in self.publications.values():
            publication.end()
        self.publications.clear()

    # -- what we say --------------------------------------------------------------------------------------------------

    def sync(self) -> None:
        """Tell the worker what has changed of what we take; what finds no room is told the next time."""
        paths = self._paths()
        for did in self._told - paths:
            if self._say("leave", did):
                self._told.discard(did)
        for did in paths - self._told:
            if self._say("take", did):
                self._told.add(did)

    def ask_for_keyframe(self, did: str) -> None:
        """Ask; the relay brings many of them together into one."""
        self._say("keyframe", did)

    def _say(self, verb: str, did: str) -> bool:
        with contextlib.suppress(OSError):
            if self._sock is not None and self.connected:
                self._sock.send(json.dumps({verb: did}).encode())
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
            hear(data)

    def _watch(self, sock: socket.socket) -> None:
        if sock is self._sock:
            asyncio.get_running_loop().add_reader(sock, self._read, sock)

    def _hear(self, data: bytes) -> None:
        kind = data[0]
        if kind == PACKET_KIND and len(data) > PACKET.size:
            _, path, track, arrival_us = PACKET.unpack_from(data)
            if (publication := self.publications.get(path)) is not None:
                publication.packet(track, arrival_us, data, PACKET.size)
        elif kind == REPORT_KIND and len(data) == REPORT.size:
            _, path, track, ntp, stamp = REPORT.unpack(data)
            if (publication := self.publications.get(path)) is not None:
                publication.report(track, ntp, stamp)
        else:
            try:
                self._hear_rarely(kind, data[1:])
            except ProtocolError as error:
                self.invalid += 1
                log.warning("relay not understood", extra={"worker": self.name, "reason": error.reason})

    def _hear_rarely(self, kind: int, data: bytes) -> None:
        if kind == BEGIN_KIND:
            self._take_path(TapPath.decode(data))
        elif kind == END_KIND:
            self.end(TapEnd.decode(data).path)
        else:
            raise ProtocolError("kind", "The relay said something of no known kind; both must have one version.")

    def _take_path(self, path: TapPath) -> None:
        """A publication: what went on under its number or its name is over."""
        for number, old in list(self.publications.items()):
            if number == path.path or old.did == path.did:
                self.end(number)
        if len(self.publications) >= PUBLICATIONS_MAX:
            raise ProtocolError("paths", f"The relay has more than {PUBLICATIONS_MAX} paths to record.")
        if (publication := self._begin(self, path)) is not None:
            self.publications[path.path] = publication

    def end(self, number: int) -> None:
        """End a publication, if it is known."""
        if (publication := self.publications.pop(number, None)) is not None:
            publication.end()
