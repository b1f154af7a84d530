"""Tracks out of the database, in bounded pieces, so that no reader holds a connection longer than one piece takes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import tuple_row

from xunlu_gis.track import TrackPoint
from xunlu_platform.store.queries import query
from xunlu_platform.store.store import Scope, Store

PIECE_POINTS = 20_000


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackQuery:
    """A device and a stretch of fix time: `since` included, `until` excluded."""

    device_id: int
    since: datetime
    until: datetime


async def read_track(store: Store, scope: Scope, wanted: TrackQuery) -> AsyncIterator[list[TrackPoint]]:
    """Yield the positions in order of fix time, at most `PIECE_POINTS` at once.

    Raises:
        StoreError: the database does not answer.
    """
    # No sid and no seq is negative: the first piece begins with everything at `since`.
    last = (wanted.since, -1, -1)
    while True:
        values = {
            "device_id": wanted.device_id, "from": last[0], "to": wanted.until,
            "after_sid": last[1], "after_seq": last[2], "limit": PIECE_POINTS,
        }  # fmt: skip
        async with store.session(scope) as session:
            # Binary halves the time of an officer-day.
            cursor = session.connection.cursor(row_factory=tuple_row, binary=True)
            await cursor.execute(query("history", "track"), values)
            points = [TrackPoint._make(row) for row in await cursor.fetchall()]
        if points:
            yield points
        if len(points) < PIECE_POINTS:
            return
        last = (points[-1].fix_time, points[-1].sid, points[-1].seq)
