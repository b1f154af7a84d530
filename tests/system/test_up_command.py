"""`xunlu up`: the whole platform by one command, as contracts §1 words it."""

import asyncio
import os
import signal
from pathlib import Path

import httpx2
import pytest

from tests.services import free_block
from tests.system.command import READY_S, end, lines_until, listens, xunlu
from xunlu_deploy.settings import PORTS

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


async def test_up_brings_the_whole_platform_and_takes_it_down_again(tmp_path: Path) -> None:
    port = free_block()
    process = await xunlu("up", tmp_path, port)
    try:
        lines = await lines_until(process, "Claim:")
        console, login, mqtt, claim = lines
        assert console == f"Console: http://127.0.0.1:{port}"
        assert mqtt == f"MQTT: 127.0.0.1 {port + 2} {tmp_path}/tls/ca.pem"
        assert claim == f"Claim: claim {(tmp_path / 'secrets' / 'mqtt-claim').read_text('utf-8')}"
        role, username, password = login.removeprefix("Login: ").split(" ")
        assert role == "administrator"
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            answer = await client.post("/api/v1/auth/token", data={"username": username, "password": password})
            assert answer.status_code == 200
        for offset in (0, 1, 5, 6, 7, 10, 18):
            await answers(port + offset)
        await a_killed_worker_comes_back(tmp_path, port)
    finally:
        code, errors = await end(process)
    assert code == 0, errors
    assert "Traceback" not in errors
    assert not [offset for offset in range(PORTS) if await listens(port + offset)]


async def answers(port: int) -> None:
    """Wait until `/healthz` of a process says that everything is well."""
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client, asyncio.timeout(READY_S):
        while True:
            try:
                if (await client.get("/healthz")).status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            await asyncio.sleep(0.1)


async def a_killed_worker_comes_back(state: Path, port: int) -> None:
    pid = worker_pid(state)
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(READY_S):
        while True:
            if worker_pid(state) != pid:
                break
            await asyncio.sleep(0.1)
    await answers(port + 6)


def worker_pid(state: Path) -> int:
    """The running ingest-1 of this state folder: the newest process with that environment and command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if b"ingest-1" in words and str(state).encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return max(found, default=0)
