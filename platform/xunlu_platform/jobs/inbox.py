"""Messages of the broker for the jobs process, each acknowledged when what it says is stored."""

import logging
from collections.abc import Awaitable, Callable, Mapping

from xunlu_kit.errors import TransportError
from xunlu_kit.mqtt import Message, Session
from xunlu_platform.errors import StoreError
from xunlu_protocol.errors import ProtocolError

log = logging.getLogger(__name__)

Taker = Callable[[Message], Awaitable[None]]


async def take_messages(session: Session, takers: Mapping[str, Taker]) -> None:
    """Hand out messages for ever.

    Args:
        session: their source.
        takers: beginning of a topic → who stores such a message; the first that fits.
    """
    async for message in session.messages():
        take = next((take for start, take in takers.items() if message.topic.startswith(start)), None)
        try:
            if take is not None:
                await take(message)
        except ProtocolError as error:
            log.warning("message not understood", extra={"topic": message.topic[:200], "reason": error.reason})
        except TransportError as error:
            # It is stored; who is not told so says it again.
            log.warning("answer not sent", extra={"topic": message.topic[:200], "error": str(error)})
        except StoreError as error:
            log.warning("message not stored", extra={"topic": message.topic[:200], "error": str(error)})
            if message.qos:
                # The broker sends it again.
                session.break_connection()
                continue
        session.acknowledge(message)
