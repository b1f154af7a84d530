"""A viewer that decrypts: how long each frame took from the publisher's hands to this socket."""

import contextlib
import socket
import struct

from pylibsrtp import Error as SrtpError
from pylibsrtp import Session

from tests.benchmarks.media.link import DATAGRAM_BYTES_MAX, Credentials, Link, Pump, is_media
from tests.benchmarks.media.stream import stamped_ns

SO_TIMESTAMPNS = 35
TIMESPEC = struct.Struct("@qq")
HEADER_BYTES = 12
EXTENSION = 0x10
MARKER = 0x80


class Canary(Link):
    """Its own clock is the kernel's, which stamps a datagram when it reaches the socket.

    So what this process does meanwhile is no part of the figure.

    Attributes:
        receiving: set when DTLS is up; nothing is decrypted before.
        latencies_ns: of each frame that was whole: from before its first packet was sent until its last one came.
    """

    def __init__(self, pump: Pump, credentials: Credentials) -> None:
        super().__init__(pump, credentials)
        self.receiving: Session | None = None
        self.latencies_ns: list[int] = []
        self._sent_ns: int | None = None
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    def drain(self) -> None:
        """Take all datagrams that are there."""
        while True:
            try:
                datagram, ancillary, _, _ = self._socket.recvmsg(DATAGRAM_BYTES_MAX, 64)
            except (BlockingIOError, ConnectionRefusedError):
                return
            if not is_media(datagram):
                self._take(datagram)
                continue
            self._count(datagram)
            if self.receiving is not None and ancillary:
                seconds, nanoseconds = TIMESPEC.unpack(ancillary[0][2])
                with contextlib.suppress(SrtpError):
                    self._time(self.receiving.unprotect(datagram), seconds * 1_000_000_000 + nanoseconds)

    def _time(self, packet: bytes, arrived_ns: int) -> None:
        payload = packet[HEADER_BYTES:]
        if packet[0] & EXTENSION:
            (words,) = struct.unpack_from("!H", packet, HEADER_BYTES + 2)
            payload = packet[HEADER_BYTES + 4 + 4 * words :]
        if (sent_ns := stamped_ns(payload)) is not None:
            self._sent_ns = sent_ns
        if packet[1] & MARKER and self._sent_ns is not None:
            self.latencies_ns.append(arrived_ns - self._sent_ns)
            self._sent_ns = None
