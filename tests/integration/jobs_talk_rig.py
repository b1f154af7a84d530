"""A small bureau whose jobs process serves push-to-talk, and what the broker is told."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from tests.integration.ingest_rig import TENANT, Rig, eventually
from tests.services import TestDatabase
from xunlu_kit.mqtt import Session
from xunlu_platform.jobs import run
from xunlu_protocol.talk import TalkClaims, TalkGroup, TalkInvitation
from xunlu_protocol.talk_reports import TalkAck
from xunlu_protocol.topics import down, talk_group
from xunlu_streaming.tokens import public_key, verify_talk


class Net:
    """A rig with a small bureau, and what the broker was told last on each topic."""

    def __init__(self, made: Rig, session: Session, database: TestDatabase) -> None:
        self.rig = made
        self.session = session
        self.database = database
        self.heard: dict[str, bytes] = {}
        self.acks: list[TalkAck] = []
        self.root = 0

    async def listen(self) -> None:
        async for message in self.session.messages():
            self.heard[message.topic] = message.payload
            if "/ptt/ack/" in message.topic:
                self.acks.append(TalkAck.decode(message.payload))
            self.session.acknowledge(message)

    async def one(self, sql: str, *parameters: Any) -> int:
        [row] = await self.rig.rows(f"{sql} returning id", *parameters)
        return int(row["id"])

    async def execute(self, sql: str, *parameters: Any) -> None:
        await self.rig.connection.execute(sql.encode(), parameters)

    async def squad(self, name: str) -> int:
        return await self.one(
            "insert into unit (tenant, parent_id, kind, name, path) values (%s, %s, 'squad', %s, '')",
            TENANT, self.root, name,
        )  # fmt: skip

    async def officer(self, unit: int, number: str, *, lat: float = 31.0) -> str:
        """An officer on duty with a recorder that can talk; returns its name."""
        did = await self.rig.device()
        officer = await self.one(
            "insert into officer (tenant, unit_id, number, name) values (%s, %s, %s, %s)",
            TENANT, unit, number, f"officer {number}",
        )  # fmt: skip
        await self.execute("update device set unit_id = %s where did = %s", unit, did)
        await self.execute(
            "insert into binding (device_id, officer_id, bound_at) select id, %s, now() - interval '1 hour'"
            " from device where did = %s",
            officer, did,
        )  # fmt: skip
        await self.execute(
            "insert into device_state (device_id, availability, birth, lat, lon, fix_at)"
            " select id, 'online', %s, %s, 121.0, now() from device where did = %s",
            json.dumps({"caps": ["ptt"]}), lat, did,
        )  # fmt: skip
        return did

    async def account(self, role: str, unit: int) -> int:
        return await self.one(
            "insert into account (unit_id, username, display_name, role, password_hash) values (%s, %s, %s, %s, 'x')",
            unit, f"{role}{unit}", role, role,
        )  # fmt: skip

    async def calls(
        self, did: str, gid: str, kind: str, unit: int, *, listener: bool = False, alarm: int | None = None
    ) -> None:
        """A group of a recorder, as the API writes it down."""
        await self.execute(
            "insert into talk_group (gid, unit_id, kind, name, alarm_id) values (%s, %s, %s, 'x', %s)",
            gid, unit, kind, alarm,
        )  # fmt: skip
        await self.execute(
            "insert into talk_group_member (gid, person, listener) values (%s, %s, %s)", gid, did, listener
        )

    async def group(self, gid: str, wanted: Callable[[TalkGroup], bool] = lambda _: True) -> TalkGroup:
        """Wait until a group is retained as wanted."""

        async def there() -> TalkGroup | None:
            payload = self.heard.get(talk_group(TENANT, gid))
            told = TalkGroup.decode(payload) if payload else None
            return told if told is not None and wanted(told) else None

        found: TalkGroup = await eventually(there)
        return found

    async def withdrawn(self, topic: str) -> None:
        async def empty() -> bool:
            return self.heard.get(topic) == b""

        await eventually(empty)

    async def invitation(self, did: str, wanted: Callable[[TalkInvitation], bool] = lambda _: True) -> TalkInvitation:
        async def there() -> TalkInvitation | None:
            payload = self.heard.get(down(TENANT, did, "talk"))
            told = TalkInvitation.decode(payload) if payload else None
            return told if told is not None and wanted(told) else None

        found: TalkInvitation = await eventually(there)
        return found

    async def turned(self, did: str, gid: str) -> TalkInvitation:
        """Wait until the key of a recorder talks in a group."""
        return await self.invitation(did, lambda one: one.main == gid)

    def claims(self, invitation: TalkInvitation) -> TalkClaims:
        key = public_key((self.database.secrets / "media-key.pub").read_text("utf-8"))
        return verify_talk(invitation.token, key, now_s=time.time())

    async def acknowledged(self, name: str) -> None:
        async def there() -> bool:
            return any(name in (*ack.entries, *ack.bursts) for ack in self.acks)

        await eventually(there)

    @contextlib.asynccontextmanager
    async def jobs(self) -> AsyncIterator[None]:
        task = asyncio.create_task(run(self.rig.settings))
        try:
            # Whoever publishes has subscribed before.
            await self.group(f"unit-{self.root}")
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
