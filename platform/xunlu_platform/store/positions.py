"""Tracks out of the database, in bounded pieces, so that no reader holds a connection longer than one piece takes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from psycopg import AsyncCursor
from psycopg.rows import AsyncRowFactory, RowMaker, tuple_row

from xunlu_gis.track import TrackPoint
from xunlu_platform.store.queries import query
from xunlu_platform.store.store import Scope, Store

T = TypeVar("T")

PIECE_POINTS = 20_000

# Whose position comes first; no sid and no seq is negative, so the first piece begins with everything at `since`.
Place = tuple[datetime, int, int]
# UTC second, longitude, latitude, speed; then what the next piece goes on from.
LineRow = tuple[float, float, float, float | None, int, int]


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


async def read_track(store: Store, scope: Scope, wanted: TrackQuery) -> AsyncIterator[list[TrackPoint]]:
    """Yield the positions in order of fix time, at most `PIECE_POINTS` at once.

    Raises:
        StoreError: the database does not answer.
    """
    last: Place | None = wanted.start
    while last:
        points = await _piece(store, scope, "track", wanted.piece(last), _track_point)
        if points:
            yield points
        last = (points[-1].fix_time, points[-1].sid, points[-1].seq) if len(points) == PIECE_POINTS else None


async def read_line(store: Store, scope: Scope, wanted: TrackQuery) -> AsyncIterator[list[LineRow]]:
    """Yield what a map draws of the track in order of fix time, at most `PIECE_POINTS` at once.

    Raises:
        StoreError: the database does not answer.
    """
    last: Place | None = wanted.start
    while last:
        rows: list[LineRow] = await _piece(store, scope, "track_line", wanted.piece(last), tuple_row)
        if rows:
            yield rows
        last = _place(rows[-1]) if len(rows) == PIECE_POINTS else None


async def _piece(store: Store, scope: Scope, name: str, parameters: dict[str, Any], row: AsyncRowFactory[T]) -> list[T]:
    async with store.session(scope) as session:
        # Binary halves the time of an officer-day.
        cursor = session.connection.cursor(row_factory=row, binary=True)
        await cursor.execute(query("history", name), parameters)
        return await cursor.fetchall()


def _place(row: LineRow) -> Place:
    return (datetime.fromtimestamp(row[0], UTC), row[4], row[5])


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
