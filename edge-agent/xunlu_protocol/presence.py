"""`xunlu/srv/{host}/state`: a server process says that it is there, and the broker says when it is not."""

import time
from collections.abc import Awaitable, Callable

from xunlu_kit.mqtt import Session, Will
from xunlu_protocol.status import ServerState
from xunlu_protocol.topics import server_state


def _payload(*, online: bool) -> bytes:
    return ServerState(online=online, timestamp=time.time_ns() // 1_000_000).encode()


def presence_will(host: str) -> Will:
    """What the broker publishes when the process vanishes."""
    return Will(topic=server_state(host), payload=_payload(online=False))


def publish_presence(host: str) -> Callable[[Session], Awaitable[None]]:
    """An `on_connect` that says: here I am."""

    async def publish(session: Session) -> None:
        await session.publish(server_state(host), _payload(online=True), retain=True)

    return publish
