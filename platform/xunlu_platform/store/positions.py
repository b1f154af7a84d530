"""Tracks out of the database, in bounded pieces, so that no reader holds a connection longer than one piece takes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from psycopg import AsyncCursor
from psycopg.rows import RowMaker

from xunlu_gis.track import TrackPoint
from xunlu_platform.store.queries import query
from xunlu_platform.store.store import Scope, Store

PIECE_POINTS = 20_000

# Whose position comes first; no sid and no seq is negative, so the first piece begins with everything at `since`.
Place = tuple[datetime, int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackQuery:
    """A device and a stretch of fix time: `since` included, `until` excluded."""

    device_id: int
    since: datetime
    until: datetime

    @property
    def start(self) -> Place:
        """Before the first position."""
        return (self.since, -1, -1)

    def piece(self, after: Place) -> dict[str, Any]:
        """Parameters of the statement that reads on."""
        return {
            "device_id": self.device_id, "from": after[0], "to": self.until,
            "after_sid": after[1], "after_seq": after[2], "limit": PIECE_POINTS,
        }  # fmt: skip


async def read_track(
    store: Store, scope: Scope, wanted: TrackQuery, *, whole: bool = True
) -> AsyncIterator[list[TrackPoint]]:
    """Yield the positions in order of fix time, at most `PIECE_POINTS` at once.

    Args:
        store: where.
        scope: of the caller.
        wanted: whose.
        whole: without it only places, times and speeds, in two thirds of the time.

    Raises:
        StoreError: the database does not answer.
    """
    last = wanted.start
    while True:
        async with store.session(scope) as session:
            # Binary halves the time of an officer-day.
            cursor = session.connection.cursor(row_factory=_track_point, binary=True)
            await cursor.execute(query("history", "track"), {**wanted.piece(last), "whole": whole})
            points = await cursor.fetchall()
        if points:
            yield points
        if len(points) < PIECE_POINTS:
            return
        last = (points[-1].fix_time, points[-1].sid, points[-1].seq)


async def read_csv(store: Store, scope: Scope, wanted: TrackQuery, device: str) -> AsyncIterator[str]:
    """Yield the lines of `xunlu_gis.formats.to_csv` without its heading, at most `PIECE_POINTS` at once.

    Raises:
        StoreError: the database does not answer.
    """
    last: Place | None = wanted.start
    while last:
        async with store.session(scope) as session:
            row = await session.one("history", "track_csv", {**wanted.piece(last), "device": device})
        if row and row["lines"]:
            yield row["lines"]
        last = (row["fix_at"], row["sid"], row["seq"]) if row and row["fix_at"] else None


def _track_point(_cursor: AsyncCursor[Any]) -> RowMaker[TrackPoint]:
    """Without the detour by `TrackPoint._make`, which is written in Python."""
    return partial(tuple.__new__, TrackPoint)
