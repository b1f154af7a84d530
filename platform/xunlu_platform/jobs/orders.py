"""Keeps the orders that the broker retains for the recorder process equal to those of the database."""

from xunlu_kit.mqtt import Session
from xunlu_platform.dispatch.orders import order_message
from xunlu_platform.jobs.retained import Retained
from xunlu_platform.store.media import end_orders, open_orders
from xunlu_platform.store.store import Store
from xunlu_protocol.topics import media_order

AFTER_SOS_S = 300


class Orders:
    """Orders of the database, and what the broker retains of them."""

    def __init__(self, store: Store, session: Session, tenant: str) -> None:
        self.retained = Retained(session)
        self._store = store
        self._tenant = tenant

    async def keep(self) -> None:
        """End what is due, then mend what is retained and differs.

        Raises:
            StoreError: the database does not answer.
            TransportError: the broker does not answer.
        """
        await end_orders(self._store, after_sos_s=AFTER_SOS_S)
        orders = await open_orders(self._store)
        await self.retained.mend({media_order(self._tenant, order["did"]): order_message(order) for order in orders})
