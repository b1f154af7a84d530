"""The platform's processes as operators run them, against a test's own database."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.services import TestBroker, TestDatabase, free_ports
from xunlu_platform.config import PlatformSettings

START_TIMEOUT_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Api:
    """A running API process."""

    port: int
    process: asyncio.subprocess.Process

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def stream_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/api/v1/events/stream"


def platform_environment(database: TestDatabase, broker: TestBroker, **settings: Any) -> dict[str, str]:
    """What a process of the platform finds in its environment."""
    values = {
        "secrets": database.secrets,
        "database_host": database.host,
        "database_port": database.port,
        "database_name": database.name,
        "broker_port": broker.port,
        **settings,
    }
    assert values.keys() <= PlatformSettings.model_fields.keys()
    return dict(os.environ) | {f"XUNLU_PLATFORM_{name.upper()}": str(value) for name, value in values.items()}


@contextlib.asynccontextmanager
async def running(
    *command: str, environment: dict[str, str], log: Path | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of ours; asked to stop at the end, and killed when it does not."""
    with (log or Path(os.devnull)).open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *command, env=environment, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 15)
            except TimeoutError:
                process.kill()
                await process.wait()


@contextlib.asynccontextmanager
async def running_api(database: TestDatabase, broker: TestBroker, **settings: Any) -> AsyncIterator[Api]:
    """`xunlu-platform api` on a free port, ready to answer."""
    [port] = free_ports(1)
    environment = platform_environment(database, broker, port=port, **settings)
    async with running("xunlu_platform", "api", environment=environment) as process:
        api = Api(port=port, process=process)
        await answers(f"{api.url}/readyz", process)
        yield api


async def answers(url: str, process: asyncio.subprocess.Process) -> None:
    """Wait until a page says that its process is ready."""
    async with asyncio.timeout(START_TIMEOUT_S), httpx2.AsyncClient() as client:
        while True:
            assert process.returncode is None, "the process ended before it answered"
            with contextlib.suppress(httpx2.TransportError):
                if (await client.get(url)).status_code == 200:
                    return
            await asyncio.sleep(0.05)
