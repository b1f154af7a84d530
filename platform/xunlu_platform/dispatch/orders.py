"""Orders to record: the database holds them all, the broker retains for each device the one that counts."""

from xunlu_kit.mqtt import Session as MqttSession
from xunlu_platform.dispatch.publish import publish
from xunlu_platform.store.store import Row, Session
from xunlu_protocol.media import RecordingOrder
from xunlu_protocol.topics import media_order


async def order_of(session: Session, did: str) -> Row | None:
    """The order that counts for a device: the oldest open one, so that a second reason cuts no recording in two."""
    return await session.one("live", "orders", {"did": did})


def order_message(order: Row | None) -> bytes:
    """What is retained for an order; nothing withdraws it."""
    if order is None:
        return b""
    until = None if order["until"] is None else int(order["until"].timestamp())
    return RecordingOrder(id=order["id"], why=order["why"], by=order["by"], until=until).encode()


async def publish_order(mqtt: MqttSession, tenant: str, did: str, message: bytes) -> None:
    """Have the broker retain an order, or forget it.

    Raises:
        TransportError: it did not; the jobs process repeats what differs from the database.
    """
    await publish(mqtt, media_order(tenant, did), message, retain=True)
