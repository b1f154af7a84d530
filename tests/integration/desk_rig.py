"""Desks at a real API process, fed by a real worker."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.integration.ingest_rig import TENANT, Rig, rig
from tests.processes import Api, running_api
from tests.services import TestBroker, TestDatabase
from xunlu_platform.auth.logins import hash_token
from xunlu_protocol.fleet import FleetFrame, Notice
from xunlu_protocol.topics import fleet


@dataclass
class Desk:
    """A bureau with two squads, and an API process that serves it."""

    rig: Rig
    api: Api

    async def unit(self, name: str) -> int:
        [row] = await self.rig.rows(
            "insert into unit (tenant, parent_id, kind, name, path) select tenant, id, 'squad', %s, '' from unit "
            "where parent_id is null returning id",
            name,
        )
        return int(row["id"])

    async def device(self, unit: int | None = None) -> str:
        did = await self.rig.device()
        if unit is not None:
            await self.rig.connection.execute("update device set unit_id = %s where did = %s", [unit, did])
        await self.notify(did)
        return did

    async def notify(self, did: str) -> None:
        notice = {"notices": [{"what": "device", "id": did, "did": did}]}
        await self.rig.session.publish(fleet(TENANT, "api"), json.dumps(notice).encode(), qos=0)

    async def moves(self, did: str, unit: int) -> None:
        """A device goes to another unit."""
        await self.rig.connection.execute("update device set unit_id = %s where did = %s", [unit, did])
        await self.notify(did)

    async def token(self, role: str = "dispatcher", unit: int | None = None) -> str:
        token = secrets.token_urlsafe(16)
        [account] = await self.rig.rows(
            "insert into account (unit_id, username, display_name, role, password_hash, must_change_password) "
            "select coalesce(%s, (select id from unit where parent_id is null)), %s, 'x', %s, 'x', false returning id",
            unit,
            f"user-{secrets.token_hex(4)}",
            role,
        )
        await self.rig.connection.execute(
            "insert into login (token_hash, account_id, kind, csrf_token, expires_at) "
            "values (%s, %s, 'bearer', '', now() + interval '1 hour')",
            [hash_token(token), account["id"]],
        )
        return token

    async def connect(self, token: str, since: str | None = None) -> ClientConnection:
        query = f"?since={since}" if since else ""
        headers = {"Authorization": f"Bearer {token}"}
        return await connect(self.api.stream_url + query, additional_headers=headers, max_size=None)


@asynccontextmanager
async def running_desk(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Desk]:
    """The bureau, its worker and its API process."""
    async with rig(database, broker) as made, made.working():
        await made.device()
        async with running_api(database, broker) as api:
            yield Desk(made, api)


async def press_marks(made: Rig, did: str, count: int) -> None:
    """A recorder's key for marks, so often, told to the API processes all at once."""
    rows = await made.rows(
        "insert into event (device_id, at, received_at, sid, seq, type, payload, late)"
        " select id, now(), now(), 9, n, 'mark', '{}', false from device, generate_series(1, %s) n where did = %s"
        " returning event.id::text",
        count,
        did,
    )
    notices = tuple(Notice(what="event", id=row["id"], did=did) for row in rows)
    await made.session.publish(fleet(TENANT, "test"), FleetFrame(notices=notices).encode(), qos=0)


async def hear(socket: ClientConnection, wanted: Callable[[dict[str, Any]], Any]) -> Any:
    """Read until something is wanted; returns what `wanted` gave."""
    async with asyncio.timeout(15):
        while True:
            if found := wanted(json.loads(await socket.recv())):
                return found


def of(did: str, **fields: Any) -> Callable[[dict[str, Any]], Any]:
    """A device's entry with these values."""

    def find(message: dict[str, Any]) -> dict[str, Any] | None:
        for device in message.get("devices", ()):
            if device["did"] == did and all(device.get(name) == value for name, value in fields.items()):
                return {**device, "cursor": message["cursor"]}
        return None

    return find
