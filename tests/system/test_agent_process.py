"""The agent as a recorder runs it: a process, a receiver on TCP, kill -9."""

import asyncio
import itertools
import json
import os
import re
import secrets
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.services import TestBroker
from tests.unit.xunlu_edge.rig import START_MS, epoch_bytes
from xunlu_edge.database import FILE_NAME
from xunlu_edge.identity import Identity, store_identity

pytestmark = [pytest.mark.system, pytest.mark.integration]

WAIT_S = 20.0
RSS_KB_MAX = 60_000
KILLS = 3


class Receiver:
    """A receiver on TCP that speaks much faster than life; place and time go on over all connections."""

    def __init__(self) -> None:
        self.port = 0
        self._seconds = itertools.count(0, 20)

    async def _speak(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                second = next(self._seconds)
                writer.write(epoch_bytes(START_MS + second * 1000, 31.0 + second * 0.00002))
                await writer.drain()
                await asyncio.sleep(0.005)
        except OSError:
            writer.close()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Receiver"]:
        server = await asyncio.start_server(self._speak, "127.0.0.1", 0)
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            yield self


class Process:
    """An agent of its own."""

    def __init__(self, state: Path, receiver: Receiver, broker: TestBroker) -> None:
        self.state = state
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("XUNLU_AGENT_")},
            "XUNLU_AGENT_STATE": str(state),
            "XUNLU_AGENT_GNSS": f"tcp://127.0.0.1:{receiver.port}",
            "XUNLU_AGENT_BROKER_HOST": broker.host,
            "XUNLU_AGENT_BROKER_PORT": str(broker.tls_port),
            "XUNLU_AGENT_BROKER_CA_FILE": str(broker.ca_file),
            "XUNLU_AGENT_SERIAL": "S-1",
            "XUNLU_AGENT_HEALTH_PORT": "0",
            "XUNLU_AGENT_LOG_FORMAT": "json",
        }

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.subprocess.Process]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "xunlu_edge", env=self._environment, stdout=asyncio.subprocess.PIPE
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    def count(self) -> int:
        """Entries on disk."""
        return sum(map(len, self.stored().values())) if (self.state / FILE_NAME).exists() else 0

    def stored(self) -> dict[int, set[int]]:
        """Session → sequences on disk, as another process sees them."""
        database = sqlite3.connect(f"file:{self.state / FILE_NAME}?mode=ro", uri=True)
        try:
            rows = database.execute("select sid, seq from entry").fetchall()
        finally:
            database.close()
        sessions: dict[int, set[int]] = {}
        for sid, seq in rows:
            sessions.setdefault(sid, set()).add(seq)
        return sessions


def resident_kb(pid: int) -> int:
    """Resident set of a process, kB (proc(5))."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text("ascii"))
    assert found is not None
    return int(found[1])


async def until_log(process: asyncio.subprocess.Process, message: str) -> dict[str, object]:
    assert process.stdout is not None
    async with asyncio.timeout(WAIT_S):
        while line := await process.stdout.readline():
            record = json.loads(line)
            if record["message"] == message:
                return dict(record)
    raise AssertionError(f"the agent ended without saying {message!r}")


@pytest.fixture
async def agent(broker: TestBroker, tmp_path: Path) -> AsyncIterator[Process]:
    # An identity that the broker does not know: the signal is lost for good, and the outbox has everything.
    store_identity(
        tmp_path, Identity(did=f"rec-{secrets.token_hex(4)}", tenant="main", username="nobody", password="x")
    )
    async with Receiver().serving() as receiver:
        yield Process(tmp_path, receiver, broker)


async def grown(agent: Process, entries: int) -> None:
    async with asyncio.timeout(WAIT_S):
        while agent.count() < entries:  # noqa: ASYNC110  another process tells nobody
            await asyncio.sleep(0.02)


async def test_a_killed_agent_leaves_no_hole_and_repeats_no_identity(agent: Process) -> None:
    for kill in range(1, KILLS + 1):
        async with agent.running() as process:
            await until_log(process, "receiver opened")
            await grown(agent, kill * 30)
            process.send_signal(signal.SIGKILL)
            await process.wait()
    sessions = agent.stored()
    assert len(sessions) == KILLS
    for sequences in sessions.values():
        assert sequences == set(range(1, max(sequences) + 1))


async def test_an_agent_is_small_and_stops_cleanly(agent: Process) -> None:
    async with agent.running() as process:
        await until_log(process, "receiver opened")
        await grown(agent, 100)
        assert resident_kb(process.pid) < RSS_KB_MAX
        process.send_signal(signal.SIGTERM)
        await until_log(process, "agent stopped")
        assert await process.wait() == 0


async def test_an_agent_without_identity_and_claim_password_says_what_to_set(agent: Process) -> None:
    (agent.state / "identity.json").unlink()
    async with agent.running() as process:
        record = await until_log(process, "agent cannot run")
        assert "XUNLU_AGENT_CLAIM_PASSWORD_FILE" in str(record["error"])
        assert await process.wait() == 1


async def test_help_names_every_setting() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "xunlu_edge", "--help", stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    assert b"XUNLU_AGENT_BROKER_HOST" in output
