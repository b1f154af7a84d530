"""Strangers: the programs of our documents, run as they stand there, against a real API process and a real worker."""

import asyncio
import contextlib
import json
import os
import re
import secrets
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from tests.integration.api_client import PASSWORD, PASSWORD_HASH
from tests.integration.ingest_rig import Rig, eventually, fix, rig
from tests.processes import Api, running_api
from tests.repository import ROOT
from tests.services import TestBroker, TestDatabase
from xunlu_platform.auth.logins import hash_token

pytestmark = pytest.mark.integration

README_LINES_MAX = 15
SHELL_TIMEOUT_S = 30
DEVICES = "/api/v1/devices"


def blocks(document: str, language: str) -> dict[str, str]:
    """Code blocks of a document by their names; a block without a name is called by nothing."""
    text = (ROOT / document).read_text("utf-8")
    found = re.findall(rf"^```{language} ?([\w-]*)\n(.+?)^```", text, re.DOTALL | re.MULTILINE)
    assert len(found) == len(dict(found)), "two blocks of one name"
    return dict(found)


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

    async def items(self, noun: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.client.get(f"/api/v1/{noun}")).json()["items"]
        return found

    async def position(self, did: str) -> Any:
        [device] = (await self.client.get(DEVICES, params={"q": did})).json()["items"]
        return device["position"]

    async def telemetry(self, did: str) -> Any:
        device = await self.device(did)
        return device and device["telemetry"]


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
        " values (%s, 'admin', 'x', 'administrator', %s, false) returning id",
        unit["id"],
        PASSWORD_HASH,
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
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, stdout=asyncio.subprocess.PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_the_device_of_the_readme_claims_waits_for_approval_and_is_seen(
    bureau: Bureau, broker: TestBroker, tmp_path: Path
) -> None:
    example = blocks("README.md", "python")[""]
    script = tmp_path / "device.py"
    script.write_text(example, "utf-8")
    serial = f"SELF-{secrets.token_hex(4)}"
    claim = broker.account("claim").password
    arguments = (broker.host, str(broker.tls_port), str(broker.ca_file), claim, serial)
    async with program(sys.executable, script, *arguments, folder=tmp_path) as first_run:
        assert await asyncio.wait_for(first_run.wait(), SHELL_TIMEOUT_S) == 0
    async with program(sys.executable, script, *arguments, folder=tmp_path):
        device = await eventually(lambda: bureau.device(serial))
        assert (device["status"], device["position"]) == ("pending", None)
        approved = await bureau.client.post(f"{DEVICES}/{serial}/approve")
        assert approved.status_code == 200
        position = await eventually(lambda: bureau.position(serial))
    assert (position["lat"], position["lon"]) == (31.2304, 121.4737)
    assert -1 <= position["age_s"] < 30


def test_the_example_is_short_and_the_same_in_both_languages() -> None:
    example = blocks("README.md", "python")[""]
    assert blocks("README.zh-CN.md", "python") == {"": example}
    assert len(example.splitlines()) <= README_LINES_MAX


@dataclass
class Shell:
    """A person who pastes the examples of docs/interop.md into a shell, with the variables set as the page says."""

    variables: dict[str, str]
    commands: dict[str, str]
    pasted: set[str] = field(default_factory=set)

    async def paste(self, name: str) -> str:
        """Run an example; returns what it printed."""
        self.pasted.add(name)
        process = await asyncio.create_subprocess_exec(
            "sh", "-eu", "-c", self.commands[name], env=self.variables,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, errors = await asyncio.wait_for(process.communicate(), SHELL_TIMEOUT_S)
        assert process.returncode == 0, f"{name}: {errors.decode()}"
        return output.decode()

    def use(self, credentials: dict[str, Any]) -> str:
        """Take over what was told this one time."""
        self.variables |= {"DEVICE": credentials["username"], "PASSWORD": credentials["password"]}
        return str(credentials["username"])


@pytest.fixture
def shell(bureau: Bureau, broker: TestBroker) -> Shell:
    if shutil.which("curl") is None:
        pytest.skip("the examples use curl, which is not installed")
    variables = {
        "PATH": f"{broker.server.runtime.mosquitto_bin}:{os.environ['PATH']}",
        "HOST": broker.host, "PORT": str(broker.tls_port), "CA": str(broker.ca_file),
        "CLAIM": broker.account("claim").password,
        "API": bureau.api.url, "USERNAME": "admin", "SECRET": PASSWORD,
    }  # fmt: skip
    return Shell(variables, blocks("docs/interop.md", "sh"))


async def test_every_example_of_the_page_works_when_it_is_pasted(bureau: Bureau, shell: Shell) -> None:
    shell.variables["TOKEN"] = json.loads(await shell.paste("token"))["access_token"]
    await recorder_reports(bureau, shell)
    did = shell.use(json.loads(await shell.paste("register")))
    assert did == "phone-7"
    await shell.paste("owntracks")
    position = await eventually(lambda: bureau.position(did))
    assert (position["lat"], position["lon"], position["speed_mps"]) == (
        31.2311,
        121.4742,
        pytest.approx(3 / 3.6, abs=0.001),
    )
    assert shell.pasted == shell.commands.keys()
    letters = await bureau.client.get("/api/v1/dead-letters")
    assert letters.json()["items"] == []


async def recorder_reports(bureau: Bureau, shell: Shell) -> None:
    """All that the page says about a recorder, in its order."""
    did = shell.use(json.loads(await shell.paste("claim")))
    await shell.paste("approve")
    for report in ("location", "sos", "telemetry", "back-fill"):
        await shell.paste(report)
    position = await eventually(lambda: bureau.position(did))
    assert (position["lat"], position["speed_mps"]) == (31.2304, pytest.approx(4.7 / 3.6, abs=0.001))
    alarms = await eventually(lambda: bureau.items("alarms"))
    assert [(alarm["did"], alarm["kind"], alarm["state"]) for alarm in alarms] == [(did, "sos", "new")]
    await eventually(lambda: bureau.telemetry(did))
    gpx = await eventually(lambda: three_points(shell))
    assert "31.2301" in gpx
    command = json.loads(await shell.paste("command"))
    assert (command["did"], command["name"]) == (did, "locate_now")


async def three_points(shell: Shell) -> str | None:
    """The track once the back-filled stretch is part of it."""
    gpx = await shell.paste("track")
    return gpx if gpx.count("<trkpt") == 3 else None


async def test_a_program_of_the_page_watches_a_device_move(bureau: Bureau, tmp_path: Path) -> None:
    script = tmp_path / "watch.py"
    script.write_text(blocks("docs/interop.md", "python")["stream"], "utf-8")
    did = await bureau.rig.device()
    await bureau.client.post(f"{DEVICES}/{did}/enable")  # Whatever changes a device, the API hears of it.
    async with program(sys.executable, script, bureau.api.stream_url, bureau.token, folder=tmp_path) as watcher:
        assert watcher.stdout is not None
        shown = asyncio.create_task(watcher.stdout.readline(), name="watched")
        while not shown.done():
            await bureau.rig.publish(did, "loc", fix(None).encode())
            await asyncio.wait([shown], timeout=0.2)
        kind, name, _lat, _lon = (await shown).decode().split()
    assert kind in ("snapshot", "delta")
    assert name == did
