"""Keeps what the broker retains equal to what the database says: the truth is the database, always."""

from collections.abc import Mapping

from xunlu_kit.mqtt import Message, Session
from xunlu_platform.dispatch.publish import publish


class Retained:
    """What is retained on some topics, as the broker tells every subscriber, and what ought to be.

    Each of the topics has one message at most, so that the database bounds what is kept here.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._connection = 0
        self._known: dict[str, bytes] = {}

    async def take(self, message: Message) -> None:
        """Note what is retained on a topic now; an empty payload withdrew it."""
        self._begin()
        if message.payload:
            self._known[message.topic] = message.payload
        else:
            self._known.pop(message.topic, None)

    async def mend(self, wanted: Mapping[str, bytes]) -> None:
        """Publish what is missing or differs, and withdraw what nobody wants any more.

        Args:
            wanted: topic → payload.

        Raises:
            TransportError: the broker does not answer.
        """
        self._begin()
        for topic in wanted.keys() | self._known.keys():
            payload = wanted.get(topic, b"")
            if self._known.get(topic, b"") != payload:
                await publish(self._session, topic, payload, retain=True)

    def _begin(self) -> None:
        """A broker that was started again may have forgotten, and tells everything that it still knows."""
        if self._connection != self._session.connection:
            self._connection = self._session.connection
            self._known.clear()
