"""The client's half of ICE towards an ICE-lite relay (RFC 8445 §2.5), for a recorder whose address changes.

The relay never asks; we are controlling, nominate the first address that answers, and keep asking: an answer is its
consent (RFC 7675), and our authenticated request from a new address moves the session there. So the sockets are bound
to no address, and a route that changes changes nothing here. A full peer is answered as well.
"""

import asyncio
import contextlib
import ipaddress
import logging
import secrets
import socket
from collections.abc import Callable, Sequence

from aioice import stun

from xunlu_edge.media.way import Address, Credentials, IceServer

log = logging.getLogger(__name__)

CHECK_S = 0.05
CONSENT_S = 0.5
# While nothing is to be sent or heard; a third of what relays wait for (RFC 7675 §5.1 allows 30 s, ours takes 15 s).
IDLE_CONSENT_S = 5.0
# Without an answer for this long the way is in doubt: ask more often, so that its return is noticed at once.
DOUBT_S = 0.9
DOUBT_CHECK_S = 0.15
RENEW_S = 2.5
PENDING_MAX = 64
INBOX_DATAGRAMS = 256
DATAGRAMS_PER_TURN = 64
DATAGRAM_BYTES = 2048
SEND_BYTES = 1 << 18
# Peer reflexive, of the first component (RFC 8445 §5.1.2.1).
PRIORITY = 110 << 24 | 65_535 << 8 | 255


class IceClient:
    """Datagrams to and from a relay.

    Attributes:
        heard_s: monotonic time of the relay's last answer.
        dropped: datagrams that the kernel or nobody took.
        renewals: how often the sockets were opened anew.
        is_forgotten: the relay answers that it does not know us.
    """

    role = "controlling"
    state = "completed"

    def __init__(self, local: Credentials, on_return: Callable[[], None]) -> None:
        """Describe the way; nothing is opened yet.

        Args:
            local: ours, to be offered.
            on_return: called when answers come again after silence, or we have another address.
        """
        self.heard_s = float("-inf")
        self.dropped = 0
        self.renewals = 0
        self.is_forgotten = False
        self._local = local
        self._remote = Credentials()
        self._addresses: tuple[Address, ...] = ()
        self._on_return = on_return
        self._selected: Address | None = None
        self._mapped: Address | None = None
        self._sockets: dict[int, socket.socket] = {}
        self._broken = False
        self._opened_s = 0.0
        self._pending: dict[bytes, Address] = {}
        self._tie_breaker = secrets.randbits(64)
        self._inbox: asyncio.Queue[bytes | None] = asyncio.Queue(INBOX_DATAGRAMS)
        self._answered = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._idle = False
        self._rested_s = float("-inf")
        self._hurry = asyncio.Event()

    async def candidates(self) -> Sequence[str]:
        """None: the relay learns our address from our requests, whichever it is by then."""
        return ()

    async def connect(
        self, remote: Credentials, addresses: Sequence[Address], servers: Sequence[IceServer] = ()
    ) -> None:
        """Find an address that answers; the caller bounds the time.

        Args:
            remote: the relay's, as answered.
            addresses: where it may be reached, best first, at least one.
            servers: of no use towards a relay that everybody can reach.
        """
        del servers
        self._remote, self._addresses = remote, tuple(addresses)
        self._opened_s = asyncio.get_running_loop().time()
        self._task = asyncio.create_task(self._ask(), name="ice")
        await self._answered.wait()

    def close(self) -> None:
        """Let go of the sockets; whoever reads gets a `ConnectionError`."""
        if self._task is not None:
            self._task.cancel()
        self._shut()
        if self._inbox.full():
            self._inbox.get_nowait()
        self._inbox.put_nowait(None)

    def rest(self, *, idle: bool) -> None:
        """Ask seldom while nothing is sent, or often again, beginning now: a recorder on duty listens all day."""
        if idle != self._idle:
            self._idle = idle
            self._hurry.set()

    def send(self, data: bytes) -> None:
        """Send a datagram at once; what the kernel does not take is dropped and counted, as any network may."""
        if self._selected is None or not self._transmit(data, self._selected):
            self.dropped += 1

    # -- what DTLS calls ----------------------------------------------------------------------------------------------

    async def _send(self, data: bytes) -> None:
        self.send(data)

    async def _recv(self) -> bytes:
        data = await self._inbox.get()
        if data is None:
            raise ConnectionError("The way to the relay is closed.")
        return data

    # -- asking -------------------------------------------------------------------------------------------------------

    async def _ask(self) -> None:
        """Ask for ever: all addresses in turn until one answers, then that one."""
        loop = asyncio.get_running_loop()
        turn = 0
        while True:
            asked_s = loop.time()
            self._check(self._selected or self._addresses[turn % len(self._addresses)])
            turn += 1
            await asyncio.sleep(self._wait_s(loop.time()))
            if self._idle and self.heard_s >= asked_s:
                await self._doze()
            if self._broken or self._silent_s(loop.time()) > RENEW_S:
                self._renew(loop.time())

    def _wait_s(self, now_s: float) -> float:
        if self._selected is None:
            return CHECK_S
        if self._silent_s(now_s) > DOUBT_S:
            return DOUBT_CHECK_S
        return CONSENT_S * _jitter()

    async def _doze(self) -> None:
        """All is well and nothing is to be sent: ask again much later, or when that changes."""
        self._hurry.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IDLE_CONSENT_S * _jitter()):
                await self._hurry.wait()
        self._rested_s = asyncio.get_running_loop().time()

    def _silent_s(self, now_s: float) -> float:
        """For how long we have asked these sockets in vain."""
        return now_s - max(self.heard_s, self._opened_s, self._rested_s)

    def _renew(self, now_s: float) -> None:
        """A socket may hang on an interface that is gone."""
        log.debug("sockets are opened anew")
        self._shut()
        self.renewals += 1
        self._opened_s = now_s

    def _check(self, address: Address) -> None:
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{self._remote.ufrag}:{self._local.ufrag}"
        request.attributes["PRIORITY"] = PRIORITY
        request.attributes["ICE-CONTROLLING"] = self._tie_breaker
        request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(self._remote.password.encode())
        while len(self._pending) >= PENDING_MAX:
            del self._pending[next(iter(self._pending))]
        self._pending[request.transaction_id] = address
        self._transmit(bytes(request), address)

    # -- sockets ------------------------------------------------------------------------------------------------------

    def _transmit(self, data: bytes, address: Address) -> bool:
        try:
            self._socket_for(address).sendto(data, address)
        except BlockingIOError:
            return False
        except OSError:
            # No route now; the next request tries with a new socket.
            self._broken = True
            return False
        return True

    def _socket_for(self, address: Address) -> socket.socket:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        if (found := self._sockets.get(family)) is not None:
            return found
        opened = socket.socket(family, socket.SOCK_DGRAM)
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
        self._sockets[family] = opened
        asyncio.get_running_loop().add_reader(opened, self._read, opened)
        return opened

    def _shut(self) -> None:
        for each in self._sockets.values():
            asyncio.get_running_loop().remove_reader(each)
            each.close()
        self._sockets.clear()
        self._broken = False

    def _read(self, readable: socket.socket) -> None:
        with contextlib.suppress(OSError):
            for _ in range(DATAGRAMS_PER_TURN):
                data, source = readable.recvfrom(DATAGRAM_BYTES)
                self._take(data, _normal(source))

    # -- answers ------------------------------------------------------------------------------------------------------

    def _take(self, data: bytes, source: Address) -> None:
        """STUN begins with two zero bits (RFC 7983 §7), everything else is for DTLS."""
        if not data:
            return
        if data[0] < 4:
            with contextlib.suppress(ValueError, UnicodeDecodeError):
                self._take_stun(stun.parse_message(data), source)
        elif source == self._selected and not self._inbox.full():
            self._inbox.put_nowait(data)
        else:
            self.dropped += 1

    def _take_stun(self, message: stun.Message, source: Address) -> None:
        if message.message_class is stun.Class.REQUEST:
            self._answer(message, source)
        elif self._pending.get(message.transaction_id) != source:
            self.dropped += 1
        elif message.message_class is stun.Class.ERROR:
            # Errors need not be signed (RFC 8489 §9.1.4), so this is only a hint to ask by HTTP.
            self.is_forgotten = True
        elif message.check_message_integrity(self._remote.password.encode()):
            del self._pending[message.transaction_id]
            self._consented(source, message.attributes.get("XOR-MAPPED-ADDRESS"))

    def _consented(self, source: Address, mapped: Address | None) -> None:
        now_s = asyncio.get_running_loop().time()
        returned = self._silent_s(now_s) > DOUBT_S or mapped != self._mapped
        self.heard_s, self._mapped, self.is_forgotten = now_s, mapped, False
        if self._selected is None:
            self._selected = source
            self._answered.set()
        elif returned:
            self._on_return()

    def _answer(self, request: stun.Message, source: Address) -> None:
        """A full peer asks, too."""
        known = request.attributes.get("USERNAME") == f"{self._local.ufrag}:{self._remote.ufrag}"
        if not known or not request.check_message_integrity(self._local.password.encode()):
            self.dropped += 1
            return
        response = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, transaction_id=request.transaction_id)
        response.attributes["XOR-MAPPED-ADDRESS"] = source
        response.add_message_integrity(self._local.password.encode())
        self._transmit(bytes(response), source)


def _jitter() -> float:
    """Keeps a squad's recorders from asking in step (RFC 7675 §5.1)."""
    return 0.8 + secrets.randbelow(400) / 1000


def _normal(source: tuple[str, int] | tuple[str, int, int, int]) -> Address:
    """Host and port, the host as `ipaddress` spells it, without the zone of a link-local address."""
    return str(ipaddress.ip_address(source[0].partition("%")[0])), source[1]


class LiteWays:
    """Makes ways to relays that everybody can reach."""

    def way(self, local: Credentials, on_return: Callable[[], None]) -> IceClient:
        """A way; see `IceClient`."""
        return IceClient(local, on_return)
