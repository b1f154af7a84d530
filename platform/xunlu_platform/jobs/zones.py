"""Zones when fixes come late, or not at all: see `store.zone_review`."""

from xunlu_platform.jobs.live import Rhythm
from xunlu_platform.store import zone_review
from xunlu_platform.store.store import Store

REVIEWS_MAX = 100


class Zones:
    """Second looks at who came and went."""

    def __init__(self, store: Store, time_zone: str) -> None:
        self._store = store
        self._time_zone = time_zone

    def rhythm(self) -> Rhythm:
        """Its jobs."""
        return [("review_zones", 5, self.review_late), ("end_visits", 30, self.end_silent)]

    async def review_late(self) -> None:
        """Correct what late fixes change, device by device."""
        for _ in range(REVIEWS_MAX):
            if not await zone_review.review_late(self._store, self._time_zone):
                return

    async def end_silent(self) -> None:
        """End the visits of whoever is not heard of any more."""
        while await zone_review.end_silent(self._store, self._time_zone):
            pass
