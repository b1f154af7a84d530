"""Who this device is: the answer to its claim, kept in a file of its own."""

from pathlib import Path

from pydantic import Field

from xunlu_edge.durable import write_durably
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
    write_durably(folder / FILE_NAME, identity.encode())
