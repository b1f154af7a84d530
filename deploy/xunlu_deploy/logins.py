"""First accounts: made once, remembered in a file that only its owner may read."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from xunlu_deploy.errors import DeployError
from xunlu_deploy.privilege import private_folder
from xunlu_deploy.state import write_private


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """An account of the console as `xunlu-platform` reports it."""

    role: str
    username: str
    password: str = field(repr=False)


def parse_logins(lines: Iterable[str]) -> list[Login]:
    """The accounts among a program's lines: JSON objects with role, username and password; other lines are its log."""
    logins = []
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and {"role", "username", "password"} <= entry.keys():
            logins.append(
                Login(role=str(entry["role"]), username=str(entry["username"]), password=str(entry["password"]))
            )
    return logins


def read_logins(file: Path) -> list[Login] | None:
    """What was remembered; None before the first time.

    Raises:
        DeployError: the file is damaged.
    """
    if not file.exists():
        return None
    try:
        return [Login(**entry) for entry in json.loads(file.read_text("utf-8"))]
    except (ValueError, TypeError) as error:
        raise DeployError(f"{file} is damaged; remove it, and reset the passwords in the console.") from error


def write_logins(file: Path, logins: list[Login]) -> None:
    """Remember accounts."""
    private_folder(file.parent)
    write_private(file, json.dumps([asdict(login) for login in logins], indent=1))
