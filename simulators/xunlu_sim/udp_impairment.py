"""A UDP proxy that behaves like a bad mobile network: loss, delay, jitter, reordering, outage, a changed address.

Everything that is left to chance comes from a seed, one source for each direction.
"""

import asyncio
import contextlib
import ipaddress
import random
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial

DATAGRAM_BYTES = 65_535
DATAGRAMS_PER_TURN = 64
CLIENTS_MAX = 256
SOCKET_BYTES = 1 << 20
# The loop runs timers of one moment in any order.
SPACING_S = 1e-6

Address = tuple[str, int] | tuple[str, int, int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class UdpOptions:
    """What the network does to each direction.

    Attributes:
        loss: share of datagrams that never arrive, 0–1.
        delay_s: one way.
        jitter_s: added to the delay, evenly between 0 and this; the order stays.
        reorder: share of datagrams that are held for `reorder_s` more, so that others overtake them, 0–1.
        reorder_s: how long.
        rate_bps: bottleneck, bits of payload a second; None is wide open.
        queue_s: how much the bottleneck holds before it drops, seconds.
        seed: of everything that is left to chance.
    """

    loss: float = 0.0
    delay_s: float = 0.0
    jitter_s: float = 0.0
    reorder: float = 0.0
    reorder_s: float = 0.03
    rate_bps: int | None = None
    queue_s: float = 0.25
    seed: int = 1


class _Direction:
    """Decides over each datagram of one direction."""

    def __init__(self, name: str, link: "UdpLink") -> None:
        self._link = link
        self._rng = random.Random(f"{link.options.seed}.{name}")
        self._free_s = 0.0
        self._last_due_s = 0.0

    def carry(self, size: int, deliver: Callable[[], None]) -> None:
        """Deliver now, later, or never."""
        options, loop = self._link.options, asyncio.get_running_loop()
        now_s = loop.time()
        wait_s = self._bottleneck_s(size, now_s)
        if self._link.is_lost or self._rng.random() < options.loss or wait_s is None:
            self._link.dropped += 1
            return
        self._link.carried += 1
        due_s = now_s + wait_s + options.delay_s + self._rng.uniform(0, options.jitter_s)
        if self._rng.random() < options.reorder:
            due_s += options.reorder_s
        else:
            due_s = self._last_due_s = max(due_s, self._last_due_s + SPACING_S)
        if due_s <= now_s:
            deliver()
        else:
            loop.call_at(due_s, deliver)

    def _bottleneck_s(self, size: int, now_s: float) -> float | None:
        """How long the datagram waits for the bottleneck; None when its queue is full."""
        options = self._link.options
        if options.rate_bps is None:
            return 0.0
        begin_s = max(now_s, self._free_s)
        if begin_s - now_s > options.queue_s:
            return None
        self._free_s = begin_s + size * 8 / options.rate_bps
        return self._free_s - now_s


class UdpLink:
    """A running proxy; each client has a socket of its own towards the target, as behind a NAT.

    Attributes:
        port: where clients send to, on loopback.
        options: of the network; may be replaced while it runs.
        is_lost: nothing passes.
        carried: datagrams that passed.
        dropped: datagrams that did not.
    """

    def __init__(self, host: str, target_port: int, options: UdpOptions) -> None:
        self.options = options
        self.is_lost = False
        self.carried = 0
        self.dropped = 0
        self._target = (host, target_port)
        self._family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET
        self._upstream: dict[Address, socket.socket] = {}
        self._up = _Direction("up", self)
        self._down = _Direction("down", self)
        self._socket = self._open()
        self._socket.bind(("::1" if self._family == socket.AF_INET6 else "127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        asyncio.get_running_loop().add_reader(self._socket, self._read_clients)

    def lose(self) -> None:
        """No network: nothing passes, nobody is told."""
        self.is_lost = True

    def find(self) -> None:
        """The network is back."""
        self.is_lost = False

    def change_address(self) -> None:
        """Every client comes from a new address from now on and the old one is dead, as after a new NAT binding."""
        for client in list(self._upstream):
            self._shut(self._upstream.pop(client))
            self._open_upstream(client)

    def close(self) -> None:
        """Let go of all sockets."""
        for each in (self._socket, *self._upstream.values()):
            self._shut(each)

    def _open(self) -> socket.socket:
        each = socket.socket(self._family, socket.SOCK_DGRAM)
        each.setblocking(False)
        for buffer in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            each.setsockopt(socket.SOL_SOCKET, buffer, SOCKET_BYTES)
        return each

    def _open_upstream(self, client: Address) -> None:
        each = self._open()
        each.connect(self._target)
        self._upstream[client] = each
        asyncio.get_running_loop().add_reader(each, self._read_target, each, client)

    def _shut(self, each: socket.socket) -> None:
        asyncio.get_running_loop().remove_reader(each)
        each.close()

    def _read_clients(self) -> None:
        for data, client in _datagrams(self._socket):
            if client not in self._upstream:
                if len(self._upstream) >= CLIENTS_MAX:
                    self.dropped += 1
                    continue
                self._open_upstream(client)
            self._up.carry(len(data), partial(self._send_up, data, client))

    def _send_up(self, data: bytes, client: Address) -> None:
        with contextlib.suppress(OSError):
            self._upstream[client].send(data)

    def _read_target(self, upstream: socket.socket, client: Address) -> None:
        for data, _ in _datagrams(upstream):
            self._down.carry(len(data), partial(self._send_down, data, client))

    def _send_down(self, data: bytes, client: Address) -> None:
        with contextlib.suppress(OSError):
            self._socket.sendto(data, client)


def _datagrams(each: socket.socket) -> list[tuple[bytes, Address]]:
    """What has arrived, bounded; a refused port is silence, as on a real network."""
    out: list[tuple[bytes, Address]] = []
    with contextlib.suppress(OSError):
        while len(out) < DATAGRAMS_PER_TURN:
            out.append(each.recvfrom(DATAGRAM_BYTES))
    return out


@contextlib.asynccontextmanager
async def impaired_udp(host: str, port: int, options: UdpOptions | None = None) -> AsyncIterator[UdpLink]:
    """Run a proxy to a UDP port on a free port of loopback."""
    link = UdpLink(host, port, options or UdpOptions())
    try:
        yield link
    finally:
        link.close()
