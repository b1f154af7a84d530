"""Hours that are over or have changed: what they came to, and their shape on every level."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

from xunlu_gis.track import LEVELS_M, Track
from xunlu_platform.review.shape import AFTER_MS, BEFORE_MS, shapes
from xunlu_platform.store import housekeeping
from xunlu_platform.store.review import Stretch, read_fixes
from xunlu_platform.store.store import SYSTEM, Row, Store

HOUR = timedelta(hours=1)
HOUR_MS = 3_600_000


async def roll_up(store: Store, *, hours_max: int) -> int:
    """Compute some of the hours due; returns how many. One that changed meanwhile stays due.

    Raises:
        StoreError: the database does not answer.
    """
    due = await housekeeping.hours_due(store, hours_max=hours_max)
    stretches = [_around(row) for row in due]
    async with store.session(SYSTEM) as session:
        tracks = await read_fixes(session, stretches)
    pieces = await asyncio.to_thread(lambda: [row for one in zip(due, tracks, strict=True) for row in _pieces(*one)])
    return await housekeeping.roll_up(store, due, pieces) if due else 0


def _around(due: Row) -> Stretch:
    since = due["hour"] - timedelta(milliseconds=BEFORE_MS)
    until = due["hour"] + HOUR + timedelta(milliseconds=AFTER_MS)
    return Stretch(device_id=due["device_id"], did="", since=since, until=until)


def _pieces(due: Row, track: Track) -> Iterator[Row]:
    if not len(track):
        return
    hour_ms = round(due["hour"].timestamp() * 1000)
    for bound_m, shape in zip(LEVELS_M, shapes(track, hour_ms, hour_ms + HOUR_MS), strict=True):
        key = {"device_id": due["device_id"], "hour": due["hour"], "level": int(bound_m)}
        yield key | shape.packed(hour_ms)
