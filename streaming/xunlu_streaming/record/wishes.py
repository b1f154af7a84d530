"""Who wants which path recorded: the retained orders at the broker, and the rule that takes all."""

import logging
from typing import NamedTuple

from xunlu_kit.mqtt import Message
from xunlu_protocol.errors import ProtocolError
from xunlu_protocol.media import Cause, RecordingOrder
from xunlu_streaming.tap_messages import EVERY_PATH

log = logging.getLogger(__name__)

ORDERS_MAX = 5000


class Wish(NamedTuple):
    """Why a path is recorded; see `RecordingReport`."""

    why: Cause
    order: str | None = None


class Wishes:
    """Orders by path.

    Attributes:
        refused: orders that were malformed or too many.
    """

    def __init__(self, *, always: bool) -> None:
        """Begin without orders.

        Args:
            always: whether every path is wanted anyway.
        """
        self.refused = 0
        self._always = Wish("always") if always else None
        self._orders: dict[str, tuple[RecordingOrder, int]] = {}

    def hear(self, message: Message) -> None:
        """Take an order or, with an empty payload, its withdrawal."""
        did = message.topic.rpartition("/")[2]
        if not message.payload:
            self._orders.pop(did, None)
            return
        try:
            order = RecordingOrder.decode(message.payload)
        except ProtocolError as error:
            self.refused += 1
            log.warning("order not understood", extra={"topic": message.topic[:200], "reason": error.reason})
            return
        if did not in self._orders and len(self._orders) >= ORDERS_MAX:
            self.refused += 1
            log.error("too many orders to record, this one is not obeyed", extra={"did": did[:64]})
            return
        self._orders[did] = (order, message.connection)

    def forget_before(self, connection: int) -> None:
        """Drop orders that a new connection to the broker did not bring again: they were withdrawn meanwhile."""
        self._orders = {did: entry for did, entry in self._orders.items() if entry[1] >= connection}

    def of(self, did: str, now_s: float) -> Wish | None:
        """Why a path is to be recorded; None when nobody wants it.

        Args:
            did: name of the path.
            now_s: UTC seconds.
        """
        entry = self._orders.get(did)
        if entry is not None and _stands(entry[0], now_s):
            return Wish(entry[0].why, entry[0].id)
        return self._always

    def paths(self, now_s: float) -> frozenset[str]:
        """What to take from the relay: names of paths, and `*` for all."""
        named = {did for did, (order, _) in self._orders.items() if _stands(order, now_s)}
        return frozenset(named | {EVERY_PATH} if self._always else named)


def _stands(order: RecordingOrder, now_s: float) -> bool:
    return order.until is None or now_s < order.until
