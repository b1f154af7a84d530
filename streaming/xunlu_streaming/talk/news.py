"""What the broker tells the talk server: groups, the floors that its predecessor left, and confirmations."""

import asyncio
import contextlib
import logging

from xunlu_kit.mqtt import Message, Session, Subscription
from xunlu_protocol.errors import ProtocolError
from xunlu_protocol.talk import FloorState, TalkGroup
from xunlu_protocol.talk_reports import TalkAck
from xunlu_protocol.topics import floor, talk_ack, talk_group
from xunlu_streaming.talk.floor_log import FloorLog
from xunlu_streaming.talk.net import RadioNet

log = logging.getLogger(__name__)

QUIET_S, ARRIVAL_S_MAX = 0.1, 5.0
"""After a pause of so long behind the connect, everything retained has come."""
SETTLE_S = 5.0
"""After a connect the broker brings every retained group within this time; one that it does not bring was withdrawn."""


def subscriptions(tenant: str) -> tuple[Subscription, ...]:
    """Floors first: a group begins above the grants of before."""
    topics = (floor(tenant, "+"), talk_group(tenant, "+"), talk_ack(tenant, "log"))
    return tuple(Subscription(topic=topic) for topic in topics)


class News:
    """Takes what comes."""

    def __init__(self, session: Session, net: RadioNet, floor_log: FloorLog) -> None:
        self._session = session
        self._net = net
        self._log = floor_log
        self._came = asyncio.Event()

    async def hear(self) -> None:
        """Take what comes, for ever."""
        async for message in self._session.messages():
            self._came.set()
            try:
                self._take(message)
            except ProtocolError as error:
                log.warning("message not understood", extra={"topic": message.topic[:200], "reason": error.reason})
            self._session.acknowledge(message)

    async def arrived(self) -> None:
        """Wait until the broker has brought what it keeps: whoever comes before its group is refused the floor.

        Without a broker there are no groups, and all that could be served is the page that says so.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ARRIVAL_S_MAX):
                await self._session.wait_connected()
                with contextlib.suppress(TimeoutError):
                    while True:
                        self._came.clear()
                        async with asyncio.timeout(QUIET_S):
                            await self._came.wait()

    def _take(self, message: Message) -> None:
        *_, kind, name = message.topic.split("/")
        if kind == "ack":
            self._log.confirm(TalkAck.decode(message.payload).entries)
        elif name == "floor":
            # Only what was kept is news: what is published now comes from ourselves.
            if message.retain and message.payload:
                self._net.succeed(FloorState.decode(message.payload))
        elif not message.payload:
            self._net.drop_group(name)
        else:
            group = TalkGroup.decode(message.payload)
            if group.gid != name:
                raise ProtocolError("gid", "A group and its topic have one name.")
            self._net.put_group(group, message.connection)


async def forget_withdrawn(session: Session, net: RadioNet) -> None:
    """After each new connection drop the groups that were withdrawn while there was none."""
    while True:
        await session.wait_connected()
        connection = session.connection
        await asyncio.sleep(SETTLE_S)
        if session.connected and session.connection == connection:
            net.forget_before(connection)
