"""Who was in a zone for how long, officer by officer and shift by shift."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

import numpy as np

from xunlu_gis.fence import Fences, Fixes, Zone
from xunlu_gis.presence import GAP_S, ZoneVisit, presences
from xunlu_gis.track import Track, clean
from xunlu_platform.review.roster import Roster
from xunlu_platform.review.shifts import Interval, common, in_force, seconds, union, without
from xunlu_platform.store.zone_watch import HDOP_MAX, SATELLITES_MIN

BEFORE_MS: Final = 900_000
"""Fixes so long before a shift tell who stood inside when it began: longer than any silence within a visit."""
AFTER_MS: Final = 60_000
"""Fixes so long after it confirm what happened at its end."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Wearer:
    """An officer with one device.

    Attributes:
        officer: id.
        worn: from when to when.
        fixes: of the device while it was worn and around that, cleaned; those far from the zone may be missing.
    """

    officer: int
    worn: Interval
    fixes: Fixes


@dataclass(frozen=True, kw_only=True, slots=True)
class OfficerPresence:
    """One officer in one shift.

    Attributes:
        officer: id.
        worn_s: how long a device was worn.
        dwell_s: how long the officer was in the zone, silences of more than 5 min left out.
        visits: in order of time.
    """

    officer: int
    worn_s: float
    dwell_s: float
    visits: tuple[ZoneVisit, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ShiftPresence:
    """One shift.

    Attributes:
        shift: cut at the ends of the time asked for.
        expected_s: how long the zone was in force.
        manned_s: of that, how long anybody was there.
        officers: who wore a device, the longest in the zone first.
    """

    shift: Interval
    expected_s: float
    manned_s: float
    officers: tuple[OfficerPresence, ...]


def fixes_of(device: int, track: Track) -> Fixes:
    """What a fence needs of a track, doubted as ingest doubts it."""
    known = clean(track).cleaned
    confident = ((known.sat < 0) | (known.sat >= SATELLITES_MIN)) & ~(known.hdop > HDOP_MAX)
    return Fixes.of(
        device=device, time_ms=known.time_ms, lon=known.lon, lat=known.lat, accuracy_m=known.accuracy_m,
        confident=confident,
    )  # fmt: skip


def find_presence(zones: Sequence[Zone], wearers: Iterable[Wearer], shifts: Iterable[Interval]) -> list[ShiftPresence]:
    """What each shift comes to.

    Args:
        zones: the versions of one zone.
        wearers: everybody whom it concerns, an officer for each device worn.
        shifts: in order, none of them empty.
    """
    fences = Fences(zones)
    ordered = sorted(wearers, key=lambda one: one.officer)
    return [_shift(fences, zones, ordered, shift) for shift in shifts]


def rostered_presence(found: Iterable[ShiftPresence], roster: Roster, whole: Interval) -> list[ShiftPresence]:
    """What shifts of the roster come to: with everybody who was to be there, and of the others only who was.

    Args:
        found: of the shifts of the roster.
        roster: of everybody whom the zone concerns.
        whole: the time asked for, at whose ends shifts are cut.
    """
    due: dict[Interval, set[int]] = {}
    for officer, shifts in roster.items():
        for shift in common((one.time for one in shifts), [whole]):
            due.setdefault(shift, set()).add(officer)
    return [_with_rostered(one, due[one.shift]) for one in found]


def _with_rostered(one: ShiftPresence, due: set[int]) -> ShiftPresence:
    there = [each for each in one.officers if each.officer in due or each.dwell_s]
    absent = sorted(due - {each.officer for each in there})
    nothing = [OfficerPresence(officer=officer, worn_s=0, dwell_s=0, visits=()) for officer in absent]
    return replace(one, officers=(*there, *nothing))


def _shift(fences: Fences, zones: Sequence[Zone], wearers: Sequence[Wearer], shift: Interval) -> ShiftPresence:
    expected = in_force(zones, shift)
    officers, present = [], list[Interval]()
    for officer, group in groupby(wearers, key=lambda one: one.officer):
        looks = [(one, part) for one in group for part in common([one.worn], [shift])]
        if not looks:
            continue
        stays = [stay for one, part in looks for stay in _stays(fences, one, part)]
        present += [part for _, parts in stays for part in parts]
        officers.append(
            OfficerPresence(
                officer=officer,
                worn_s=seconds(union(part for _, part in looks)),
                dwell_s=sum(visit.dwell_s for visit, _ in stays),
                visits=tuple(sorted((visit for visit, _ in stays), key=lambda visit: visit.start_ms)),
            )
        )
    officers.sort(key=lambda one: (-one.dwell_s, one.officer))
    manned_s = seconds(common(union(present), expected))
    return ShiftPresence(shift=shift, expected_s=seconds(expected), manned_s=manned_s, officers=tuple(officers))


def _stays(fences: Fences, one: Wearer, part: Interval) -> list[tuple[ZoneVisit, list[Interval]]]:
    """Visits, each with the times for which somebody was heard there."""
    first, last = np.searchsorted(one.fixes.time_ms, (part.since - BEFORE_MS, part.until + AFTER_MS)).tolist()
    fixes = one.fixes[first:last]
    (gap,) = np.nonzero(np.diff(fixes.time_ms) > GAP_S * 1000)
    gaps = [Interval(*fixes.time_ms[at : at + 2].tolist()) for at in gap.tolist()]
    found = presences(fences, fixes, part.since, part.until)
    visits = [visit for presence in found for visit in presence.visits]
    return [(visit, without([Interval(visit.start_ms, visit.end_ms)], gaps)) for visit in visits]
