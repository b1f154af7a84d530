"""Looking back at a zone: who was there for how long, and which of its streets nobody has seen since when."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime

from xunlu_gis.errors import MapError
from xunlu_gis.fence import Zone
from xunlu_gis.fence.event import Reason
from xunlu_gis.presence import ZoneVisit
from xunlu_gis.track import Track
from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.devices import OfficerName
from xunlu_platform.api.paging import Answer
from xunlu_platform.api.periods import NeededFrom, NeededTo, check_years
from xunlu_platform.api.problems import conflict, invalid, not_found
from xunlu_platform.api.services import Serving
from xunlu_platform.api.units import Id
from xunlu_platform.api.zone_map import ground_of
from xunlu_platform.auth.logins import Caller
from xunlu_platform.errors import TooMuchError
from xunlu_platform.review.coverage import Seen, find_coverage
from xunlu_platform.review.presence import (
    AFTER_MS,
    BEFORE_MS,
    ShiftPresence,
    Wearer,
    find_presence,
    fixes_of,
    rostered_presence,
)
from xunlu_platform.review.roster import Roster, RosteredShift, rostered
from xunlu_platform.review.shifts import SHIFT_PATTERN, Interval, Shift, common
from xunlu_platform.store.review import Stretch
from xunlu_platform.store.roster import read_posted
from xunlu_platform.store.store import Row, Session
from xunlu_platform.store.zone_looks import OFFICERS_MAX, Bounds, read_concerned, read_near, read_versions, read_wearers
from xunlu_platform.store.zones import instant, milliseconds, zone_of

router = APIRouter(prefix="/zones")

SHIFTS_MAX: Final = 6
LOOKS_MAX: Final = 5_000
"""An officer in a shift is one look of a millisecond or two."""
COVERAGE_M2_MAX: Final = 1e8
WHOLE_DAY: Final = "00:00-00:00"

ShiftName = Annotated[str, Query(pattern=SHIFT_PATTERN)]
Looker = Annotated[Caller, allow("track")]


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """Which zone, and which time."""

    zone_id: Id
    since: NeededFrom
    until: NeededTo


Asked = Annotated[Question, Depends()]


class Visit(Answer):
    """A stay; `reason` says why it ended: by foot (empty), `gap`, `closed`; null: it had not, as far as is known."""

    since: datetime
    until: datetime
    dwell_s: float
    reason: Reason | None


class OfficerShift(Answer):
    """An officer in a shift; `share` is of the time in which the zone was in force.

    `rostered` says whether they are on a shift then, and `post` where they are to be; null without a roster.
    """

    officer: OfficerName
    rostered: bool | None
    post: str | None
    worn_s: float
    dwell_s: float
    share: float
    visits: list[Visit]


class ShiftTold(Answer):
    """A shift, up to now at most: how long the zone was in force, and how long anybody was there."""

    since: datetime
    until: datetime
    expected_s: float
    manned_s: float
    share: float
    officers: list[OfficerShift]


class PresenceTold(Answer):
    """`concerned` is how many officers the zone concerns, whether or not they wore a device.

    `rostered`: the shifts are those of the roster. `unrostered` are officers who have none in that time.
    """

    concerned: int
    rostered: bool
    unrostered: list[OfficerName]
    shifts: list[ShiftTold]


class UnseenStreet(Answer):
    """A street that waits; `seen_at` is of the piece that waits longest, null: not within the time asked for."""

    name: str
    length_m: float
    unseen_m: float
    seen_at: datetime | None


class CoverageTold(Answer):
    """What was seen; `area` and `streets` are GeoJSON, each piece of street with `name`, `length_m` and `seen_ms`."""

    devices: int
    area_m2: float
    area_share: float
    street_m: float
    street_all_m: float
    street_share: float
    unseen: list[UnseenStreet]
    area: dict[str, Any]
    streets: dict[str, Any]


@router.get("/{zone_id}/presence")
async def presence(
    services: Serving,
    caller: Looker,
    asked: Asked,
    shift: Annotated[
        list[ShiftName] | None,
        Query(max_length=SHIFTS_MAX, description="`08:00-16:00`, local; repeat it. Without it: those of the roster."),
    ] = None,
) -> PresenceTold:
    """Who was in a zone in each shift, with visits and dwell, beside how long it was to be manned; at most 31 days."""
    check_years(asked.since, asked.until)
    place = ZoneInfo(services.settings.time_zone)
    until = min(asked.until, datetime.now(UTC))
    whole = Interval(milliseconds(asked.since), max(milliseconds(until), milliseconds(asked.since)))
    async with services.store.session(caller.scope) as session:
        rows, officers = await _concerned(session, asked)
        roster = {} if shift else await rostered(session, officers, whole)
        shifts = _shifts_of(roster, whole) or _shifts_named(shift or [WHOLE_DAY], whole, place)
        if len(shifts) * len(officers) > LOOKS_MAX:
            raise TooMuchError("Too many officers in too many shifts. Ask for a shorter time.")
        zones = [zone_of(row, services.settings.time_zone) for row in rows]
        worn = await read_wearers(session, list(officers), asked.since, asked.until)
        tracks = await read_near(session, [_around(one) for _, one in worn], _bounds(zones))
        await _note(session, caller, "zone.presence", asked, [officers[one]["number"] for one in {o for o, _ in worn}])
    found = await asyncio.to_thread(_look, zones, worn, tracks, shifts)
    by_roster = any(roster.values())
    if by_roster:
        found = rostered_presence(found, roster, whole)
    return PresenceTold(
        concerned=len(officers),
        rostered=by_roster,
        unrostered=[OfficerName(**officers[one]) for one, theirs in roster.items() if not theirs],
        shifts=[_shift(one, officers, roster if by_roster else None) for one in found],
    )


@router.get("/{zone_id}/coverage")
async def coverage(
    services: Serving,
    caller: Looker,
    asked: Asked,
    unseen_since: Annotated[
        AwareDatetime | None, Query(description="Streets not seen since then are told; `from` when left out.")
    ] = None,
) -> CoverageTold:
    """What those whom a zone concerns have seen of its newest shape: by area, and by street, the better number."""
    check_years(asked.since, asked.until)
    bundle = services.settings.map
    if bundle is None:
        raise not_found("map: none is set (XUNLU_PLATFORM_MAP)")
    async with services.store.session(caller.scope) as session:
        rows, officers = await _concerned(session, asked)
        newest = zone_of(rows[-1], services.settings.time_zone)
        if newest.shape.area_m2 > COVERAGE_M2_MAX:
            raise conflict("zone-too-large", "A patrol covers at most 100 km².", "Ask about a smaller zone.")
        worn = await read_wearers(session, list(officers), asked.since, asked.until)
        tracks = await read_near(session, [one for _, one in worn], _bounds([newest]))
        await _note(session, caller, "zone.coverage", asked, [officers[one]["number"] for one in {o for o, _ in worn}])
    since_ms = milliseconds(unseen_since or asked.since)
    try:
        seen = await asyncio.to_thread(_cover, bundle, rows[-1]["shape"], tracks, since_ms)
    except MapError as error:
        raise not_found("street: the map has none") from error
    return await asyncio.to_thread(_coverage, seen, len({one.did for _, one in worn}))


async def _concerned(session: Session, asked: Question) -> tuple[list[Row], dict[int, Row]]:
    """Versions of the zone, and the officers whom it concerns, by id: its audience, and whoever has a shift there."""
    rows = await read_versions(session, asked.zone_id, asked.since, asked.until)
    if not rows:
        if not await session.all("zones", "versions", {"id": asked.zone_id}):
            raise not_found("zone")
        raise invalid("from", "zone-not-yet", "The zone was not in force then: ask for another time.")
    found = await read_concerned(session, rows, asked.since, asked.until)
    found += await read_posted(session, asked.zone_id, asked.since, asked.until, OFFICERS_MAX)
    return rows, {row["id"]: row for row in found}


def _shifts_of(roster: Roster, whole: Interval) -> list[Interval]:
    """The times of all shifts, each once."""
    return sorted({*common((one.time for shifts in roster.values() for one in shifts), [whole])})


def _shifts_named(names: Sequence[str], whole: Interval, place: ZoneInfo) -> list[Interval]:
    return sorted(one for name in names for one in Shift.parsed(name).within(whole, place))


def _around(stretch: Stretch) -> Stretch:
    """With the fixes before and after that tell what happened at its ends."""
    before, after = timedelta(milliseconds=BEFORE_MS), timedelta(milliseconds=AFTER_MS)
    return replace(stretch, since=stretch.since - before, until=stretch.until + after)


def _bounds(zones: Sequence[Zone]) -> Bounds:
    west, south, east, north = zip(*(zone.shape.area.bounds for zone in zones), strict=True)
    return min(west), min(south), max(east), max(north)


async def _note(session: Session, caller: Caller, action: str, asked: Question, numbers: Sequence[str]) -> None:
    """Write down who looked at whom: a row for each officer, one without a name when nobody wore anything."""
    detail = {"zone": asked.zone_id, "from": asked.since.isoformat(), "to": asked.until.isoformat()}
    async with session.connection.pipeline():
        for number in numbers or [""]:
            await record(session, caller, action, number, **detail)


def _look(
    zones: Sequence[Zone], worn: Sequence[tuple[int, Stretch]], tracks: Sequence[Track], shifts: Sequence[Interval]
) -> list[ShiftPresence]:
    wearers = [
        Wearer(
            officer=officer,
            worn=Interval(milliseconds(stretch.since), milliseconds(stretch.until)),
            fixes=fixes_of(stretch.device_id or 0, track),
        )
        for (officer, stretch), track in zip(worn, tracks, strict=True)
    ]
    return find_presence(zones, wearers, shifts)


def _shift(one: ShiftPresence, officers: dict[int, Row], roster: Roster | None) -> ShiftTold:
    theirs = {each.officer: _on_shift(roster[each.officer], one.shift) for each in one.officers} if roster else {}
    posts = {officer: shift.zone for officer, shift in theirs.items() if shift}
    return ShiftTold(
        since=instant(one.shift.since),
        until=instant(one.shift.until),
        expected_s=one.expected_s,
        manned_s=one.manned_s,
        share=_share(one.manned_s, one.expected_s),
        officers=[
            OfficerShift(
                officer=OfficerName(**officers[each.officer]),
                rostered=each.officer in posts if roster else None,
                post=posts.get(each.officer),
                worn_s=each.worn_s,
                dwell_s=each.dwell_s,
                share=_share(each.dwell_s, one.expected_s),
                visits=[_visit(visit) for visit in each.visits],
            )
            for each in one.officers
        ],
    )


def _on_shift(shifts: Sequence[RosteredShift], time: Interval) -> RosteredShift | None:
    """The first shift of an officer within a time."""
    return next((one for one in shifts if common([one.time], [time])), None)


def _visit(visit: ZoneVisit) -> Visit:
    return Visit(since=instant(visit.start_ms), until=instant(visit.end_ms), dwell_s=visit.dwell_s, reason=visit.reason)


def _share(part_s: float, whole_s: float) -> float:
    return round(min(1.0, part_s / whole_s), 4) if whole_s else 0.0


def _cover(bundle: Path, shape: dict[str, Any], tracks: Sequence[Track], unseen_since_ms: int) -> Seen:
    return find_coverage(ground_of(bundle, shape), tracks, unseen_since_ms)


def _coverage(seen: Seen, devices: int) -> CoverageTold:
    found = seen.coverage
    return CoverageTold(
        devices=devices,
        area_m2=round(found.area_m2, 1),
        area_share=round(found.area_share, 4),
        street_m=round(found.street_m, 1),
        street_all_m=round(seen.street_all_m, 1),
        street_share=round(found.street_share, 4),
        unseen=[
            UnseenStreet(
                name=age.name,
                length_m=round(age.length_m, 1),
                unseen_m=round(age.unseen_m, 1),
                seen_at=None if age.seen_ms is None else instant(age.seen_ms),
            )
            for age in seen.ages
        ],
        area=seen.area(),
        streets=seen.streets(),
    )
