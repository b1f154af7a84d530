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
EARLY_MAX = 4096


class Canary(Link):
    """Its own clock is the kernel's, which stamps a datagram when it reaches the socket.

    So what this process does meanwhile is no part of the figure.

    Attributes:
        latencies_ns: of each frame that was whole: from before its first packet was sent until its last one came.
    """

    def __init__(self, pump: Pump, credentials: Credentials) -> None:
        super().__init__(pump, credentials)
        self.latencies_ns: list[int] = []
        self._keys: Session | None = None
        self._early: list[tuple[bytes, int]] = []
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
            if ancillary:
                seconds, nanoseconds = TIMESPEC.unpack(ancillary[0][2])
                self._decrypt(datagram, seconds * 1_000_000_000 + nanoseconds)

    def open(self, keys: Session) -> None:
        """DTLS is up; what came right behind its last record is read now."""
        self._keys = keys
        early, self._early = self._early, []
        for datagram, arrived_ns in early:
            self._decrypt(datagram, arrived_ns)

    def _decrypt(self, datagram: bytes, arrived_ns: int) -> None:
        if self._keys is None:
            if len(self._early) < EARLY_MAX:
                self._early.append((datagram, arrived_ns))
            return
        with contextlib.suppress(SrtpError):
            packet = self._keys.unprotect(datagram)
            self._see(packet, payload_of(packet), arrived_ns)

    def _see(self, packet: bytes, payload: bytes, arrived_ns: int) -> None:
        if (sent_ns := stamped_ns(payload)) is not None:
            self._sent_ns = sent_ns
        if packet[1] & MARKER and self._sent_ns is not None:
            self.latencies_ns.append(arrived_ns - self._sent_ns)
            self._sent_ns = None


def payload_of(packet: bytes) -> bytes:
    """What follows the header and its extension (RFC 3550 §5.3.1); there are no CSRCs here."""
    if not packet[0] & EXTENSION:
        return packet[HEADER_BYTES:]
    words = int.from_bytes(packet[HEADER_BYTES + 2 : HEADER_BYTES + 4])
    return packet[HEADER_BYTES + 4 + 4 * words :]
