"""Addresses of `/review` that prove a number: the same people, the same time, the clock where it began."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from xunlu_platform.reports.period import Day
from xunlu_platform.review.subjects import SUBJECTS_MAX

Layer = Literal["zones", "stops"]


def view(
    subjects: Sequence[str], day: Day, zone: ZoneInfo, *, at_ms: int | None = None, on: Layer = "stops"
) -> str | None:
    """The address of a look back, as the console writes it.

    Args:
        subjects: keys such as `o12`; None is answered where `/review` takes fewer than these.
        day: from when to when.
        zone: in which the times are written.
        at_ms: where its clock stands, UTC; the beginning when left out.
        on: the layer that is shown.
    """
    if not 0 < len(subjects) <= SUBJECTS_MAX:
        return None
    at = None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC)
    parts = {"s": ",".join(subjects), "from": _written(day.since, zone), "to": _written(day.until, zone)}
    if at is not None and day.since < at < day.until:
        parts["t"] = _written(at, zone)
    parts["on"] = on
    return "/review?" + "&".join(f"{name}={value}" for name, value in parts.items())


# A sheet of a week says the same few moments thousands of times.
@lru_cache(maxsize=1024)
def _written(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone).isoformat(timespec="milliseconds" if at.microsecond else "seconds")
    return quote(local, safe=":")
