"""Tokens for the relay: short-lived, for one path and one action, and kept nowhere."""

from xunlu_kit.clock import Clock
from xunlu_platform.auth.signer import Signer
from xunlu_protocol.media import Action, MediaClaims

PLAY_LIVE_S = 60
"""Seconds within which a viewing must begin; one that began goes on."""


class MediaTokens:
    """Signs with the installation's private key."""

    def __init__(self, private_key: str, clock: Clock, *, publish_live_s: int) -> None:
        """Take the key.

        Args:
            private_key: PEM (PKCS 8) of an Ed25519 key.
            clock: its wall time is used.
            publish_live_s: seconds that a publish token lives, so that a recorder may come back with it.

        Raises:
            ConfigError: it is no such key.
        """
        self._signer = Signer(private_key)
        self._clock = clock
        self._publish_live_s = publish_live_s

    def play(self, path: str, *, viewing: str, user: str) -> str:
        """A token to watch a path."""
        return self._sign(path, "play", viewing, user, PLAY_LIVE_S)

    def publish(self, path: str, *, command: str, user: str) -> str:
        """A token to publish a path."""
        return self._sign(path, "publish", command, user, self._publish_live_s)

    def _sign(self, path: str, action: Action, jti: str, user: str, live_s: int) -> str:
        now_s = self._clock.time_ms() // 1000
        return self._signer.sign(MediaClaims(path=path, act=action, jti=jti, sub=user, iat=now_s, exp=now_s + live_s))
