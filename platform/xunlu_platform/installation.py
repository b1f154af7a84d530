"""What an installation needs before its first sign-in: the tables and one administrator."""

import json
import logging
import os
from pathlib import Path

from xunlu_platform.auth.passwords import hash_password, random_password
from xunlu_platform.config import PlatformSettings
from xunlu_platform.pinyin import pinyin_of
from xunlu_platform.store import migrations
from xunlu_platform.store.store import SYSTEM, Row, Session, Store

log = logging.getLogger(__name__)

FIRST_ADMINISTRATOR = "admin"
FIRST_UNIT = "城市管理行政执法局"


async def migrate(settings: PlatformSettings) -> None:
    """Bring the database to this version.

    Raises:
        StoreError: it is newer than this program, or a migration failed; nothing of it remains.
    """
    applied = await migrations.migrate(settings.database("owner"))
    log.info("database is up to date", extra={"applied": len(applied)})


async def make_first_account(settings: PlatformSettings) -> None:
    """Make `admin` when there is no account yet.

    Its password is printed once, as a JSON line, and kept in the secret `first-account`; it must be changed at the
    first sign-in.

    Raises:
        StoreError: the database does not answer, or has not been migrated.
    """
    async with Store(settings.database("owner"), connections_max=2) as store, store.session(SYSTEM) as session:
        row = await session.one("accounts", "any")
        if row is not None and row["there"]:
            log.info("there is an account already")
            return
        root = await ensure_root(session, settings.tenant, FIRST_UNIT)
        password = random_password()
        await ensure_account(
            session, unit_id=root["id"], username=FIRST_ADMINISTRATOR, display_name="管理员", role="administrator",
            password=password, must_change=True,
        )  # fmt: skip
        write_secret(settings.secrets / "first-account", password)
    print_login("administrator", FIRST_ADMINISTRATOR, password)


async def ensure_root(session: Session, tenant: str, name: str) -> Row:
    """The highest unit of the tenant; made with `name` when there is none."""
    await session.run("installation", "ensure_root", {"tenant": tenant, "name": name, "pinyin": pinyin_of(name)})
    root = await session.one("installation", "root", {"tenant": tenant})
    assert root is not None
    return root


async def ensure_account(
    session: Session,
    *,
    unit_id: int,
    username: str,
    display_name: str,
    role: str,
    password: str,
    officer_id: int | None = None,
    must_change: bool,
) -> bool:
    """Make an account; False when there is one of that name, which stays as it is."""
    values = {
        "unit_id": unit_id,
        "username": username,
        "display_name": display_name,
        "role": role,
        "officer_id": officer_id,
        "password_hash": await hash_password(password),
        "must_change": must_change,
    }
    return await session.one("installation", "ensure_account", values) is not None


def write_secret(path: Path, secret: str) -> None:
    """Write a file that only its owner reads."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(secret)


def print_login(role: str, username: str, password: str) -> None:
    """Tell a fresh login to whoever ran the command: one JSON line on standard output."""
    line = {"role": role, "username": username, "password": password}
    print(json.dumps(line, ensure_ascii=False), flush=True)  # noqa: T201  the answer of a command
