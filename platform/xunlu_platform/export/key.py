"""The key with which exports are signed (Ed25519, RFC 8032): made at the first start, kept among the secrets."""

import hashlib
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from xunlu_kit.errors import ConfigError

PRIVATE = "export-key"
PUBLIC = "export-key.pub"
_AGAIN = "remove export-key and export-key.pub, restart, and tell whoever checks exports the new fingerprint."


@dataclass(frozen=True, kw_only=True, slots=True)
class PublicKey:
    """What everybody may know.

    Attributes:
        pem: SubjectPublicKeyInfo (RFC 7468), as openssl reads it.
        fingerprint: SHA-256 of its DER form in hexadecimal; people compare it.
    """

    pem: str
    fingerprint: str

    @classmethod
    def read(cls, pem: str) -> Self:
        """From the secret `PUBLIC`.

        Raises:
            ConfigError: it is no such key.
        """
        try:
            key = serialization.load_pem_public_key(pem.encode())
        except (ValueError, UnsupportedAlgorithm) as error:
            raise ConfigError(f"The secret {PUBLIC} is no public key: {_AGAIN}") from error
        if not isinstance(key, Ed25519PublicKey):
            raise ConfigError(f"The secret {PUBLIC} is no Ed25519 key: {_AGAIN}")
        return cls.of(key)

    @classmethod
    def of(cls, key: Ed25519PublicKey) -> Self:
        """From the key itself."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        der = key.public_bytes(serialization.Encoding.DER, form)
        pem = key.public_bytes(serialization.Encoding.PEM, form).decode()
        return cls(pem=pem, fingerprint=hashlib.sha256(der).hexdigest())


class ExportKey:
    """Signs."""

    def __init__(self, private_key: str) -> None:
        """Take the secret `PRIVATE`.

        Args:
            private_key: PEM (PKCS 8).

        Raises:
            ConfigError: it is no Ed25519 key.
        """
        try:
            key = serialization.load_pem_private_key(private_key.encode(), None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ConfigError(f"The secret {PRIVATE} is no private key: {_AGAIN}") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise ConfigError(f"The secret {PRIVATE} is no Ed25519 key: {_AGAIN}")
        self._key = key
        self.public = PublicKey.of(key.public_key())

    def sign(self, data: bytes) -> bytes:
        """The detached signature, 64 bytes."""
        return self._key.sign(data)
