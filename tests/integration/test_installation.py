"""The commands that an installation runs before its first sign-in."""

import json
from pathlib import Path

import psycopg
import pytest

from tests.services import TestDatabase
from xunlu_platform.auth.roles import PERMISSIONS
from xunlu_platform.config import PlatformSettings
from xunlu_platform.demo_data import OFFICERS, SQUADS, WEEKS, ZONES, make_demo_data
from xunlu_platform.installation import make_first_account, migrate


@pytest.fixture
def settings(database: TestDatabase, tmp_path: Path) -> PlatformSettings:
    (tmp_path / "db-owner").write_text((database.secrets / "db-owner").read_text())
    return PlatformSettings(
        secrets=tmp_path, database_host=database.host, database_port=database.port, database_name=database.name
    )


async def count(database: TestDatabase) -> dict[str, int]:
    async with await psycopg.AsyncConnection.connect(database.dsn()) as connection:
        counts = {}
        for table in ("unit", "officer", "account", "expected_device", "shift", "zone"):
            row = await (await connection.execute(f"select count(*) from {table}".encode())).fetchone()
            assert row is not None
            counts[table] = int(row[0])
        return counts


async def test_the_first_administrator_is_made_once_and_must_change_the_password(
    settings: PlatformSettings, database: TestDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    await make_first_account(settings)
    await make_first_account(settings)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    login = json.loads(lines[0])
    secret = settings.secrets / "first-account"
    assert (login["username"], login["password"]) == ("admin", secret.read_text())
    assert secret.stat().st_mode & 0o777 == 0o600
    assert (await count(database))["account"] == 1


async def test_demo_data_fills_a_district_with_an_account_for_each_role_and_changes_nothing_again(
    settings: PlatformSettings, database: TestDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    await make_demo_data(settings)
    logins = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {login["role"] for login in logins} == set(PERMISSIONS)
    before = await count(database)
    teams = sum(len(teams) for teams in SQUADS.values())
    expected = {"unit": 1 + len(SQUADS) + teams, "officer": OFFICERS, "expected_device": OFFICERS}
    assert before == {**expected, "account": len(logins), "shift": OFFICERS * WEEKS * 5, "zone": len(ZONES)}
    await make_demo_data(settings)
    assert capsys.readouterr().out == ""
    assert await count(database) == before


async def test_migrating_a_current_database_does_nothing(settings: PlatformSettings) -> None:
    await migrate(settings)
