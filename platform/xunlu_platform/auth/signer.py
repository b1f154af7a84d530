"""The installation's private key (Ed25519), and tokens signed with it (RFC 7519).

Who has the public key alone can tell a good token from any other, without the database and without a word with us.
"""

from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from xunlu_kit.errors import ConfigError
from xunlu_protocol.base import Wire
from xunlu_protocol.media import ALGORITHM


class Signer:
    """Signs claims. The same claims make the same token (RFC 8032: the signature is deterministic)."""

    def __init__(self, private_key: str) -> None:
        """Take the key.

        Args:
            private_key: PEM (PKCS 8) of an Ed25519 key.

        Raises:
            ConfigError: it is no such key.
        """
        try:
            self._key = OKPKey.import_key(private_key)
            jwt.encode({"alg": ALGORITHM}, {}, self._key, algorithms=[ALGORITHM])
        except (JoseError, ValueError) as error:
            raise ConfigError(
                "The secret media-key is no Ed25519 key: remove it and media-key.pub, restart."
            ) from error

    def sign(self, claims: Wire) -> str:
        """A token that says `claims`; what is absent is left out."""
        return jwt.encode({"alg": ALGORITHM}, claims.model_dump(exclude_none=True), self._key, algorithms=[ALGORITHM])

    def read(self, token: str) -> dict[str, Any] | None:
        """The claims of a token that we signed; None for any other."""
        try:
            return dict(jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims)
        except (JoseError, ValueError, TypeError, RecursionError):
            # Types and depths of a hostile header are not the library's concern.
            return None
