"""The way below DTLS: what the two kinds of ICE have in common."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from xunlu_edge.media.adapter import Datagrams

Address = tuple[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """User fragment and password of one side (RFC 8445 §5.3)."""

    ufrag: str = field(default_factory=lambda: secrets.token_hex(4))
    password: str = field(default_factory=lambda: secrets.token_hex(12))


@dataclass(frozen=True, kw_only=True, slots=True)
class IceServer:
    """A TURN or STUN server as a `Link` header names it (RFC 9725 §4.6).

    Attributes:
        url: such as `turn:turn.example.net:3478?transport=udp`.
        username: for TURN.
        credential: its password.
    """

    url: str
    username: str | None = None
    credential: str | None = None


class Way(Datagrams, Protocol):
    """Datagrams to and from a relay.

    Attributes:
        heard_s: monotonic time at which the relay last gave a sign of life.
        is_forgotten: the relay answers that it does not know us.
    """

    heard_s: float
    is_forgotten: bool

    async def candidates(self) -> Sequence[str]:
        """Our own addresses as SDP spells them."""
        ...

    async def connect(self, remote: Credentials, addresses: Sequence[Address], servers: Sequence[IceServer]) -> None:
        """Reach the relay; the caller bounds the time.

        Raises:
            ConnectionError: every address was tried in vain.
        """
        ...

    def rest(self, *, idle: bool) -> None:
        """Nothing is to be sent or heard for now, or something is again."""
        ...

    def close(self) -> None:
        """Let go of the sockets; whoever reads gets a `ConnectionError`."""
        ...


class Ways(Protocol):
    """Makes ways, all of one kind."""

    def way(self, local: Credentials, on_return: Callable[[], None]) -> Way:
        """A way that is offered with these credentials; see `IceClient` for the rest."""
        ...
