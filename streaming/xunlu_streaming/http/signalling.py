"""What the pages of WHIP and WHEP work with."""

from collections.abc import Sequence
from dataclasses import dataclass

from joserfc.jwk import OKPKey

from xunlu_kit.clock import Clock
from xunlu_protocol.media import Action, MediaClaims, worker_of
from xunlu_streaming.http.throttle import Throttle
from xunlu_streaming.relay import Relay
from xunlu_streaming.tokens import verify


@dataclass(frozen=True, kw_only=True, slots=True)
class IceServer:
    """A STUN or TURN server for clients (RFC 9725 §4.6).

    Attributes:
        url: `stun:…`, `turn:…` or `turns:…` (RFC 7064, RFC 7065).
        username: of TURN.
        credential: its password.
    """

    url: str
    username: str | None = None
    credential: str | None = None

    @property
    def link(self) -> str:
        """As a Link header (RFC 8288)."""
        parts = [f"<{self.url}>", 'rel="ice-server"']
        if self.username is not None and self.credential is not None:
            parts += [
                f"username={_quoted(self.username)}",
                f"credential={_quoted(self.credential)}",
                'credential-type="password"',
            ]
        return "; ".join(parts)


@dataclass(frozen=True, kw_only=True)
class Signalling:
    """A worker's relay and what guards it.

    Attributes:
        relay: that is asked.
        key: public key of the platform's tokens.
        clock: of tokens and of the throttle.
        throttle: of the requests of an address.
        workers: base URLs of all workers, the same list everywhere.
        number: our own place in `workers`.
        ice_servers: told to clients.
    """

    relay: Relay
    key: OKPKey
    clock: Clock
    throttle: Throttle
    workers: Sequence[str] = ("",)
    number: int = 0
    ice_servers: Sequence[IceServer] = ()

    def elsewhere(self, path: str) -> str | None:
        """Base URL of the worker that serves a path; None when we do."""
        number = worker_of(path, self.workers)
        return None if number == self.number else self.workers[number].rstrip("/")

    def claims(
        self, token: str, path: str | None = None, action: Action | None = None, *, begun: bool = False
    ) -> MediaClaims:
        """Verify a token.

        Args:
            token: as it came.
            path: that is asked for; None for any.
            action: that is asked for; None for any.
            begun: whether a session is meant that began with it; then its age is no matter.

        Raises:
            TokenError: it is not good for this.
        """
        now_s = None if begun else self.clock.time_ms() / 1000
        return verify(token, self.key, now_s=now_s, path=path, action=action)


def _quoted(text: str) -> str:
    """A quoted string (RFC 9110 §5.6.4)."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
