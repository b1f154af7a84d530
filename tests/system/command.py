"""`xunlu …` as a person runs it: a process, its lines, a signal."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from tests.repository import ROOT

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


async def to_its_end(command: str, state: Path, port: int) -> tuple[int, str]:
    """Run a command that ends by itself; its status and what it said on standard error."""
    process = await xunlu(command, state, port)
    async with asyncio.timeout(READY_S):
        _, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, errors.decode()


async def listens(port: int) -> bool:
    """Whether somebody listens on a port of loopback."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
