"""Live pictures end with the right to them: of accounts, units and devices the relay knows only what is said here."""

from xunlu_kit.mqtt import Session
from xunlu_platform.auth.media_tokens import PLAY_LIVE_S
from xunlu_platform.auth.roles import PERMISSIONS
from xunlu_platform.dispatch.publish import publish
from xunlu_platform.dispatch.relays import Relays
from xunlu_platform.store.store import SYSTEM, Store
from xunlu_protocol.media import MediaEnd
from xunlu_protocol.topics import media_end

FILE = "media"
WATCHING_ROLES = [role for role, permissions in PERMISSIONS.items() if "live" in permissions]
UNBEGUN_S = 2 * PLAY_LIVE_S
"""A viewing that was asked for may begin so long, whatever the clocks of platform and relay say."""


class Rights:
    """Compares what the relays carry with who may have it."""

    def __init__(self, store: Store, session: Session, tenant: str, relays: Relays) -> None:
        self._store = store
        self._session = session
        self._tenant = tenant
        self._relays = relays

    async def apply(self) -> None:
        """Tell each worker what must end. What it still names is told again.

        Raises:
            StoreError: the database does not answer.
            TransportError: the broker does not answer.
        """
        self._relays.forget_silent()
        live = self._relays.live
        values = {"live": list(live), "roles": WATCHING_ROLES, "unbegun_s": UNBEGUN_S}
        async with self._store.session(SYSTEM) as session:
            viewings = await session.all(FILE, "viewings_without_right", values)
            paths = await session.all(FILE, "paths_without_right", values)
        for worker in sorted({live[row["did"]].worker for row in (*viewings, *paths)}):
            end = MediaEnd(
                viewings=tuple(row["id"] for row in viewings if live[row["did"]].worker == worker),
                paths=tuple(row["did"] for row in paths if live[row["did"]].worker == worker),
            )
            await publish(self._session, media_end(self._tenant, worker), end.encode())
