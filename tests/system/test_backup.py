"""A backup that nobody has restored is none."""

from pathlib import Path

import psycopg
import pytest

from tests.services import free_ports, running_services
from xunlu_deploy.backup import back_up, restore
from xunlu_deploy.child import Child
from xunlu_deploy.database import Database
from xunlu_deploy.errors import DeployError
from xunlu_deploy.state import State

pytestmark = pytest.mark.system


async def test_what_was_backed_up_is_there_after_a_restore(tmp_path: Path) -> None:
    target = tmp_path / "backups"
    async with running_services(tmp_path / "first", durable=False) as services:
        await services.database.server.provision("xunlu")
        dsn = services.test_database("xunlu").dsn()
        async with await psycopg.AsyncConnection.connect(dsn) as connection:
            await connection.execute("create table kept as select generate_series(1, 1000) as number")
        runtime = services.database.runtime
        backup = back_up(runtime, services.state, target, port=services.database.port, keep=1)

    state = State(tmp_path / "second")
    restore(backup, state)
    database = Database(runtime=runtime, state=state, port=free_ports(1)[0])
    database.prepare()
    child = Child(database.process(), state.logs)
    await child.start()
    try:
        dsn = database.server.dsn("xunlu_owner", state.secret("db-owner"), "xunlu")
        async with await psycopg.AsyncConnection.connect(dsn) as connection:
            row = await (await connection.execute("select sum(number) from kept")).fetchone()
        assert row == (500_500,)
        assert (state.broker / "dynamic-security.json").exists()
        assert (state.tls / "ca.pem").exists()
    finally:
        await child.stop()
    with pytest.raises(DeployError, match="never overwrites"):
        restore(backup, state)


async def test_only_the_newest_backups_stay(tmp_path: Path) -> None:
    old = [tmp_path / "backups" / f"xunlu-2026010{day}T000000Z" for day in (1, 2, 3)]
    for folder in old:
        folder.mkdir(parents=True)
    async with running_services(tmp_path / "state", durable=False) as services:
        newest = back_up(
            services.database.runtime, services.state, tmp_path / "backups", port=services.database.port, keep=2
        )
    assert set((tmp_path / "backups").iterdir()) == {old[2], newest}


def test_half_a_backup_is_refused(tmp_path: Path) -> None:
    (tmp_path / "xunlu-20260101T000000Z.partial" / "database").mkdir(parents=True)
    with pytest.raises(DeployError, match="not a whole backup"):
        restore(tmp_path / "xunlu-20260101T000000Z.partial", State(tmp_path / "state"))
