"""Zones when fixes come late, or not at all: see `store.zone_review`."""

from datetime import UTC, datetime

from xunlu_kit.mqtt import Session
from xunlu_platform.jobs.live import Rhythm
from xunlu_platform.store import zone_review
from xunlu_platform.store.store import Store
from xunlu_platform.store.zones import ZoneNews
from xunlu_protocol.fleet import FleetFrame, Notice

REVIEWS_MAX = 100
NOTICES_PER_FRAME = 400


class Zones:
    """Second looks at who came and went."""

    def __init__(self, store: Store, time_zone: str, session: Session, topic: str) -> None:
        """Take the parts.

        Args:
            store: with the jobs role.
            time_zone: IANA name, of daily windows.
            session: to tell the API processes.
            topic: of our fleet frames.
        """
        self._store = store
        self._time_zone = time_zone
        self._session = session
        self._topic = topic

    def rhythm(self) -> Rhythm:
        """Its jobs."""
        return [("review_zones", 1, self.review_late), ("end_visits", 30, self.end_silent)]

    async def review_late(self) -> None:
        """Correct what late fixes change, device by device; a long review goes on in the next round."""
        began = datetime.now(UTC)
        for _ in range(REVIEWS_MAX):
            news = await zone_review.review_late(self._store, self._time_zone, began)
            if news is None:
                return
            await self._tell(news)

    async def end_silent(self) -> None:
        """End the visits of whoever is not heard of any more."""
        while (news := await zone_review.end_silent(self._store, self._time_zone)) is not None:
            await self._tell(news)

    async def _tell(self, news: ZoneNews) -> None:
        """A lost notice costs half a minute: the API processes look for themselves twice a minute."""
        notices = [Notice(what="movement", id=str(number)) for _, number in news.movements]
        notices += [Notice(what="alarm", id=str(number)) for _, number in news.alarms]
        for first in range(0, len(notices), NOTICES_PER_FRAME):
            frame = FleetFrame(notices=tuple(notices[first : first + NOTICES_PER_FRAME]))
            await self._session.publish(self._topic, frame.encode(), qos=0)
