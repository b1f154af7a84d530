"""Kill anything, at any time, and count: every fix and event that a device ever held is stored once.

The whole chain runs for real: agents with outboxes on disk, broker over TLS, two workers, a database that survives a
kill. Round after round one of them gets SIGKILL and is started again while the others go on.
"""

import asyncio
import contextlib
import json
import logging
import random
import secrets
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psycopg

from tests.processes import platform_environment
from tests.services import Services, TestDatabase, free_ports, running_services
from xunlu_deploy.child import Child
from xunlu_deploy.errors import DeployError
from xunlu_deploy.health import http_ready
from xunlu_deploy.process import Process
from xunlu_edge.identity import Identity, store_identity
from xunlu_kit.mqtt import Session, SessionOptions, Subscription
from xunlu_platform.auth.broker_accounts import BrokerAccounts
from xunlu_platform.auth.dynamic_security import RESPONSE_TOPIC
from xunlu_platform.store.migrations import migrate
from xunlu_protocol.shadow import RecorderConfig, Shadow
from xunlu_protocol.topics import down

log = logging.getLogger(__name__)

TENANT = "main"
WORKERS = ("ingest-1", "ingest-2")
Victim = Literal["agents", "broker", "database", "ingest-1", "ingest-2"]
VICTIMS: tuple[Victim, ...] = ("agents", "broker", "database", "ingest-1", "ingest-2")
DRAIN_S = 120.0
CONFIRM_S = 2.0
STARTS_MAX = 20

Key = tuple[str, int, int]


@dataclass(slots=True)
class Verdict:
    """What the comparison found; every list is empty when nothing is wrong.

    Attributes:
        held: fixes and events that the devices ever held.
        lost: held by a device, not stored.
        doubled: stored more than once.
        strange: stored, but no device ever held it.
        changed: stored with another place or time than the device held.
    """

    held: int = 0
    lost: list[Key] = field(default_factory=list)
    doubled: list[Key] = field(default_factory=list)
    strange: list[Key] = field(default_factory=list)
    changed: list[Key] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.strange or self.changed)


class Endurance:
    """The chain, its children, and what to do to them."""

    def __init__(self, services: Services, database: TestDatabase, folder: Path, *, period_s: float) -> None:
        self.database = database
        self.kills: Counter[str] = Counter()
        self._services = services
        self._folder = folder
        self._period_s = period_s
        self._children: dict[str, Child] = {}

    @property
    def agents(self) -> Path:
        return self._folder / "agents"

    @property
    def _ready(self) -> Path:
        return self._folder / "agents-ready"

    async def prepare(self, recorders: int) -> None:
        """Register devices in the database and at the broker; give them their identities."""
        dids = [f"END{number:04d}" for number in range(1, recorders + 1)]
        async with await psycopg.AsyncConnection.connect(self.database.dsn(), autocommit=True) as connection:
            await connection.execute(
                "insert into unit (tenant, kind, name, path) values (%s, 'district', 'endurance', '/1/')", [TENANT]
            )
            await connection.execute(
                "insert into device (did, tenant, unit_id, kind, serial, vendor, model, status) "
                "select did, %s, (select min(id) from unit), 'recorder', did, 'test', 'test', 'approved' "
                "from unnest(%s::text[]) did",
                [TENANT, dids],
            )
        options = SessionOptions(client_id="endurance", subscriptions=[Subscription(topic=RESPONSE_TOPIC)])
        async with Session(self._services.test_broker.account("xunlu-api"), options) as session:
            await session.wait_connected()
            accounts = BrokerAccounts(session, TENANT)
            async with asyncio.TaskGroup() as tasks:
                answers = tasks.create_task(_deliver(session, accounts))
                for did in dids:
                    await self._introduce(session, accounts, did)
                answers.cancel()

    async def _introduce(self, session: Session, accounts: BrokerAccounts, did: str) -> None:
        password = secrets.token_urlsafe(16)
        await accounts.put(did, password, "approved", "recorder")
        store_identity(self.agents / did, Identity(did=did, tenant=TENANT, username=did, password=password))
        busy = RecorderConfig(still_s=self._period_s, moving_s=self._period_s)
        await session.publish(down(TENANT, did, "shadow"), Shadow(version=1, config=busy).encode(), retain=True)

    async def start(self) -> None:
        """Start the workers and the agents."""
        for process in (*map(self._worker, WORKERS), self._agents()):
            child = self._children[process.name] = Child(process, self._folder / "log")
            await child.start()

    async def stop(self) -> None:
        """Stop what `start` started."""
        for child in reversed(self._children.values()):
            await child.stop()

    def _worker(self, name: str) -> Process:
        [port] = free_ports(1)
        broker = self._services.test_broker
        environment = platform_environment(self.database, broker, health_port=port, confirm_interval_s=0.5)
        argv = [sys.executable, "-m", "xunlu_platform", "ingest", "--name", name]
        return Process(name=name, argv=argv, environment=environment, ready=http_ready("127.0.0.1", port))

    def _agents(self) -> Process:
        broker = self._services.test_broker
        argv = [
            sys.executable,
            "-m",
            "tests.system.agents",
            "--folder",
            str(self.agents),
            "--port",
            str(broker.tls_port),
        ]
        argv += ["--ca", str(broker.ca_file), "--period-s", str(self._period_s)]
        argv += ["--ready", str(self._ready)]

        async def ready() -> bool:
            return self._ready.exists()

        return Process(name="agents", argv=argv, ready=ready)

    # -- rounds -------------------------------------------------------------------------------------------------------

    async def round(self, rng: random.Random) -> None:
        """Let it run, kill one, let the others feel it, start it again."""
        await asyncio.sleep(rng.uniform(0.3, 1.5))
        victim = rng.choice(VICTIMS)
        log.info("kill", extra={"victim": victim})
        self.kills[victim] += 1
        await self._child(victim).kill()
        if victim == "agents":
            self._ready.unlink()
        await asyncio.sleep(rng.uniform(0.0, 0.8))
        await self._start_again(victim)

    def _child(self, name: str) -> Child:
        return self._services.children[name] if name in self._services.children else self._children[name]

    async def _start_again(self, name: str) -> None:
        for attempt in range(STARTS_MAX):
            child = Child(self._child(name).process, self._folder / "log")
            # A worker is ready only when the broker and the database are: it is launched, and finds them by itself.
            try:
                await (child.launch() if name in WORKERS else child.start())
            except DeployError:
                # A killed database's last children still hold its memory for a moment.
                if attempt + 1 == STARTS_MAX:
                    raise
                await asyncio.sleep(0.3)
                continue
            (self._services.children if name in self._services.children else self._children)[name] = child
            return

    async def drain(self) -> None:
        """Silence the receivers, wait until everything is stored and confirmed, and say goodbye.

        An agent makes what it was told to forget durable with its next entry, or when it ends.
        """
        agents = self._children["agents"]
        agents.send(signal.SIGUSR1)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                while lost := (await self.compare()).lost:
                    log.info("draining", extra={"waiting": len(lost)})
                    await asyncio.sleep(0.5)
                await asyncio.sleep(CONFIRM_S)
        await agents.stop()

    @property
    def unconfirmed(self) -> int:
        """Entries that the agents still keep."""
        return sum(_count(folder) for folder in self.agents.iterdir())

    # -- verdict ------------------------------------------------------------------------------------------------------

    async def compare(self) -> Verdict:
        """Row by row: what the devices ever held against what the database has."""
        held = {key: content for folder in self.agents.iterdir() for key, content in _held(folder)}
        stored: dict[Key, list[tuple[float | None, float | None, int]]] = {}
        async with await psycopg.AsyncConnection.connect(self.database.dsn()) as connection:
            cursor = await connection.execute(
                "select did, sid, seq, lat, lon, (extract(epoch from at) * 1000)::bigint from ("
                " select device_id, sid, seq, lat, lon, fix_at as at from position"
                " union all select device_id, sid, seq, lat, lon, at from event) x join device d on d.id = x.device_id"
            )
            async for did, sid, seq, lat, lon, at_ms in cursor:
                stored.setdefault((did, sid, seq), []).append((lat, lon, at_ms))
        return Verdict(
            held=len(held),
            lost=sorted(held.keys() - stored.keys()),
            doubled=sorted(key for key, rows in stored.items() if len(rows) > 1),
            strange=sorted(stored.keys() - held.keys()),
            changed=sorted(key for key, content in held.items() if key in stored and stored[key][0] != content),
        )


@contextlib.asynccontextmanager
async def endurance(folder: Path, *, recorders: int, period_s: float) -> AsyncIterator[Endurance]:
    """The chain, running."""
    async with running_services(folder / "services", durable=True) as services:
        await services.database.server.provision("endurance")
        database = services.test_database("endurance")
        await migrate(database.dsn())
        chain = Endurance(services, database, folder, period_s=period_s)
        await chain.prepare(recorders)
        try:
            await chain.start()
            yield chain
        finally:
            await chain.stop()


async def run_rounds(chain: Endurance, *, rounds: int, seed: int) -> Verdict:
    """Kill `rounds` times, then let everything settle and compare."""
    rng = random.Random(seed)
    for _ in range(rounds):
        await chain.round(rng)
    await asyncio.sleep(1)
    await chain.drain()
    return await chain.compare()


async def _deliver(session: Session, accounts: BrokerAccounts) -> None:
    async for message in session.messages():
        accounts.handle(message)
        session.acknowledge(message)


def _count(folder: Path) -> int:
    with closing(sqlite3.connect(f"file:{folder / 'agent.db'}?mode=ro", uri=True)) as database:
        return int(database.execute("select count(*) from entry").fetchone()[0])


def _held(folder: Path) -> list[tuple[Key, tuple[float | None, float | None, int]]]:
    with closing(sqlite3.connect(f"file:{folder / 'agent.db'}?mode=ro", uri=True)) as database:
        rows = database.execute("select sid, seq, payload from kept").fetchall()
    return [((folder.name, sid, seq), _content(json.loads(payload))) for sid, seq, payload in rows]


def _content(message: dict[str, Any]) -> tuple[float | None, float | None, int]:
    return message.get("lat"), message.get("lon"), message.get("tms", message["tst"] * 1000)
