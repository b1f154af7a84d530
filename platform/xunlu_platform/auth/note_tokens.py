"""Tokens with which a recorder fetches a voice note: short-lived, for one note and one recorder, and kept nowhere."""

from typing import Annotated, Literal

from pydantic import Field

from xunlu_kit.clock import Clock
from xunlu_platform.auth.signer import Signer
from xunlu_protocol.base import Identifier, UtcSeconds, Wire
from xunlu_protocol.errors import ProtocolError

TOKEN_LIVE_S = 600
TOKEN_CHARACTERS_MAX = 1000


class NoteClaims(Wire):
    """What such a token says; we alone read it.

    Attributes:
        aud: no token for media or the radio net has it (RFC 8725 §3.9).
        sub: the recorder.
        note: the voice note.
        exp: UTC seconds after which nothing is fetched with it.
    """

    aud: Literal["xunlu-note"] = "xunlu-note"
    sub: Identifier
    note: Annotated[str, Field(max_length=64)]
    exp: UtcSeconds


class NoteTokens:
    """Signs with the installation's private key, and reads what it signed."""

    def __init__(self, private_key: str, clock: Clock) -> None:
        """Take the key.

        Args:
            private_key: PEM (PKCS 8) of an Ed25519 key.
            clock: its wall time is used.

        Raises:
            ConfigError: it is no such key.
        """
        self._signer = Signer(private_key)
        self._clock = clock

    def sign(self, *, note: str, did: str) -> str:
        """A token for one recorder to fetch one note."""
        return self._signer.sign(NoteClaims(sub=did, note=note, exp=self._now_s() + TOKEN_LIVE_S))

    def recorder(self, token: str, *, note: str) -> str | None:
        """Whose token it is; None for one that is not ours, not for this note, or too old."""
        if len(token) > TOKEN_CHARACTERS_MAX:
            return None
        try:
            claims = NoteClaims.parse(self._signer.read(token))
        except ProtocolError:
            return None
        return claims.sub if claims.note == note and claims.exp >= self._now_s() else None

    def _now_s(self) -> int:
        return self._clock.time_ms() // 1000
