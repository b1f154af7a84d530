"""Who this device is: the answer to its claim, kept in a file of its own."""

import os
from pathlib import Path

from pydantic import Field

from xunlu_kit.errors import ConfigError
from xunlu_protocol.base import Identifier, Wire
from xunlu_protocol.errors import ProtocolError

FILE_NAME = "identity.json"


class Identity(Wire):
    """Name and credentials at the broker.

    Attributes:
        did: device name, also the MQTT client id.
        tenant: whose device it is.
        username: equals `did`.
        password: of the broker account.
    """

    did: Identifier
    tenant: Identifier
    username: str
    password: str = Field(repr=False)


def load_identity(folder: Path) -> Identity | None:
    """The stored identity, None before the first claim.

    Raises:
        ConfigError: the file is damaged; a second claim would be refused, so a person has to help.
    """
    try:
        return Identity.decode((folder / FILE_NAME).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ProtocolError) as error:
        raise ConfigError(
            f"{folder / FILE_NAME} cannot be read: {error}. Restore it, or let an administrator issue new credentials."
        ) from error


def store_identity(folder: Path, identity: Identity) -> None:
    """Keep an identity through power cuts, readable by its owner alone: it is told only once."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / f"{FILE_NAME}.new"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(identity.encode())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / FILE_NAME)
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
