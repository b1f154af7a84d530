"""Full ICE with STUN and TURN (RFC 8445, RFC 8656), where the relay has no address that everybody can reach.

By aioice. It is bound to the addresses of the moment: a changed one ends the session, and the publication begins anew.
"""

import asyncio
import contextlib
import urllib.parse
from collections.abc import Callable, Sequence
from typing import Any

from aioice import Candidate, Connection

from xunlu_edge.media.way import Address, Credentials, IceServer

OUTBOX_DATAGRAMS = 512
GATHER_TIMEOUT_S = 6.0
DEFAULT_PORTS = {"stun": 3478, "turn": 3478, "turns": 5349}


class FullIce:
    """Datagrams to and from a relay, see `Way`.

    Attributes:
        heard_s: monotonic time of the relay's last datagram.
        dropped: datagrams for which there was no room.
        is_forgotten: never known here.
    """

    role = "controlling"
    state = "completed"

    def __init__(self, local: Credentials, servers: Sequence[IceServer]) -> None:
        """Describe the way.

        Args:
            local: ours, to be offered.
            servers: known beforehand; without any, those that the relay names are used.
        """
        self.heard_s = float("-inf")
        self.dropped = 0
        self.is_forgotten = False
        self._local = local
        self._servers = servers
        self._connection: Connection | None = None
        self._outbox: asyncio.Queue[bytes] = asyncio.Queue(OUTBOX_DATAGRAMS)
        self._tasks: list[asyncio.Task[None]] = []

    async def candidates(self) -> Sequence[str]:
        """Host addresses, and what the servers know of us."""
        connection = await self._gathered(self._servers)
        return [candidate.to_sdp() for candidate in connection.local_candidates]

    async def connect(self, remote: Credentials, addresses: Sequence[Address], servers: Sequence[IceServer]) -> None:
        """Check all pairs."""
        if servers and not self._servers:
            # The relay learns these addresses from our checks (RFC 8445 §7.3.1.3).
            await self._end()
            await self._gathered(servers)
        connection = self._connection
        assert connection is not None
        connection.remote_username, connection.remote_password = remote.ufrag, remote.password
        for number, (host, port) in enumerate(addresses):
            await connection.add_remote_candidate(_candidate(number, host, port))
        await connection.add_remote_candidate(None)
        await connection.connect()
        self.heard_s = asyncio.get_running_loop().time()
        self._tasks.append(asyncio.create_task(self._forward(connection), name="ice.out"))

    def close(self) -> None:
        """Let go of everything; the farewell to TURN takes its own time."""
        for task in self._tasks:
            task.cancel()
        self._tasks = [asyncio.create_task(self._end(), name="ice.end")]

    def rest(self, *, idle: bool) -> None:
        """Whatever there is to do, aioice asks every 5 s by itself."""

    def send(self, data: bytes) -> None:
        """Send a datagram; what finds no room is dropped and counted, as any network may."""
        try:
            self._outbox.put_nowait(data)
        except asyncio.QueueFull:
            self.dropped += 1

    async def _send(self, data: bytes) -> None:
        self.send(data)

    async def _recv(self) -> bytes:
        if self._connection is None:
            raise ConnectionError("The way to the relay is closed.")
        data = await self._connection.recv()
        self.heard_s = asyncio.get_running_loop().time()
        return data

    async def _forward(self, connection: Connection) -> None:
        while True:
            data = await self._outbox.get()
            with contextlib.suppress(ConnectionError):
                await connection.send(data)

    async def _gathered(self, servers: Sequence[IceServer]) -> Connection:
        # Kept before it has any socket: whoever cancels this closes them.
        self._connection = connection = Connection(
            ice_controlling=True,
            local_username=self._local.ufrag,
            local_password=self._local.password,
            **server_arguments(servers),
        )
        try:
            async with asyncio.timeout(GATHER_TIMEOUT_S):
                await connection.gather_candidates()
        except (TimeoutError, OSError) as error:
            raise ConnectionError("No address could be gathered; is the TURN server up?") from error
        return connection

    async def _end(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


class FullWays:
    """Makes ways of full ICE."""

    def __init__(self, servers: Sequence[IceServer]) -> None:
        self._servers = tuple(servers)

    def way(self, local: Credentials, on_return: Callable[[], None]) -> FullIce:
        """A way; it cannot return from anywhere, so nobody is told."""
        del on_return
        return FullIce(local, self._servers)


def _candidate(number: int, host: str, port: int) -> Candidate:
    return Candidate(
        foundation=str(number),
        component=1,
        transport="udp",
        priority=2130706431 - number,
        host=host,
        port=port,
        type="host",
    )


def server_arguments(servers: Sequence[IceServer]) -> dict[str, Any]:
    """What aioice wants to know: the first STUN and the first TURN server (RFC 7064, RFC 7065)."""
    out: dict[str, Any] = {}
    for server in servers:
        scheme, _, rest = server.url.partition(":")
        place, _, query = rest.partition("?")
        address = _address(place, DEFAULT_PORTS.get(scheme))
        if address is None:
            continue
        if scheme == "stun":
            out.setdefault("stun_server", address)
        elif "turn_server" not in out:
            is_tcp = scheme == "turns" or "transport=tcp" in query
            out |= {"turn_server": address, "turn_username": server.username, "turn_password": server.credential}
            out |= {"turn_ssl": scheme == "turns", "turn_transport": "tcp" if is_tcp else "udp"}
    return out


def _address(place: str, default_port: int | None) -> Address | None:
    """Host and port of a server; None where there is no sense in it."""
    try:
        parts = urllib.parse.urlsplit(f"//{place}")
        host, port = parts.hostname, parts.port or default_port
    except ValueError:
        return None
    return (host, port) if host and port and default_port else None
