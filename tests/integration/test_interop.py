"""Strangers: the programs of our documents, run as they stand there, against a real API process and a real worker."""

import asyncio
import contextlib
import re
import secrets
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from tests.integration.ingest_rig import Rig, eventually, rig
from tests.processes import Api, running_api
from tests.repository import ROOT
from tests.services import TestBroker, TestDatabase
from xunlu_platform.auth.logins import hash_token

pytestmark = pytest.mark.integration

README_LINES_MAX = 18
DEVICES = "/api/v1/devices"


def blocks(document: str, language: str) -> list[str]:
    """Code blocks of a document, in order."""
    text = (ROOT / document).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.+?)^```", text, re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Bureau:
    """A running platform, and an administrator's client."""

    rig: Rig
    api: Api
    client: httpx2.AsyncClient
    token: str

    async def device(self, did: str) -> dict[str, Any] | None:
        answer = await self.client.get(f"{DEVICES}/{did}")
        return answer.json() if answer.status_code == 200 else None

    async def position(self, did: str) -> Any:
        [device] = (await self.client.get(DEVICES, params={"q": did})).json()["items"]
        return device["position"]


@pytest_asyncio.fixture
async def bureau(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Bureau]:
    async with rig(database, broker) as made, made.working():
        token = await administrator(made)
        async with (
            running_api(database, broker) as api,
            httpx2.AsyncClient(base_url=api.url, headers={"Authorization": f"Bearer {token}"}) as client,
        ):
            yield Bureau(made, api, client, token)


async def administrator(made: Rig) -> str:
    """A district, and a login of its administrator."""
    token = secrets.token_urlsafe(16)
    [unit] = await made.rows(
        "insert into unit (tenant, kind, name, path) values ('main', 'district', '示范区局', '') returning id"
    )
    [account] = await made.rows(
        "insert into account (unit_id, username, display_name, role, password_hash, must_change_password)"
        " values (%s, 'admin', 'x', 'administrator', 'x', false) returning id",
        unit["id"],
    )
    await made.connection.execute(
        "insert into login (token_hash, account_id, kind, csrf_token, expires_at)"
        " values (%s, %s, 'bearer', '', now() + interval '1 hour')",
        [hash_token(token), account["id"]],
    )
    return token


@contextlib.asynccontextmanager
async def program(*command: str | Path, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Somebody else's program; killed at the end."""
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, stderr=asyncio.subprocess.PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_the_device_of_the_readme_claims_waits_for_approval_and_is_seen(
    bureau: Bureau, broker: TestBroker, tmp_path: Path
) -> None:
    [example] = blocks("README.md", "python")
    script = tmp_path / "device.py"
    script.write_text(example, "utf-8")
    serial = f"SELF-{secrets.token_hex(4)}"
    claim = broker.account("claim").password
    arguments = (broker.host, str(broker.tls_port), str(broker.ca_file), claim, serial)
    async with program(sys.executable, script, *arguments, folder=tmp_path):
        device = await eventually(lambda: bureau.device(serial))
        assert (device["status"], device["position"]) == ("pending", None)
        approved = await bureau.client.post(f"{DEVICES}/{serial}/approve")
        assert approved.status_code == 200
        position = await eventually(lambda: bureau.position(serial))
    assert (position["lat"], position["lon"]) == (31.2304, 121.4737)
    assert -1 <= position["age_s"] < 30
    assert (tmp_path / f"{serial}.json").exists(), "a second start claims nothing"


def test_the_example_is_short_and_the_same_in_both_languages() -> None:
    [example] = blocks("README.md", "python")
    assert blocks("README.zh-CN.md", "python") == [example]
    assert len(example.splitlines()) <= README_LINES_MAX
