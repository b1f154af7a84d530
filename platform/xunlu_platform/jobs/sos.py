"""An SOS is seen and recorded by itself: an order to record, and the command that makes the recorder publish."""

from xunlu_platform.dispatch.live import Live, Watcher
from xunlu_platform.dispatch.relays import Relays
from xunlu_platform.store.store import SYSTEM, Row, Store
from xunlu_protocol.fleet import Notice

FILE = "media"
START_PAUSE_S = 10

NOBODY = Watcher(account_id=None, username="sos", name="SOS")
"""The rule itself: no person watches yet."""


class SosRule:
    """Looks at the open alarms."""

    def __init__(self, store: Store, live: Live, relays: Relays) -> None:
        self._store = store
        self._live = live
        self._relays = relays

    async def apply(self) -> list[Notice]:
        """Order what is missing and start who is there; returns the commands that desks want to hear of.

        A recorder that is away is started when it is back; one that was started once is not started again, so that
        people can stop it.

        Raises:
            StoreError: the database does not answer.
        """
        self._relays.forget_silent()
        values = {"live": list(self._relays.live), "pause_s": START_PAUSE_S}
        async with self._store.session(SYSTEM) as session:
            await session.run(FILE, "order_for_sos")
            due = await session.all(FILE, "starts_for_sos", values)
        return [notice for device in due if (notice := await self._start(device))]

    async def _start(self, device: Row) -> Notice | None:
        async with self._store.session(SYSTEM) as session:
            start = await self._live.start(session, device, NOBODY)
        if start.queued is None:
            return None
        await self._live.commands.send(SYSTEM, start.queued)
        return Notice(what="command", id=start.rid, did=device["did"])
