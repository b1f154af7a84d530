"""What "who was here?" reads: hours of devices that may have been at a place, and who wore them. See `sql/who.sql`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Final

from xunlu_platform.errors import TooMuchError
from xunlu_platform.store.review import STRETCHES_MAX, Stretch
from xunlu_platform.store.store import Row, Session

FILE: Final = "who"
HOURS_MAX: Final = 5000
HOUR: Final = timedelta(hours=1)

Bounds = tuple[float, float, float, float]
"""West, south, east, north, degrees."""


async def read_near(session: Session, bounds: Bounds, since: datetime, until: datetime) -> list[Stretch]:
    """Stretches of devices, in whole hours but for the ends, that may have been in a box.

    Raises:
        TooMuchError: more than `HOURS_MAX` hours of all devices together.
    """
    west, south, east, north = bounds
    first = since.replace(minute=0, second=0, microsecond=0)
    values = {
        "first": first, "until": until, "west": west, "south": south, "east": east, "north": north,
        "limit": HOURS_MAX + 1,
    }  # fmt: skip
    rows = await session.all(FILE, "hours_near", values)
    if len(rows) > HOURS_MAX:
        raise TooMuchError("Too many devices were near this place. Ask for a shorter time or draw a smaller shape.")
    return [
        Stretch(device_id=device, did=did, since=max(begin, since), until=min(end, until))
        for (device, did), hours in groupby(rows, key=itemgetter("device_id", "did"))
        for begin, end in _runs([row["hour"] for row in hours])
    ]


def _runs(hours: Sequence[datetime]) -> list[tuple[datetime, datetime]]:
    """Hours that follow on each other as one."""
    runs: list[tuple[datetime, datetime]] = []
    for hour in hours:
        if runs and runs[-1][1] == hour:
            runs[-1] = (runs[-1][0], hour + HOUR)
        else:
            runs.append((hour, hour + HOUR))
    return runs


async def read_wearers(session: Session, devices: Sequence[int], since: datetime, until: datetime) -> list[Row]:
    """Who wore devices, by device and time: `device_id`, `officer_id`, `since`, `until`.

    Raises:
        TooMuchError: they changed hands more than `STRETCHES_MAX` times.
    """
    values = {"ids": list(devices), "from": since, "to": until, "limit": STRETCHES_MAX + 1}
    rows = await session.all(FILE, "wearers", values)
    if len(rows) > STRETCHES_MAX:
        raise TooMuchError("Devices changed hands too often. Ask for a shorter time or draw a smaller shape.")
    return rows
