"""What starts without a person: an SOS is seen and recorded by itself, and who publishes keeps a token to come back."""

from collections.abc import Awaitable, Callable, Iterable

from xunlu_platform.dispatch.live import Live, Start, Watcher
from xunlu_platform.dispatch.relays import Relays
from xunlu_platform.store.store import SYSTEM, Row, Session, Store
from xunlu_protocol.fleet import Notice

FILE = "media"
START_PAUSE_S = 10
START_AGAIN_S = 30
"""Between two starts that were done: longer than a relay waits for somebody who takes the picture."""

SOS = Watcher(account_id=None, username="sos", name="SOS")
RENEWAL = Watcher(account_id=None, username="renewal", name="")
"""Rules: no person watches yet, or watches anew."""


class Starts:
    """Sends `live_start` by rule."""

    def __init__(self, store: Store, live: Live, relays: Relays) -> None:
        self._store = store
        self._live = live
        self._relays = relays

    async def for_sos(self) -> list[Notice]:
        """Order what is missing and start who is there; returns the commands that desks want to hear of.

        A recorder that is away is started when it is back, and started again when its picture is lost, until a person
        stops it.

        Raises:
            StoreError: the database does not answer.
        """
        values = {"live": self._publishing(), "pause_s": START_PAUSE_S, "again_s": START_AGAIN_S}
        async with self._store.session(SYSTEM) as session:
            await session.run(FILE, "order_for_sos")
            due = await session.all(FILE, "starts_for_sos", values)
        return await self._send(due, lambda session, device: self._live.start(session, device, SOS))

    async def renewals(self, renew_s: float) -> list[Notice]:
        """Give those who publish a fresh token once theirs is `renew_s` seconds old; returns as `for_sos`.

        Raises:
            StoreError: the database does not answer.
        """
        values = {"live": self._publishing(), "renew_s": renew_s, "again_s": START_AGAIN_S}
        async with self._store.session(SYSTEM) as session:
            due = await session.all(FILE, "renewals", values)
        return await self._send(due, lambda session, device: self._live.renew(session, device, RENEWAL))

    def _publishing(self) -> list[str]:
        self._relays.forget_silent()
        return list(self._relays.live)

    async def _send(self, due: Iterable[Row], queue: Callable[[Session, Row], Awaitable[Start]]) -> list[Notice]:
        notices = []
        for device in due:
            async with self._store.session(SYSTEM) as session:
                start = await queue(session, device)
            if start.queued is not None:
                await self._live.commands.send(SYSTEM, start.queued)
                notices.append(Notice(what="command", id=start.rid, did=device["did"]))
        return notices
