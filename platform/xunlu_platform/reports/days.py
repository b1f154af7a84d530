"""An officer's day: who wore what, and what came of it."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np

from xunlu_gis.fence import Fixes
from xunlu_gis.plane import Floats
from xunlu_gis.presence import GAP_S, presences
from xunlu_platform.errors import TooMuchError
from xunlu_platform.reports.period import Day
from xunlu_platform.review.moments import Kind, Moment, find_moments
from xunlu_platform.review.roster import RosteredShift, on_duty, rostered
from xunlu_platform.review.shape import Piece
from xunlu_platform.review.shifts import Interval, common, union, without
from xunlu_platform.review.subjects import SUBJECTS_MAX, Officer, find_subjects
from xunlu_platform.review.tracks import Worn, find_tracks
from xunlu_platform.store.reports import Zones, read_ends
from xunlu_platform.store.store import Row, Scope, Store
from xunlu_platform.store.zones import Holder

LEVEL: Final = 5
"""Metres that the drawn way may lie off: less than a fix of a good receiver."""

STEP_MS: Final = 10_000
"""How far apart the places are at which a way is compared with zones."""


STANDING_STEPS: Final = 6
"""Of so many steps one is enough while somebody stands."""
STILL_DEG: Final = 1e-5
"""A step of less than about a metre is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """An officer on a day.

    Attributes:
        officer: with the name of the unit where they served then.
        path: of that unit, which says what zones concern them.
    """

    officer: Officer
    path: str

    @classmethod
    def of(cls, row: Row) -> "Member":
        """From a row of `reports.members`."""
        return cls(officer=Officer.of(row), path=row["path"])

    @property
    def key(self) -> str:
        """As a subject."""
        return f"o{self.officer.id}"

    @property
    def holder(self) -> Holder:
        """As zones see somebody; which device it is makes no difference to them."""
        return Holder(device=0, officer=self.officer.id, path=self.path)


class Stay(NamedTuple):
    """All visits of one zone.

    Attributes:
        zone: id.
        visits: how many.
        times: when somebody was there, gaps left out, in order.
    """

    zone: int
    visits: int
    times: tuple[Interval, ...]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class OfficerDay:
    """What is known of a day.

    Attributes:
        member: whose it is.
        day: which.
        worn: what each device that was worn comes to, one after the other.
        first_fix: None without any.
        last_fix: None without any.
        moments: in order of time.
        kinds: those that the reader may see; others are not known.
        stays: in order of zone; only of zones that concern the officer.
        shifts: of the roster, those that lie in the day altogether or in part.
    """

    member: Member
    day: Day
    worn: tuple[Worn, ...]
    first_fix: datetime | None
    last_fix: datetime | None
    moments: tuple[Moment, ...]
    kinds: frozenset[Kind]
    stays: tuple[Stay, ...]
    shifts: tuple[RosteredShift, ...]

    @property
    def duty(self) -> list[Interval]:
        """When in the day the officer was to be on duty."""
        return common(on_duty(self.shifts), [self.day.interval])


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """Who reads, and from where.

    Attributes:
        store: the database.
        scope: of the reader.
        kinds: of moments that they may see.
        zones: of the whole time of the sheet.
    """

    store: Store
    scope: Scope
    kinds: frozenset[Kind]
    zones: Zones


async def find_days(reader: Reader, members: Sequence[Member], day: Day) -> list[OfficerDay]:
    """The day of each officer, in their order.

    Where that is too much at once, because many hours have no shape yet, halves of them are asked for one by one.

    Raises:
        NotFoundError: an officer is not within the scope.
        TooMuchError: the day of one officer alone is too much.
        StoreError: the database does not answer.
    """
    if len(members) <= SUBJECTS_MAX:
        try:
            return await _find(reader, members, day)
        except TooMuchError:
            if len(members) <= 1:
                raise
    middle = len(members) // 2
    return [*await find_days(reader, members[:middle], day), *await find_days(reader, members[middle:], day)]


async def _find(reader: Reader, members: Sequence[Member], day: Day) -> list[OfficerDay]:
    async with reader.store.session(reader.scope) as session:
        subjects = await find_subjects(session, [one.key for one in members], day.since, day.until)
        told = await find_moments(session, subjects, day.since, day.until, reader.kinds)
        ends = await read_ends(session, [stretch for subject in subjects for stretch in subject.worn])
        roster = await rostered(session, [one.officer.id for one in members], day.interval)
    if told.more:
        raise TooMuchError("More happened than one answer holds. Ask for a shorter shift.")
    found = await find_tracks(reader.store, reader.scope, subjects, LEVEL)
    of_each: dict[str, list[Moment]] = {one.key: [] for one in members}
    for moment in told.moments:
        # An alarm that lasted into the day is of the day on which it was raised.
        if moment.kind != "alarm" or moment.at >= day.since:
            of_each[moment.subject].append(moment)
    fixes = iter([ends.get(n) for n in range(sum(len(subject.worn) for subject in subjects))])
    known = [[one for one in (next(fixes) for _ in subject.worn) if one] for subject in subjects]
    work = list(zip(members, found, known, strict=True))
    return await asyncio.to_thread(
        lambda: [
            OfficerDay(
                member=member,
                day=day,
                worn=tuple(worn),
                first_fix=min((first for first, _ in fix), default=None),
                last_fix=max((last for _, last in fix), default=None),
                moments=tuple(of_each[member.key]),
                kinds=reader.kinds,
                stays=tuple(_stays(reader.zones, member, worn, day)),
                shifts=roster[member.officer.id],
            )
            for member, worn, fix in work
        ]
    )


def _stays(zones: Zones, member: Member, worn: Collection[Worn], day: Day) -> list[Stay]:
    """Visits of zones, by the rules of live events, on the cleaned way; within it there is no gap."""
    pieces = [piece for one in worn for piece in one.shape.pieces]
    if not pieces or not zones.watched.concerns_any(member.holder):
        return []
    fixes = Fixes.of(member.officer.id, *np.concatenate([_places(piece) for piece in pieces], axis=1))
    (silent,) = np.nonzero(np.diff(fixes.time_ms) > GAP_S * 1000)
    gaps = [Interval(*fixes.time_ms[at : at + 2].tolist()) for at in silent.tolist()]
    visits: dict[int, list[Interval]] = {}
    for one in presences(zones.watched.fences, fixes, *day.interval):
        if zones.watched.concerns(one.zone, member.holder):
            inside = [Interval(visit.start_ms, visit.end_ms) for visit in one.visits]
            visits.setdefault(zones.watched.zones[one.zone], []).extend(inside)
    return [Stay(zone, len(inside), tuple(without(union(inside), gaps))) for zone, inside in sorted(visits.items())]


def _places(piece: Piece) -> Floats:
    """Times, longitudes and latitudes along a piece, (3, n), `STEP_MS` apart; fewer where somebody stands."""
    at = np.minimum(np.arange(piece.time_ms[0], piece.time_ms[-1] + STEP_MS, STEP_MS), piece.time_ms[-1])
    lon, lat = (np.interp(at, piece.time_ms, axis) for axis in (piece.lon, piece.lat))
    moves = np.hypot(np.diff(lon), np.diff(lat)) > STILL_DEG
    stands = ~np.concatenate(([True], moves)) & ~np.concatenate((moves, [True]))
    stands[::STANDING_STEPS] = False
    places: Floats = np.stack((at, lon, lat))[:, ~stands]
    return places


def members_of(rows: Iterable[Row], days: int) -> list[list[Member]]:
    """Who served on each of some days, from rows of `reports.members`."""
    served: list[list[Member]] = [[] for _ in range(days)]
    for row in rows:
        served[row["day"]].append(Member.of(row))
    return served
