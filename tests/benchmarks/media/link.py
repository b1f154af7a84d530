"""The client side of ICE (RFC 8445) on one UDP socket, as far as one known server address needs it.

It is the controlling side and knows one remote candidate, so a check that succeeds is the nomination. aiortc's DTLS
transport stands on it. What matters most: it takes a datagram of media in about a microsecond, so that the receivers
of a benchmark cost less than the relay that is measured.
"""

import asyncio
import contextlib
import secrets
import select
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from aioice import stun

from xunlu_kit.errors import XunluError

RECEIVE_BUFFER_BYTES = 2_000_000
DATAGRAM_BYTES_MAX = 2048
CHECK_INTERVAL_S = 0.05
CHECKS_MAX = 200
CONSENT_INTERVAL_S = 4.0
DTLS = range(20, 64)
STUN = range(4)
PRIORITY = 2_130_706_431
HEADER = struct.Struct("!xBH4xL")


class NoAnswerError(XunluError):
    """A server left what a client asked without an answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """User name fragment and password of one side (RFC 8445 §5.3)."""

    ufrag: str = field(default_factory=lambda: secrets.token_hex(4))
    password: str = field(default_factory=lambda: secrets.token_hex(12))


def own_address() -> str:
    """This machine's address towards others; nothing is sent. Loopback when there is no route.

    Full ICE agents leave loopback out of their candidates; packets to an address of the machine itself take the
    loopback device all the same.
    """
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("198.51.100.1", 9))
        return str(probe.getsockname()[0])
    return "127.0.0.1"


def is_media(datagram: bytes | bytearray) -> bool:
    """Whether it is RTP and not RTCP (RFC 7983 §7, RFC 5761 §4)."""
    return 128 <= datagram[0] < 192 and not 192 <= datagram[1] < 224


class Pump:
    """Wakes the loop once for any number of sockets: asyncio's wake-up for each would cost more than the packets."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._drains: dict[int, Callable[[], None]] = {}

    def __enter__(self) -> Self:
        asyncio.get_running_loop().add_reader(self._epoll.fileno(), self._turn)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._epoll.fileno())
        self._epoll.close()

    def add(self, one: socket.socket, drain: Callable[[], None]) -> None:
        """Call `drain` whenever the socket has datagrams."""
        self._drains[one.fileno()] = drain
        self._epoll.register(one, select.EPOLLIN)

    def remove(self, one: socket.socket) -> None:
        """Before the socket is closed."""
        self._epoll.unregister(one)
        del self._drains[one.fileno()]

    def _turn(self) -> None:
        for descriptor, _ in self._epoll.poll(0):
            if (drain := self._drains.get(descriptor)) is not None:
                drain()


class Link:
    """One client's socket; counts media, hands DTLS records on.

    Attributes:
        role: what `RTCDtlsTransport` wants to know of its transport.
        packets: RTP packets received.
        frames: of which the last packet came.
        sequence: of the newest one, extended over its wraps; -1 before the first.
        source: SSRC of the newest one.
        control: takes RTCP, still protected; None leaves it alone.
    """

    role = "controlling"

    def __init__(self, pump: Pump, credentials: Credentials) -> None:
        self.packets = 0
        self.frames = 0
        self.sequence = -1
        self.source = 0
        self.control: Callable[[bytes], None] | None = None
        self._pump = pump
        self._local = credentials
        self._remote: Credentials | None = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self._socket.bind((own_address(), 0))
        self._records: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._answered = asyncio.Event()
        self._buffer = bytearray(DATAGRAM_BYTES_MAX)
        pump.add(self._socket, self.drain)

    @property
    def address(self) -> tuple[str, int]:
        """Its host candidate."""
        host, port = self._socket.getsockname()
        return host, port

    async def nominate(self, remote: Credentials, address: tuple[str, int]) -> None:
        """Connect to the server's candidate.

        Raises:
            NoAnswerError: no check was answered.
        """
        self._remote = remote
        self._socket.connect(address)
        for _ in range(CHECKS_MAX):
            self.check()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._answered.wait(), CHECK_INTERVAL_S)
                return
        raise NoAnswerError(f"The server at {address[0]}:{address[1]} answers no connectivity check.")

    def check(self) -> None:
        """Send a check; the answered ones keep consent (RFC 7675)."""
        assert self._remote is not None
        request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{self._remote.ufrag}:{self._local.ufrag}"
        request.attributes["PRIORITY"] = PRIORITY
        request.attributes["ICE-CONTROLLING"] = 1
        request.attributes["USE-CANDIDATE"] = None
        self._send_stun(request, self._remote)

    def drain(self) -> None:
        """Take all datagrams that are there."""
        receive, buffer = self._socket.recv_into, self._buffer
        while True:
            try:
                size = receive(buffer)
            except (BlockingIOError, ConnectionRefusedError):
                break
            if is_media(buffer):
                self._count(buffer)
            elif size:
                self._take(bytes(buffer[:size]))

    def close(self) -> None:
        """Leave without a word."""
        self._records.put_nowait(None)
        self._pump.remove(self._socket)
        self._socket.close()

    def send(self, datagram: bytes) -> None:
        """Send media; what the socket cannot take now is lost."""
        with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
            self._socket.send(datagram)

    async def _recv(self) -> bytes:
        record = await self._records.get()
        if record is None:
            raise ConnectionError
        return record

    async def _send(self, record: bytes) -> None:
        self.send(record)

    def _count(self, packet: bytes | bytearray) -> None:
        self.packets += 1
        marked, sequence, self.source = HEADER.unpack_from(packet)
        self.frames += marked >> 7
        newest = self.sequence
        self.sequence = sequence if newest < 0 else newest + ((sequence - newest + 0x8000 & 0xFFFF) - 0x8000)

    def _take(self, datagram: bytes) -> None:
        if datagram[0] in DTLS:
            self._records.put_nowait(datagram)
        elif datagram[0] not in STUN:
            if self.control is not None:
                self.control(datagram)
        else:
            message = stun.parse_message(datagram)
            if message.message_class == stun.Class.RESPONSE:
                self._answered.set()
            elif message.message_class == stun.Class.REQUEST and self._remote is not None:
                self._answer(message)

    def _answer(self, request: stun.Message) -> None:
        """A full agent checks, too (RFC 8445 §7.3), and again when it comes too early to be answered."""
        response = stun.Message(
            message_method=stun.Method.BINDING,
            message_class=stun.Class.RESPONSE,
            transaction_id=request.transaction_id,
        )
        response.attributes["XOR-MAPPED-ADDRESS"] = self._socket.getpeername()
        self._send_stun(response, self._local)

    def _send_stun(self, message: stun.Message, key: Credentials) -> None:
        message.add_message_integrity(key.password.encode())
        message.add_fingerprint()
        self.send(bytes(message))
