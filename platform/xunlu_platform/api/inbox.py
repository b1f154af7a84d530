"""Messages of the broker for the API process, handed to whoever asked for their topic."""

import logging
from collections.abc import Callable, Mapping

from xunlu_kit.mqtt import Message, Session
from xunlu_protocol.errors import ProtocolError

log = logging.getLogger(__name__)

Handler = Callable[[Message], None]


async def deliver(mqtt: Session, handlers: Mapping[str, Handler]) -> None:
    """Hand out messages for ever.

    Args:
        mqtt: the session.
        handlers: beginning of a topic → what takes the message. A handler is quick: work goes to a queue of its owner.
            One that raises a ProtocolError has refused the message.
    """
    async for message in mqtt.messages():
        handler = next((take for start, take in handlers.items() if message.topic.startswith(start)), None)
        if handler is not None:
            try:
                handler(message)
            except ProtocolError as error:
                log.warning("message not understood", extra={"topic": message.topic[:200], "reason": error.reason})
        mqtt.acknowledge(message)
