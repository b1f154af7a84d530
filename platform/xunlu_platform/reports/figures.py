"""Amounts as figures: each with the address of the look back that proves it."""

from collections.abc import Iterable, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from xunlu_gis.report import Figure, Row
from xunlu_gis.track import STATES
from xunlu_platform.reports.amounts import UNITS, Amounts, Name
from xunlu_platform.reports.days import OfficerDay
from xunlu_platform.reports.ground import Beat
from xunlu_platform.reports.period import Day
from xunlu_platform.reports.views import Layer, view
from xunlu_platform.review.subjects import Officer
from xunlu_platform.store.zones import milliseconds

TIME: Final[tuple[Name, ...]] = STATES
DUTY: Final[tuple[Name, ...]] = ("rostered", "rostered_on_air", "absent")
"""Told only where there is a roster."""
WORK: Final[tuple[Name, ...]] = tuple(name for name in UNITS if name not in {*STATES, *DUTY})

_LAYERS: Final[dict[str, Layer]] = {"zone_visits": "zones", "zone_dwell": "zones", "streets": "zones"}


def proven(amounts: Amounts, names: Iterable[Name], subjects: Sequence[str], day: Day, zone: ZoneInfo) -> Row:
    """Figures of some amounts; the clock of each look back stands where the first of it began."""
    return tuple(
        Figure(
            value=round(value) if value is not None and UNITS[name] == "count" else value,
            unit=UNITS[name],
            link=view(subjects, day, zone, at_ms=first_ms, on=_LAYERS.get(name, "stops")),
        )
        for name, (value, first_ms) in ((name, amounts[name]) for name in names)
    )


def ends(days: Sequence[OfficerDay], subjects: Sequence[str], period: Day, zone: ZoneInfo) -> Row:
    """First and last fix of some days."""
    first = min((day.first_fix for day in days if day.first_fix), default=None)
    last = max((day.last_fix for day in days if day.last_fix), default=None)
    return tuple(
        Figure(value=at, unit="time", link=view(subjects, period, zone, at_ms=milliseconds(at)) if at else None)
        for at in (first, last)
    )


def streets(beats: Iterable[Beat], subjects: Sequence[str], period: Day, zone: ZoneInfo) -> Figure:
    """Share of all streets of some zones that was seen; not known where there are no streets."""
    known = [(beat.street_m, beat.seen_m) for beat in beats if beat.street_m and beat.seen_m is not None]
    all_m = sum(street_m for street_m, _ in known)
    share = sum(seen_m for _, seen_m in known) / all_m if all_m else None
    return Figure(value=share, unit="share", link=view(subjects, period, zone, on="zones"))


def called(officer: Officer) -> str:
    """An officer as people speak of one."""
    return f"{officer.name} {officer.number}"
