"""The API as a process of its own: started by its command, reached over a socket, stopped by a signal."""

import asyncio
import os
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from tests.services import TestBroker, TestDatabase, free_ports
from xunlu_deploy.tls import ensure_certificate

pytestmark = pytest.mark.integration

START_TIMEOUT_S = 30


@asynccontextmanager
async def running_api(
    database: TestDatabase, broker: TestBroker, port: int, **extra: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    settings = {
        "PORT": port, "SECRETS": database.secrets, "DATABASE_HOST": database.host, "DATABASE_PORT": database.port,
        "DATABASE_NAME": database.name, "BROKER_HOST": broker.host, "BROKER_PORT": broker.port, **extra,
    }  # fmt: skip
    environment = {f"XUNLU_PLATFORM_{name}": str(value) for name, value in settings.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "xunlu_platform", "api", env={**os.environ, **environment}
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def wait_ready(client: httpx2.AsyncClient) -> httpx2.Response:
    async with asyncio.timeout(START_TIMEOUT_S):
        while True:
            try:
                answer = await client.get("/healthz")
            except httpx2.TransportError:
                await asyncio.sleep(0.05)
                continue
            if answer.status_code == 200:
                return answer


async def test_the_process_serves_the_console_and_ends_with_code_zero_on_sigterm(
    database: TestDatabase, broker: TestBroker
) -> None:
    [port] = free_ports(1)
    async with (
        running_api(database, broker, port) as process,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        health = (await wait_ready(client)).json()
        assert health["ok"]
        assert set(health["checks"]) >= {"database", "broker"}
        page = await client.get("/devices/R1")
        assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
        script = next(part for part in page.text.split('"') if part.endswith("app/main.js"))
        asset = await client.get(script)
        assert "immutable" in asset.headers["cache-control"]
        assert "xunlu" in (await client.get("/openapi.json")).text.lower()
        assert b"python_info" in (await client.get("/metrics")).content
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert await process.wait() == 0


async def test_with_a_certificate_the_process_speaks_https_and_tells_browsers_to_insist(
    database: TestDatabase, broker: TestBroker, tmp_path: Path
) -> None:
    [port] = free_ports(1)
    certificate = ensure_certificate(tmp_path)
    files = {"TLS_CERTIFICATE": str(certificate.certificate), "TLS_KEY": str(certificate.key)}
    trust = ssl.create_default_context(cafile=str(certificate.authority))
    async with (
        running_api(database, broker, port, **files),
        httpx2.AsyncClient(base_url=f"https://127.0.0.1:{port}", verify=trust) as client,
    ):
        answer = await wait_ready(client)
        assert "max-age" in answer.headers["strict-transport-security"]


async def test_a_missing_secret_ends_the_process_with_words(
    database: TestDatabase, broker: TestBroker, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with running_api(database, broker, 1, SECRETS=str(tmp_path)) as process, asyncio.timeout(START_TIMEOUT_S):
        assert await process.wait() == 1
    assert "cannot be read" in capfd.readouterr().err


async def test_a_taken_port_ends_the_process_with_words(
    database: TestDatabase, broker: TestBroker, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with running_api(database, broker, port) as process, asyncio.timeout(START_TIMEOUT_S):
            assert await process.wait() == 1
    assert f"127.0.0.1:{port} cannot be listened on" in capfd.readouterr().err
