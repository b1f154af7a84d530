"""Publishing that is waited for, but not for ever."""

import asyncio

from xunlu_kit.errors import TransportError
from xunlu_kit.mqtt import Session

PUBLISH_TIMEOUT_S = 5.0


async def publish(
    mqtt: Session, topic: str, payload: bytes, *, retain: bool = False, expiry_s: int | None = None
) -> None:
    """Publish at QoS 1 and wait for the broker.

    Raises:
        TransportError: the broker is away, refuses, or does not answer in time.
    """
    try:
        async with asyncio.timeout(PUBLISH_TIMEOUT_S):
            await mqtt.publish(topic, payload, retain=retain, expiry_s=expiry_s)
    except TimeoutError as error:
        raise TransportError("The broker did not answer in time.") from error
