"""Migrations go forward only, whole or not at all, and make exactly the schema that people read."""

import psycopg
import pytest

from tests.schema import SCHEMA, dump_schema
from tests.services import TestDatabase
from xunlu_platform.errors import StoreError
from xunlu_platform.store import migrations
from xunlu_platform.store.migrations import Migration, migrate

pytestmark = pytest.mark.integration


async def test_the_migrations_make_the_schema_that_is_written_down(database: TestDatabase) -> None:
    assert await dump_schema(database) == SCHEMA.read_text("utf-8"), "run `make docs`"


async def test_a_second_migration_changes_nothing(database: TestDatabase) -> None:
    before = await dump_schema(database)
    assert await migrate(database.dsn()) == []
    assert await dump_schema(database) == before


async def test_a_database_of_a_newer_version_is_left_alone(database: TestDatabase) -> None:
    async with await psycopg.AsyncConnection.connect(database.dsn(), autocommit=True) as connection:
        await connection.execute("insert into migration (number, name) values (9999, '9999_future')")
    with pytest.raises(StoreError, match="newer than this program"):
        await migrate(database.dsn())


async def test_a_migration_that_fails_leaves_nothing_behind(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await dump_schema(database)
    broken = Migration(9000, "9000_broken", "create table half (id bigint); select 1 / 0;")
    known = migrations.migrations()
    monkeypatch.setattr(migrations, "migrations", lambda: [*known, broken])
    with pytest.raises(StoreError, match="division by zero"):
        await migrate(database.dsn())
    assert await dump_schema(database) == before


async def test_only_the_owner_may_alter_history(database: TestDatabase) -> None:
    for role in ("api", "ingest", "jobs"):
        async with await psycopg.AsyncConnection.connect(database.dsn(role), autocommit=True) as connection:
            for statement in ("update audit set action = ''", "delete from audit", "update position set lat = 0"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    await connection.execute(statement.encode())
