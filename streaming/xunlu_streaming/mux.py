"""One UDP port for all peers of a worker: receiving, telling STUN, DTLS and media apart, and finding the peer.

The relay is ICE-lite (RFC 8445 §2.5): it answers connectivity checks and makes none. A peer is found by its address; an
address that is new becomes a peer's by an authenticated check (RFC 8445 §7.3), so that a recorder that changes its
network keeps its session. First bytes tell the protocols apart (RFC 7983 §7).
"""

import asyncio
import errno
import logging
import socket
import time
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from xunlu_kit.errors import ConfigError
from xunlu_streaming import stun
from xunlu_streaming.adapter import ffi

if TYPE_CHECKING:
    from xunlu_streaming.peer import Peer

log = logging.getLogger(__name__)

Address = tuple[Any, ...]

DATAGRAMS_PER_TURN = 128
"""After so many the loop's other tasks get their turn."""
SLOT_BYTES = 2048
SOCKET_BUFFER_BYTES = 8 * 1024 * 1024
REFUSED_TOLD_S = 60.0
REFUSED_TOLD_MIN = 100
"""So many refused datagrams are worth a line in the log, once in this time; single ones are every port's weather."""


class Outlet(Protocol):
    """What of a UDP socket is needed to send."""

    def sendto(self, data: bytes | memoryview, address: Address, /) -> int:
        """Send one datagram."""

    def sendmsg(
        self,
        buffers: Iterable[memoryview],
        control: Iterable[tuple[int, int, bytes]],
        flags: int,
        address: Address,
        /,
    ) -> int:
        """Send one datagram, or several at once by segmentation."""


class UdpMux:
    """The socket of a worker, for each address family.

    Attributes:
        port: the port that was opened.
        strangers: datagrams of nobody we know.
        malformed: datagrams that are no protocol of ours.
        unauthenticated: connectivity checks with a wrong password or an unknown name.
        unsent: datagrams that found the socket's buffer full, or no way.
    """

    def __init__(self, port: int, hosts: tuple[str, ...]) -> None:
        """Describe it; nothing is opened before `async with`.

        Args:
            port: 0 picks a free one.
            hosts: addresses under which clients reach it. Those of this machine get a socket each, so that an answer
                comes from where the question went; behind an address translator it is one for all.
        """
        self.port = port
        self.strangers = self.malformed = self.unauthenticated = self.unsent = 0
        self._hosts = hosts
        self._sockets: list[socket.socket] = []
        self._by_name: dict[bytes, Peer] = {}
        self._by_address: dict[Address, Peer] = {}
        self._dirty: list[Peer] = []
        self._memory = ffi.new("char[]", DATAGRAMS_PER_TURN * SLOT_BYTES)
        whole = memoryview(ffi.buffer(self._memory))
        starts = range(0, DATAGRAMS_PER_TURN * SLOT_BYTES, SLOT_BYTES)
        self._views = [whole[start : start + SLOT_BYTES] for start in starts]
        self._pointers = [self._memory + start for start in starts]
        self._refused_told = 0
        self._refused_told_s = -REFUSED_TOLD_S

    async def __aenter__(self) -> Self:
        for host in bindable(self._hosts):
            self._open(host)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        loop = asyncio.get_running_loop()
        for sock in self._sockets:
            loop.remove_reader(sock)
            sock.close()
        self._sockets.clear()

    def _open(self, host: str) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            sock = socket.socket(family, socket.SOCK_DGRAM)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind((host, self.port))
        except OSError as error:
            raise ConfigError(
                f"UDP {host} port {self.port} cannot be opened ({error.strerror}); set XUNLU_STREAMING_MEDIA_PORT."
            ) from error
        sock.setblocking(False)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER_BYTES)
        self.port = sock.getsockname()[1]
        self._sockets.append(sock)
        asyncio.get_running_loop().add_reader(sock, self._drain, sock)

    @property
    def names(self) -> int:
        """How many peers are answered."""
        return len(self._by_name)

    @property
    def addresses(self) -> int:
        """How many addresses belong to peers."""
        return len(self._by_address)

    # -- peers --------------------------------------------------------------------------------------------------------

    def add(self, peer: "Peer") -> None:
        """Answer the checks of a peer from now on."""
        self._by_name[peer.ufrag.encode()] = peer

    def remove(self, peer: "Peer") -> None:
        """Know it no more."""
        self._by_name.pop(peer.ufrag.encode(), None)
        for address in peer.addresses:
            if self._by_address.get(address) is peer:
                del self._by_address[address]

    def note(self, peer: "Peer") -> None:
        """Let `peer.flush` be called when what has arrived is read."""
        self._dirty.append(peer)

    def send(self, sock: Outlet, data: bytes, address: Address) -> None:
        """Send one datagram, or count it as unsent: media is never late."""
        try:
            sock.sendto(data, address)
        except OSError:
            self.unsent += 1

    # -- arrival ------------------------------------------------------------------------------------------------------

    def _drain(self, sock: socket.socket) -> None:
        receive, by_address = sock.recvfrom_into, self._by_address
        for view, pointer in zip(self._views, self._pointers, strict=True):
            try:
                size, address = receive(view)
            except BlockingIOError:
                break
            except OSError:
                # An ICMP error of an earlier datagram.
                continue
            first = view[0] if size else 255
            if 127 < first < 192:
                if (peer := by_address.get(address)) is not None:
                    peer.media(view, pointer, size)
                else:
                    self.strangers += 1
            elif first < 4:
                self._check(sock, bytes(view[:size]), address)
            elif 19 < first < 64 and (peer := by_address.get(address)) is not None:
                peer.record(bytes(view[:size]))
            else:
                self.malformed += 1
        self.flush()
        if self.strangers + self.malformed + self.unauthenticated - self._refused_told >= REFUSED_TOLD_MIN:
            self._tell_refused()

    def flush(self) -> None:
        """Let every peer that something arrived for know that this was all for now."""
        dirty, self._dirty = self._dirty, []
        for peer in dirty:
            peer.flush()

    def _check(self, sock: socket.socket, data: bytes, address: Address) -> None:
        """Answer a connectivity check (RFC 8445 §7.3, RFC 8489 §9.1)."""
        name = stun.username_of(data)
        peer = self._by_name.get(name.partition(b":")[0]) if name is not None else None
        known = peer is not None and self._by_address.get(address) is peer
        if peer is None or not (known or peer.strange_checks.take(time.monotonic())):
            self.unauthenticated += 1
            return
        try:
            check = stun.read_check(data)
        except ValueError:
            self.malformed += 1
            return
        if check is None:
            return
        password = peer.password.encode()
        if not check.is_of(password):
            self.unauthenticated += 1
            return
        self._adopt(peer, sock, address, nominated=check.nominates)
        self.send(sock, stun.answer(check, address, password), address)

    def _tell_refused(self) -> None:
        now_s = time.monotonic()
        if now_s - self._refused_told_s < REFUSED_TOLD_S:
            return
        counts = {"strange": self.strangers, "malformed": self.malformed, "checks": self.unauthenticated}
        self._refused_told, self._refused_told_s = sum(counts.values()), now_s
        log.warning("datagrams refused since the start", extra=counts)

    def _adopt(self, peer: "Peer", sock: socket.socket, address: Address, *, nominated: bool) -> None:
        before = self._by_address.get(address)
        if before is not peer:
            if before is not None:
                before.addresses.remove(address)
            self._by_address[address] = peer
            if (forgotten := peer.learn(address)) is not None:
                del self._by_address[forgotten]
        peer.checked(sock, address, nominated=nominated)


def bindable(hosts: tuple[str, ...]) -> tuple[str, ...]:
    """What to bind for these addresses: themselves, or all of the family where one of them is not this machine's."""
    chosen: list[str] = []
    for family, everywhere in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):  # noqa: S104
        mine = [host for host in hosts if (":" in host) == (family == socket.AF_INET6)]
        chosen += mine if all(_is_ours(family, host) for host in mine) else [everywhere]
    return tuple(chosen)


def _is_ours(family: socket.AddressFamily, host: str) -> bool:
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, 0))
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:
                raise ConfigError(
                    f"{host} is no address ({error.strerror}); set XUNLU_STREAMING_MEDIA_HOSTS."
                ) from error
            return False
    return True
