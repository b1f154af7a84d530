"""Messages of the broker for the jobs process, each acknowledged when what it says is stored."""

import logging
from collections.abc import Awaitable, Callable, Mapping

from xunlu_kit.errors import TransportError
from xunlu_kit.mqtt import Message, Session
from xunlu_platform.errors import StoreError, UnstorableError
from xunlu_protocol.errors import ProtocolError

log = logging.getLogger(__name__)

Taker = Callable[[Message], Awaitable[None]]


async def take_messages(session: Session, takers: Mapping[str, Taker]) -> None:
    """Hand out messages for ever.

    Args:
        session: their source.
        takers: topic filter with `+` for any level → who stores such a message; the first that fits.
    """
    split = [(one.split("/"), take) for one, take in takers.items()]
    async for message in session.messages():
        levels = message.topic.split("/")
        take = next((take for wanted, take in split if _fits(wanted, levels)), None)
        try:
            if take is not None:
                await take(message)
        except ProtocolError as error:
            log.warning("message not understood", extra={"topic": message.topic[:200], "reason": error.reason})
        except UnstorableError as error:
            # It would be refused again, for ever.
            log.warning("message refused", extra={"topic": message.topic[:200], "error": str(error)})
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


def _fits(wanted: list[str], levels: list[str]) -> bool:
    return len(wanted) == len(levels) and all(one in ("+", level) for one, level in zip(wanted, levels, strict=True))
