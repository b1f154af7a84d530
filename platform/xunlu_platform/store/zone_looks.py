"""What a look back at one zone reads: its versions, whom it concerns, and the fixes near it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
from psycopg.rows import dict_row

from xunlu_gis.track import Track
from xunlu_platform.errors import TooMuchError
from xunlu_platform.store.columns import column, milliseconds
from xunlu_platform.store.queries import query
from xunlu_platform.store.review import STRETCHES_MAX, Stretch, read_worn
from xunlu_platform.store.store import Row, Session
from xunlu_platform.store.zones import FILE

OFFICERS_MAX: Final = 500
FIXES_MAX: Final = 500_000
STRETCHES_AT_ONCE: Final = 20
NEAR_DEG: Final = 0.02
"""About 2 km: whoever leaves the zone is heard there before they leave what is read, also in a car."""

Bounds = tuple[float, float, float, float]
"""West, south, east, north, degrees."""

_COLUMNS: Final = ("lon", "lat", "accuracy_m", "speed_mps", "hdop", "fix", "sat", "sid", "seq")


async def read_versions(session: Session, zone: int, since: datetime, until: datetime) -> list[Row]:
    """Rows of `watched` of one zone, oldest first; none when it does not exist within the scope."""
    return await session.all(FILE, "watched", {"zone": zone, "from": since, "to": until})


async def read_concerned(session: Session, rows: Sequence[Row], since: datetime, until: datetime) -> list[Row]:
    """The officers whom versions concern, by where they served at any moment of a time: `id`, `number`, `name`.

    Raises:
        TooMuchError: more than `OFFICERS_MAX`.
    """
    values = {
        "paths": [path for row in rows for path in row["paths"]],
        "officers": [officer for row in rows for officer in row["officers"]],
        "from": since,
        "to": until,
        "limit": OFFICERS_MAX + 1,
    }
    found = await session.all(FILE, "concerned", values)
    if len(found) > OFFICERS_MAX:
        raise TooMuchError(f"This zone concerns more than {OFFICERS_MAX} officers. Name a smaller unit for it.")
    return found


async def read_wearers(
    session: Session, officers: Sequence[int], since: datetime, until: datetime
) -> list[tuple[int, Stretch]]:
    """What the officers wore: officer id and stretch.

    Raises:
        TooMuchError: more than `STRETCHES_MAX` stretches.
    """
    rows = await read_worn(session, officers, since, until)
    if len(rows) > STRETCHES_MAX:
        raise TooMuchError("Devices changed hands too often. Ask for a shorter time.")
    return [
        (row["officer_id"], Stretch(device_id=row["device_id"], did=row["did"], since=row["since"], until=row["until"]))
        for row in rows
    ]


async def read_near(session: Session, stretches: Sequence[Stretch], bounds: Bounds) -> list[Track]:
    """The fixes of each stretch near a zone, in order of fix time.

    Args:
        session: within the scope of whoever asks.
        stretches: of devices.
        bounds: of the zone; `NEAR_DEG` around it is read as well.

    Raises:
        TooMuchError: more than `FIXES_MAX` fixes.
    """
    west, south, east, north = bounds
    place = {"west": west - NEAR_DEG, "south": south - NEAR_DEG, "east": east + NEAR_DEG, "north": north + NEAR_DEG}
    tracks: list[Track] = []
    left = FIXES_MAX
    for first in range(0, len(stretches), STRETCHES_AT_ONCE):
        batch = stretches[first : first + STRETCHES_AT_ONCE]
        values = {
            "device_id": [one.device_id for one in batch], "since": [one.since for one in batch],
            "until": [one.until for one in batch], "limit": left + 1, **place,
        }  # fmt: skip
        for row in await _binary(session, "near", values):
            tracks.append(_track(row))
            left -= len(tracks[-1])
        if left < 0:
            raise TooMuchError(f"There are more than {FIXES_MAX:,} fixes near this zone. Ask for a shorter time.")
    return tracks


async def _binary(session: Session, name: str, values: dict[str, Any]) -> list[Row]:
    cursor = session.connection.cursor(row_factory=dict_row, binary=True)
    await cursor.execute(query(FILE, name), values)
    return await cursor.fetchall()


def _track(row: Row) -> Track:
    columns: dict[str, np.ndarray[Any, Any]] = {name: column(row[name]) for name in _COLUMNS}
    return Track.of(milliseconds(row["time_s"]), received_ms=milliseconds(row["received_s"]), **columns)
