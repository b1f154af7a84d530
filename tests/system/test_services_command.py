"""`xunlu services`: database and broker by one command, stopped by one signal."""

import asyncio
from pathlib import Path

import psycopg
import pytest

from tests.services import free_block
from tests.system.command import READY_S, end, lines_until, listens, to_its_end, xunlu

pytestmark = pytest.mark.system


async def test_services_start_stop_and_start_again_on_what_they_kept(tmp_path: Path) -> None:
    port = free_block()
    for count in (0, 1):
        process = await xunlu("services", tmp_path, port)
        try:
            lines = await lines_until(process, "Claim:")
            assert lines[0] == f"MQTT: 127.0.0.1 {port + 2} {tmp_path}/tls/ca.pem"
            password = (tmp_path / "secrets" / "db-owner").read_text("utf-8")
            dsn = f"host=127.0.0.1 port={port + 4} user=xunlu_owner dbname=xunlu password={password}"
            async with await psycopg.AsyncConnection.connect(dsn) as connection:
                row = await (
                    await connection.execute("select count(*) from pg_tables where tablename = 'kept'")
                ).fetchone()
                assert row == (count,)
                await connection.execute("create table if not exists kept ()")
        finally:
            code, errors = await end(process)
        assert code == 0, errors
        assert "Traceback" not in errors
        assert not await listens(port + 4)


async def test_a_killed_supervisor_leaves_no_service_behind(tmp_path: Path) -> None:
    port = free_block()
    process = await xunlu("services", tmp_path, port)
    await lines_until(process, "Claim:")
    process.kill()
    await process.wait()
    async with asyncio.timeout(READY_S):
        while True:
            if not (await listens(port + 4) or await listens(port + 3)):
                break
            await asyncio.sleep(0.05)


async def test_a_port_in_use_is_named_with_the_way_out(tmp_path: Path) -> None:
    port = free_block()
    taken = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port + 3)
    async with taken:
        code, errors = await to_its_end("services", tmp_path, port)
    assert code == 1
    assert f"Port {port + 3} (MQTT, loopback) is in use" in errors
    assert "PORT=" in errors


async def test_a_second_supervisor_keeps_its_hands_off(tmp_path: Path) -> None:
    port = free_block()
    first = await xunlu("services", tmp_path, port)
    try:
        await lines_until(first, "Claim:")
        code, errors = await to_its_end("services", tmp_path, free_block())
        assert code == 1
        assert "already runs" in errors
    finally:
        await end(first)
