"""The seam between the agent's parts and the broker."""

from typing import Protocol

from xunlu_protocol.topics import Channel


class Publisher(Protocol):
    """The way to the broker, under this device's own topics."""

    async def publish(
        self, channel: Channel, payload: bytes, tail: str = "", *, qos: int = 1, retain: bool = False
    ) -> None:
        """Publish and, at QoS 1, wait until the broker has it.

        Raises:
            TransportError: not connected, not yet approved, refused, or no answer in time.
        """
        ...
