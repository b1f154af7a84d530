"""Forward-only migrations: numbered SQL files, each in one transaction of its own."""

import logging
from dataclasses import dataclass
from importlib.resources import files

import psycopg

from xunlu_platform.errors import StoreError

log = logging.getLogger(__name__)

# Two processes that start together must not migrate together; any constant will do.
LOCK = 8_246_301


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of `sql/migrations`: `0001_initial.sql`."""

    number: int
    name: str
    sql: str


def migrations() -> list[Migration]:
    """All migrations of this version, in order."""
    folder = files("xunlu_platform.store") / "sql" / "migrations"
    found = [
        Migration(int(file.name[:4]), file.name.removesuffix(".sql"), file.read_text("utf-8"))
        for file in folder.iterdir()
        if file.name.endswith(".sql")
    ]
    return sorted(found, key=lambda migration: migration.number)


async def migrate(dsn: str) -> list[str]:
    """Bring a database to this version.

    Args:
        dsn: connection string of the owner role.

    Returns:
        The names of the migrations that were applied now.

    Raises:
        StoreError: the database is newer than this program, or a migration failed; nothing of it remains.
    """
    try:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
            await connection.execute("select pg_advisory_lock(%s)", [LOCK])
            return await _migrate(connection)
    except psycopg.Error as error:
        raise StoreError(f"The database could not be migrated: {error}") from error


async def _migrate(connection: psycopg.AsyncConnection) -> list[str]:
    await connection.execute(
        "create table if not exists migration "
        "(number integer primary key, name text not null, applied_at timestamptz not null default now())"
    )
    rows = await (await connection.execute("select number from migration")).fetchall()
    there = {int(row[0]) for row in rows}
    known = migrations()
    if newer := there - {migration.number for migration in known}:
        raise StoreError(
            f"The database is newer than this program (migration {max(newer)}). Install the newer version."
        )
    applied = []
    for migration in known:
        if migration.number not in there:
            await _apply(connection, migration)
            applied.append(migration.name)
    return applied


async def _apply(connection: psycopg.AsyncConnection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(migration.sql.encode())
        await connection.execute(
            "insert into migration (number, name) values (%s, %s)", [migration.number, migration.name]
        )
    log.info("migration applied", extra={"migration": migration.name})


async def schema_number(connection: psycopg.AsyncConnection) -> int:
    """Number of the newest applied migration, 0 when there is none."""
    row = await (await connection.execute("select coalesce(max(number), 0) from migration")).fetchone()
    return int(row[0]) if row else 0
