"""Keeps the orders that the broker retains for the recorder process equal to those of the database."""

from xunlu_kit.mqtt import Message, Session
from xunlu_platform.dispatch.orders import order_message, publish_order
from xunlu_platform.store.media import end_orders, open_orders
from xunlu_platform.store.store import Store
from xunlu_protocol.topics import media_order

AFTER_SOS_S = 300


class Orders:
    """What is retained, as the broker tells every subscriber, and what ought to be."""

    def __init__(self, store: Store, session: Session, tenant: str) -> None:
        self._store = store
        self._session = session
        self._tenant = tenant
        self._connection = 0
        self._retained: dict[str, bytes] = {}

    async def take(self, message: Message) -> None:
        """Note what is retained for a device now; each of the tenant's devices has one message at most."""
        self._begin()
        did = message.topic.removeprefix(media_order(self._tenant, ""))
        if message.payload:
            self._retained[did] = message.payload
        else:
            self._retained.pop(did, None)

    async def keep(self) -> None:
        """End what is due, then mend what is retained and differs.

        Raises:
            StoreError: the database does not answer.
            TransportError: the broker does not answer.
        """
        await end_orders(self._store, after_sos_s=AFTER_SOS_S)
        wanted = {order["did"]: order_message(order) for order in await open_orders(self._store)}
        self._begin()
        for did in wanted.keys() | self._retained.keys():
            if self._retained.get(did) != wanted.get(did):
                await publish_order(self._session, self._tenant, did, wanted.get(did, b""))

    def _begin(self) -> None:
        """A broker that was started again may have forgotten, and tells everything that it still knows."""
        if self._connection != self._session.connection:
            self._connection = self._session.connection
            self._retained.clear()
