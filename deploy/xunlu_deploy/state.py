"""The state folder: everything that one installation keeps, in one place."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from xunlu_deploy.privilege import private_folder

Secret = Literal[
    "db-superuser",
    "db-owner",
    "db-api",
    "db-ingest",
    "db-jobs",
    "mqtt-admin",
    "mqtt-ingest",
    "mqtt-api",
    "mqtt-jobs",
    "mqtt-streaming",
    "mqtt-claim",
]
SECRETS: tuple[Secret, ...] = get_args(Secret)
SECRET_BYTES = 24
MEDIA_KEY = "media-key"
"""Ed25519, PEM: the platform signs media tokens with it; `media-key.pub` beside it is what the relay holds."""
EXPORT_KEY = "export-key"
"""Ed25519, PEM: the platform signs exported incidents with it; whoever receives one checks it with `export-key.pub`."""


@dataclass(frozen=True, slots=True)
class State:
    """Paths below one state folder (`XUNLU_STATE`)."""

    folder: Path

    @property
    def runtime(self) -> Path:
        """Private runtime, unless `XUNLU_RUNTIME` names a shared one."""
        return self.folder / "runtime"

    @property
    def database(self) -> Path:
        """Data folder of PostgreSQL."""
        return self.folder / "database"

    @property
    def broker(self) -> Path:
        """Configuration and persistence of Mosquitto."""
        return self.folder / "broker"

    @property
    def secrets(self) -> Path:
        """One file for each password."""
        return self.folder / "secrets"

    @property
    def tls(self) -> Path:
        """Private certificate authority and the server's certificate."""
        return self.folder / "tls"

    @property
    def map(self) -> Path:
        """Map bundle."""
        return self.folder / "map"

    @property
    def tiles(self) -> Path:
        """Raster tiles that were seen once."""
        return self.folder / "tiles"

    @property
    def recordings(self) -> Path:
        """Live video that the server recorded."""
        return self.folder / "recordings"

    @property
    def exports(self) -> Path:
        """Exported incidents, until they are fetched."""
        return self.folder / "exports"

    @property
    def run(self) -> Path:
        """Local sockets between relays and recorder."""
        return self.folder / "run"

    @property
    def logs(self) -> Path:
        """What each process said."""
        return self.folder / "log"

    @property
    def agents(self) -> Path:
        """Outboxes and identities of simulated recorders."""
        return self.folder / "agents"

    def secret(self, name: Secret) -> str:
        """A password; made at random, 192 bits, when it is asked for the first time."""
        path = private_folder(self.secrets) / name
        if not path.exists():
            write_private(path, secrets.token_urlsafe(SECRET_BYTES))
        return path.read_text("utf-8").strip()

    def make_secrets(self) -> None:
        """See that every password and the keys of media tokens and exports exist."""
        for name in SECRETS:
            self.secret(name)
        for key in (MEDIA_KEY, EXPORT_KEY):
            self._make_key(key)

    def _make_key(self, name: str) -> None:
        private, public = self.secrets / name, self.secrets / f"{name}.pub"
        if not private.exists():
            public.unlink(missing_ok=True)
            write_private(private, _pem(Ed25519PrivateKey.generate()))
        if not public.exists():
            key = serialization.load_pem_private_key(private.read_bytes(), None)
            write_private(public, _public_pem(key))


def _pem(key: Ed25519PrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _public_pem(key: PrivateKeyTypes) -> str:
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(text, "utf-8")
    fresh.replace(path)
