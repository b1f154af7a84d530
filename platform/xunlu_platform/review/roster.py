"""Who was to be on duty from when to when, and where: the roster as presence, gaps and reports ask for it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Final

from xunlu_platform.review.shifts import Interval, union
from xunlu_platform.store.roster import read_rostered
from xunlu_platform.store.store import Session
from xunlu_platform.store.zones import instant, milliseconds

WEEK_MS: Final = timedelta(days=7) // timedelta(milliseconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class RosteredShift:
    """One shift of one officer.

    Attributes:
        id: of the shift.
        time: as it was made, whatever time was asked for.
        zone_id: where it is; None: nowhere in particular.
        zone: its name; None as well where the reader does not see it.
    """

    id: int
    time: Interval
    zone_id: int | None = None
    zone: str | None = None


Roster = Mapping[int, tuple[RosteredShift, ...]]
"""The shifts of officers by id, in order of time, never two at once; of somebody who has none, an empty one."""


async def rostered(session: Session, officers: Collection[int], whole: Interval) -> Roster:
    """The shifts of officers that overlap a time.

    Args:
        session: within the scope of whoever asks.
        officers: ids; those out of the scope have no shifts.
        whole: UTC milliseconds.
    """
    found: dict[int, list[RosteredShift]] = {officer: [] for officer in officers}
    for row in await read_rostered(session, officers, instant(whole.since), instant(whole.until)):
        time = Interval(milliseconds(row["begins_at"]), milliseconds(row["ends_at"]))
        found[row["officer_id"]].append(
            RosteredShift(id=row["id"], time=time, zone_id=row["zone_id"], zone=row["zone"])
        )
    return {officer: tuple(shifts) for officer, shifts in found.items()}


def on_duty(shifts: Iterable[RosteredShift]) -> list[Interval]:
    """When somebody is on a shift; shifts that touch are one."""
    return union(one.time for one in shifts)


def off_duty(shifts: Iterable[RosteredShift]) -> list[Interval]:
    """When somebody who has a roster is free: between two shifts that are no more than a week apart.

    Before the first shift and after the last one nobody knows whether the roster was made at all.
    """
    between = [Interval(one.until, other.since) for one, other in pairwise(on_duty(shifts))]
    return [free for free in between if free.until - free.since <= WEEK_MS]
