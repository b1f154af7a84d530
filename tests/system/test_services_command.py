"""`xunlu services`: database and broker by one command, stopped by one signal."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import psycopg
import pytest

from tests.repository import ROOT
from tests.services import free_block

pytestmark = pytest.mark.system

READY_S = 40.0


async def xunlu(command: str, state: Path, port: int) -> asyncio.subprocess.Process:
    environment = {
        **os.environ,
        "XUNLU_STATE": str(state),
        "XUNLU_RUNTIME": os.environ.get("XUNLU_RUNTIME", str(ROOT / ".xunlu" / "runtime")),
        "PORT": str(port),
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "xunlu_deploy", command,
        env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def lines_until(process: asyncio.subprocess.Process, beginning: str) -> list[str]:
    assert process.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(READY_S):
        while not (lines and lines[-1].startswith(beginning)):
            line = (await process.stdout.readline()).decode()
            if not line:
                assert process.stderr is not None
                raise AssertionError((await process.stderr.read()).decode())
            lines.append(line.strip())
    return lines


async def end(process: asyncio.subprocess.Process) -> tuple[int, str]:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(READY_S):
        _, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, errors.decode()


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


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def test_a_port_in_use_is_named_with_the_way_out(tmp_path: Path) -> None:
    port = free_block()
    taken = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port + 3)
    async with taken:
        code, errors = await end(await xunlu_to_its_end(tmp_path, port))
    assert code == 1
    assert f"Port {port + 3} (MQTT, loopback) is in use" in errors
    assert "PORT=" in errors


async def test_a_second_supervisor_keeps_its_hands_off(tmp_path: Path) -> None:
    port = free_block()
    first = await xunlu("services", tmp_path, port)
    try:
        await lines_until(first, "Claim:")
        code, errors = await end(await xunlu_to_its_end(tmp_path, free_block()))
        assert code == 1
        assert "already runs" in errors
    finally:
        await end(first)


async def xunlu_to_its_end(state: Path, port: int) -> asyncio.subprocess.Process:
    process = await xunlu("services", state, port)
    async with asyncio.timeout(READY_S):
        await process.wait()
    return process
