"""The private services do what the platform relies on."""

import psycopg
import pytest

from tests.services import TestDatabase

pytestmark = pytest.mark.integration


async def test_the_database_has_timescaledb_and_the_schema(database: TestDatabase) -> None:
    async with await psycopg.AsyncConnection.connect(database.dsn()) as connection:
        row = await (await connection.execute("select count(*) from timescaledb_information.hypertables")).fetchone()
    assert row is not None
    assert row[0] >= 3


async def test_each_test_has_a_database_of_its_own(database: TestDatabase) -> None:
    async with await psycopg.AsyncConnection.connect(database.dsn()) as connection:
        await connection.execute("insert into unit (tenant, kind, name, path) values ('t', 'district', 'D', '/1/')")
        row = await (await connection.execute("select count(*) from unit")).fetchone()
    assert row == (1,)


@pytest.mark.parametrize("role", ["api", "ingest", "jobs"])
async def test_a_service_may_not_change_the_schema(database: TestDatabase, role: str) -> None:
    async with await psycopg.AsyncConnection.connect(database.dsn(role)) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute("create table mine (id int)")


async def test_a_wrong_password_is_refused(database: TestDatabase) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        await psycopg.AsyncConnection.connect(database.server.server.dsn("xunlu_api", "wrong", database.name))
