"""The relay as its HTTP pages see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from xunlu_protocol.media import MediaClaims, PathState
from xunlu_streaming.sdp import Offer


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """A session that has begun.

    Attributes:
        id: last part of its URL; nobody can guess it.
        claims: of the token that began it; the same token governs it.
        answer: SDP.
        etag: names its ICE session, without quotes; there is no restart, so it never changes.
        remote_ufrag: ICE user name fragment of the client, which its candidates repeat.
    """

    id: str
    claims: MediaClaims
    answer: str
    etag: str
    remote_ufrag: str


class Relay(Protocol):
    """Who owns the paths of a worker."""

    async def publish(self, claims: MediaClaims, offer: Offer) -> Session:
        """Begin a publication.

        Raises:
            SdpError: the offer cannot be taken.
            PathBusyError: somebody publishes there already.
            NotWantedError: nobody receives it any more.
            OverloadedError: the worker is full.
        """

    async def play(self, claims: MediaClaims, offer: Offer) -> Session:
        """Begin to watch; a path without a publication is waited for.

        Raises:
            SdpError: the offer cannot be taken.
            WithdrawnError: the platform has ended this viewing.
            TokenBusyError: it goes on.
            OverloadedError: the worker is full.
        """

    def find(self, path: str, session: str) -> Session | None:
        """A session of a path that goes on."""

    async def trickle(self, path: str, session: str, candidates: Sequence[str]) -> None:
        """Take candidates of a session's client that its offer did not have (RFC 8838)."""

    async def end(self, path: str, session: str) -> bool:
        """End a session of a path at once (RFC 7675 §5.2); whether there was one."""

    def streams(self) -> list[PathState]:
        """What is carried now."""
