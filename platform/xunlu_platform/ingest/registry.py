"""Who is who: devices by name, kept in memory and refreshed."""

import logging
from collections.abc import Iterable

from xunlu_kit.clock import Clock
from xunlu_platform.store.arrivals import ArrivalStore, DeviceRef

log = logging.getLogger(__name__)

REFRESH_S = 30.0
UNKNOWN_TTL_S = 2.0
UNKNOWN_MAX = 10_000
LOOKUP_MAX = 1000


class Registry:
    """Known devices; unknown names are asked for again after two seconds at the earliest."""

    def __init__(self, store: ArrivalStore, clock: Clock) -> None:
        self.devices: dict[str, DeviceRef] = {}
        self._store = store
        self._clock = clock
        self._unknown: dict[str, float] = {}
        self._refreshed_s = clock.monotonic_s()

    def strangers(self, dids: Iterable[str]) -> list[str]:
        """Names to look up in the database now; every half minute that is all of them."""
        now_s = self._clock.monotonic_s()
        if now_s - self._refreshed_s > REFRESH_S:
            self._refreshed_s = now_s
            return [*self.devices, *set(dids).difference(self.devices)]
        return [did for did in set(dids) if did not in self.devices and self._unknown.get(did, 0) <= now_s]

    async def learn(self, dids: list[str]) -> None:
        """Look names up.

        Raises:
            StoreError: the database does not answer.
        """
        now_s = self._clock.monotonic_s()
        for start in range(0, len(dids), LOOKUP_MAX):
            part = dids[start : start + LOOKUP_MAX]
            found = {device.did: device for device in await self._store.devices(part)}
            for did in part:
                self._note(did, found.get(did), now_s)

    def forget(self, did: str) -> None:
        """Something about a device changed: ask again when it writes."""
        self.devices.pop(did, None)
        self._unknown.pop(did, None)

    def _note(self, did: str, device: DeviceRef | None, now_s: float) -> None:
        if device is not None:
            self.devices[did] = device
            return
        self.devices.pop(did, None)
        if len(self._unknown) > UNKNOWN_MAX:
            self._unknown.clear()
        self._unknown[did] = now_s + UNKNOWN_TTL_S
