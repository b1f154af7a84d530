"""The jobs process, a relay that says what the test wants, and what the broker was told."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.integration.ingest_rig import TENANT, Rig, eventually, rig
from tests.integration.live_rig import frame, path, viewing
from tests.services import TestBroker, TestDatabase
from xunlu_kit.mqtt import Session, SessionOptions, Subscription
from xunlu_platform.jobs import live, run
from xunlu_protocol.media import MediaEnd, MediaFrame
from xunlu_protocol.topics import media_ack, media_end, media_frame, media_order


class Desk:
    """A rig, and what the broker was told."""

    def __init__(self, made: Rig, session: Session) -> None:
        self.rig = made
        self.session = session
        self.heard: dict[str, list[bytes]] = {}

    async def listen(self) -> None:
        async for message in self.session.messages():
            self.heard.setdefault(message.topic, []).append(message.payload)
            self.session.acknowledge(message)

    async def said(self, topic: str, count: int = 1) -> list[bytes]:
        """Wait until something was said so often."""

        async def enough() -> list[bytes] | None:
            said = self.heard.get(topic, [])
            return said if len(said) >= count else None

        found: list[bytes] = await eventually(enough)
        return found

    async def last_said(self, topic: str, payload: bytes) -> None:
        async def same() -> bool:
            return self.heard.get(topic, [None])[-1] == payload

        await eventually(same)

    async def tell(self, told: MediaFrame) -> None:
        await self.session.publish(media_frame(TENANT, told.worker), told.encode())

    @contextlib.asynccontextmanager
    async def relaying(self, *dids: str) -> AsyncIterator[None]:
        """A relay says again and again that devices are live, and the jobs know."""

        async def tell() -> None:
            while True:
                await self.tell(frame("relay-1", paths=[path(did) for did in dids]))
                await asyncio.sleep(0.5)

        await self.tell(frame("relay-1", paths=[path(did) for did in dids]))
        await self._heard_by_jobs()
        telling = asyncio.create_task(tell())
        try:
            yield
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
            await self.tell(frame("relay-1"))

    async def viewing(self, name: str) -> dict[str, Any]:
        async def there() -> list[dict[str, Any]]:
            return await self.rig.rows("select * from viewing where id = %s and began_at is not null", name)

        [row] = await eventually(there)
        return dict(row)

    async def recorder(self) -> str:
        """An approved recorder with a live camera, connected."""
        did = await self.rig.device()
        await self.rig.connection.execute(
            "insert into device_state (device_id, availability, birth) select id, 'online', %s from device"
            " where did = %s",
            [json.dumps({"caps": ["live"]}), did],
        )
        return did

    async def raise_sos(self, did: str) -> int:
        [row] = await self.rig.rows(
            "insert into alarm (device_id, kind, severity, sid, seq, raised_at, received_at)"
            " select id, 'sos', 3, 1, (select count(*) from alarm), now(), now() from device where did = %s"
            " returning id",
            did,
        )
        return int(row["id"])

    async def look(self, did: str, name: str, *, begun: bool = True) -> None:
        """A dispatcher of the device's unit, named like the look, asks for its picture."""
        await self.execute(
            "insert into account (unit_id, username, display_name, role, password_hash, must_change_password)"
            " select unit_id, %s, 'x', 'dispatcher', 'x', false from device where did = %s",
            name, did,
        )  # fmt: skip
        await self.execute(
            "insert into viewing (id, device_id, account_id, username, began_at) select %s, d.id, a.id, username,"
            " case when %s then now() end from device d, account a where did = %s and username = %s",
            name, begun, did, name,
        )  # fmt: skip

    async def ended(self, viewings: set[str], paths: set[str]) -> None:
        """Wait until a worker was told to end just that."""

        async def told() -> bool:
            said = [MediaEnd.decode(one) for one in self.heard.get(media_end(TENANT, "relay-1"), [])]
            return any((set(one.viewings), set(one.paths)) == (viewings, paths) for one in said)

        await eventually(told)

    async def commands_of(self, did: str) -> list[dict[str, Any]]:
        return await self.rig.rows(
            "select c.* from command c join device d on d.id = c.device_id where d.did = %s", did
        )

    async def execute(self, sql: str, *parameters: Any) -> None:
        await self.rig.connection.execute(sql.encode(), parameters)

    @contextlib.asynccontextmanager
    async def jobs(self) -> AsyncIterator[None]:
        """The jobs process, hearing what is said."""
        task = asyncio.create_task(run(self.rig.settings))
        try:
            await self._heard_by_jobs()
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _heard_by_jobs(self) -> None:
        did = await self.rig.device()

        async def told() -> bool:
            await self.tell(frame(did, viewings=[viewing(did, did, ended=True)]))
            return media_ack(TENANT, did) in self.heard

        await eventually(told)


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs in a rhythm for tests."""
    for name in ("CLOSE_S", "ORDERS_S", "RENEW_S", "RIGHTS_S", "SOS_S"):
        monkeypatch.setattr(live, name, 0.2)


@contextlib.asynccontextmanager
async def running_desk(database: TestDatabase, broker: TestBroker, **settings: Any) -> AsyncIterator[Desk]:
    """A desk that listens; what it made the broker retain goes with it."""
    topics = (
        media_ack(TENANT, "+"),
        media_end(TENANT, "+"),
        media_order(TENANT, "+"),
        f"xunlu/v1/{TENANT}/d/+/dn/rpc/+",
    )
    options = SessionOptions(client_id="desk", subscriptions=[Subscription(topic=one) for one in topics])
    async with (
        rig(database, broker, **settings) as made,
        Session(broker.account("xunlu-streaming"), options) as session,
    ):
        await session.wait_connected()
        made_desk = Desk(made, session)
        listening = asyncio.create_task(made_desk.listen())
        yield made_desk
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        for topic, said in made_desk.heard.items():
            if "/order/" in topic and said[-1]:
                await session.publish(topic, b"", retain=True)
