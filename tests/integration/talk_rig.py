"""A talk server with groups and people."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.services import TestBroker
from tests.talk import Participant, Talk, running_talk
from xunlu_kit.mqtt import Session, SessionOptions, Subscription
from xunlu_protocol.talk import TalkGroup
from xunlu_protocol.topics import talk_group

TENANT = "main"
# The other timers leave a busy machine its time.
GRACE_S = 0.5


class Net:
    """A talk server with groups, and participants that are sent home at the end."""

    def __init__(self, talk: Talk, session: Session) -> None:
        self.talk = talk
        self.session = session
        self.mark = secrets.token_hex(3)
        self.people: list[Participant] = []
        self.groups: list[str] = []

    async def group(self, *members: str, **more: Any) -> str:
        gid = f"g{self.mark}-{len(self.groups)}"
        self.groups.append(gid)
        await self.group_is(gid, *members, **more)
        return gid

    async def group_is(self, gid: str, *members: str, **more: Any) -> None:
        spec = {"gid": gid, "name": "一中队", "kind": "squad", "path": "/1/2/", "members": members}
        await self.session.publish(talk_group(TENANT, gid), TalkGroup.parse(spec | more).encode(), retain=True)

    def person(self, who: str, hz: int = 440, **claims: Any) -> Participant:
        self.people.append(Participant(self.talk, who, hz, claims))
        return self.people[-1]

    async def clear(self) -> None:
        await asyncio.gather(*(one.close() for one in self.people))
        for gid in self.groups:
            await self.session.publish(talk_group(TENANT, gid), b"", retain=True)


@asynccontextmanager
async def running_net(broker: TestBroker, folder: Path, *topics: str, **settings: Any) -> AsyncIterator[Net]:
    """A talk server that shuts its gate soon, and a session as the platform has one, which hears `topics`."""
    options = SessionOptions(
        client_id=secrets.token_hex(8), subscriptions=[Subscription(topic=topic) for topic in topics]
    )
    async with (
        running_talk(broker, folder, **({"talk_grace_s": GRACE_S} | settings)) as talk,
        Session(broker.account("xunlu-api"), options) as session,
    ):
        await session.wait_connected()
        net = Net(talk, session)
        try:
            yield net
        finally:
            await net.clear()
