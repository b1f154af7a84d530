"""A worker of the real ingest in the test's own loop, with the real broker and database around it."""

import asyncio
import contextlib
import itertools
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.services import TestBroker, TestDatabase
from xunlu_kit.mqtt import Session, SessionOptions, Subscription
from xunlu_platform.config import PlatformSettings
from xunlu_platform.ingest import run
from xunlu_protocol.location import Location
from xunlu_protocol.status import ServerState
from xunlu_protocol.topics import server_state, up

TENANT = "main"
_numbers = itertools.count(1)


def now_s() -> int:
    return int(time.time())


def fix(seq: int | None, *, sid: int = 1, age_s: int = 0, **fields: Any) -> Location:
    """A plausible fix of now, with anything else that a test wants."""
    values: dict[str, Any] = {"lat": 31.23, "lon": 121.47, "tst": now_s() - age_s, "sid": sid, "seq": seq, **fields}
    return Location(kind="location", **values)


async def eventually(condition: Callable[[], Awaitable[Any]], *, timeout_s: float = 30) -> Any:
    """Wait until an awaited condition is true; returns what it gave."""
    async with asyncio.timeout(timeout_s):
        while not (value := await condition()):  # noqa: ASYNC110  the database has no event to wait for
            await asyncio.sleep(0.05)
        return value


@dataclass
class Rig:
    """What a test of ingest holds in its hands.

    Attributes:
        session: an MQTT session that may write for every device, as the broker's rules for servers allow.
        connection: the database as its owner.
        settings: of the worker.
    """

    session: Session
    connection: psycopg.AsyncConnection[dict[str, Any]]
    settings: PlatformSettings
    worker: str

    async def device(self, *, status: str = "approved", kind: str = "recorder", tenant: str = TENANT) -> str:
        """Register a device of its own; returns its name."""
        did = f"dev-{next(_numbers)}-{time.time_ns()}"
        await self.connection.execute(
            "insert into unit (tenant, kind, name, path) select %s, 'district', %s, %s "
            "where not exists (select from unit where tenant = %s and parent_id is null)",
            [tenant, tenant, f"/{tenant}/", tenant],
        )
        await self.connection.execute(
            "insert into device (did, tenant, unit_id, kind, serial, vendor, model, status) "
            "select %s, %s, id, %s, %s, 'test', 'test', %s from unit where tenant = %s and parent_id is null",
            [did, tenant, kind, did, status, tenant],
        )
        return did

    async def publish(self, did: str, channel: Any, payload: bytes, tail: str = "", **topic: Any) -> None:
        await self.session.publish(up(topic.pop("tenant", TENANT), did, channel, tail, **topic), payload)

    async def rows(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        return await (await self.connection.execute(sql.encode(), parameters)).fetchall()

    async def positions(self, did: str) -> list[dict[str, Any]]:
        return await self.rows(
            "select p.* from position p join device d on d.id = p.device_id where did = %s order by sid, seq", did
        )

    async def letters(self, did: str) -> list[dict[str, Any]]:
        return await self.rows("select * from dead_letter where topic like '%%' || %s || '%%' order by id", did)

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[asyncio.Task[None]]:
        """Run the worker; it says that it is there when its subscriptions stand."""
        since_ms = time.time_ns() // 1_000_000
        task = asyncio.create_task(run(self.settings, self.worker), name="worker")
        try:
            await self._present(since_ms)
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _present(self, since_ms: int) -> None:
        states = Subscription(topic=server_state(f"{self.worker}@{socket.gethostname()}"), qos=0)
        options = SessionOptions(client_id=f"watch-{next(_numbers)}", subscriptions=[states])
        async with Session(self.session.broker, options) as session, asyncio.timeout(15):
            async for message in session.messages():
                state = ServerState.decode(message.payload)
                if state.online and state.timestamp >= since_ms:
                    return


@contextlib.asynccontextmanager
async def rig(database: TestDatabase, broker: TestBroker, **settings: Any) -> AsyncIterator[Rig]:
    """Everything but the running worker."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "secrets": database.secrets,
        "database_host": database.host,
        "database_port": database.port,
        "database_name": database.name,
        "broker_port": broker.port,
        "confirm_interval_s": 0.1,
        "frame_interval_s": 0.05,
        **settings,
    }
    options = SessionOptions(client_id=f"rig-{number}")
    async with (
        Session(broker.account("xunlu-api"), options) as session,
        await psycopg.AsyncConnection.connect(database.dsn(), autocommit=True, row_factory=dict_row) as connection,
    ):
        await session.wait_connected()
        # One name for all: the next test's worker takes over the broker's session instead of leaving one behind.
        yield Rig(session, connection, PlatformSettings(**values), "ingest-test")
