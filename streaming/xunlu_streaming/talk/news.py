"""What the broker tells the talk server: groups, the floors that its predecessor left, and confirmations."""

import asyncio
import logging

from xunlu_kit.mqtt import Message, Session, Subscription
from xunlu_protocol.errors import ProtocolError
from xunlu_protocol.talk import FloorState, TalkAck, TalkGroup
from xunlu_protocol.topics import floor, talk_ack, talk_group
from xunlu_streaming.talk.floor_log import FloorLog
from xunlu_streaming.talk.net import RadioNet

log = logging.getLogger(__name__)

SETTLE_S = 5.0
"""After a connect the broker brings every retained group within this time; one that it does not bring was withdrawn."""


def subscriptions(tenant: str) -> tuple[Subscription, ...]:
    """Floors first: a group begins above the grants of before."""
    topics = (floor(tenant, "+"), talk_group(tenant, "+"), talk_ack(tenant, "log"))
    return tuple(Subscription(topic=topic) for topic in topics)


async def hear(session: Session, net: RadioNet, floor_log: FloorLog) -> None:
    """Take what comes, for ever."""
    async for message in session.messages():
        try:
            _take(message, net, floor_log)
        except ProtocolError as error:
            log.warning("message not understood", extra={"topic": message.topic[:200], "reason": error.reason})
        session.acknowledge(message)


def _take(message: Message, net: RadioNet, floor_log: FloorLog) -> None:
    *_, kind, name = message.topic.split("/")
    if kind == "ack":
        floor_log.confirm(TalkAck.decode(message.payload).entries)
    elif name == "floor":
        # Only what was kept is news: what is published now comes from ourselves.
        if message.retain and message.payload:
            net.raise_epoch(kind, FloorState.decode(message.payload).epoch)
    elif not message.payload:
        net.drop_group(name)
    else:
        group = TalkGroup.decode(message.payload)
        if group.gid != name:
            raise ProtocolError("gid", "A group and its topic have one name.")
        net.put_group(group, message.connection)


async def forget_withdrawn(session: Session, net: RadioNet) -> None:
    """After each new connection drop the groups that were withdrawn while there was none."""
    while True:
        await session.wait_connected()
        connection = session.connection
        await asyncio.sleep(SETTLE_S)
        if session.connected and session.connection == connection:
            net.forget_before(connection)
