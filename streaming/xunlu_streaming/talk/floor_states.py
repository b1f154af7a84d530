"""Floor states at the broker (`g/{gid}/floor`, retained): the newest of each group, as fast as it takes them."""

import asyncio
import logging
from typing import NamedTuple

from xunlu_kit.errors import TransportError
from xunlu_kit.mqtt import Session
from xunlu_protocol.talk import FloorState
from xunlu_protocol.topics import floor

log = logging.getLogger(__name__)

AT_ONCE = 50
PUBLISH_TIMEOUT_S = 5.0
RETRY_S = 1.0


class _Said(NamedTuple):
    gid: str
    state: FloorState | None


class FloorStates:
    """States that wait; a newer one takes the place of an older one of the same group."""

    def __init__(self) -> None:
        self._waiting: dict[str, FloorState | None] = {}
        self._changed = asyncio.Event()

    def put(self, gid: str, state: FloorState | None) -> None:
        """Say this of a group; None withdraws it."""
        self._waiting[gid] = state
        self._changed.set()

    async def run(self, session: Session, tenant: str) -> None:
        """Tell, for ever."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            while not await self.say(session, tenant):
                log.warning("floors not told, trying again", extra={"waiting": len(self._waiting)})
                await asyncio.sleep(RETRY_S)

    async def say(self, session: Session, tenant: str) -> bool:
        """Tell what waits; False when the broker does not take it, so that it waits on."""
        while self._waiting:
            gids = list(self._waiting)[:AT_ONCE]
            chosen = [_Said(gid, self._waiting.pop(gid)) for gid in gids]
            told = await asyncio.gather(*(self._say(session, tenant, one) for one in chosen))
            for one in chosen:
                if one not in told:
                    self._waiting.setdefault(one.gid, one.state)
            if None in told:
                return False
        return True

    async def _say(self, session: Session, tenant: str, said: _Said) -> _Said | None:
        payload = said.state.encode() if said.state is not None else b""
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                await session.publish(floor(tenant, said.gid), payload, retain=True)
        except (TransportError, TimeoutError):
            return None
        return said
