"""Sheets of an officer's day and a squad's week; each leaves an audit row for each officer before its first byte."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response

from xunlu_gis.errors import ReportError
from xunlu_gis.report.document import Language
from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.periods import YEAR_MAX, YEAR_MIN
from xunlu_platform.api.problems import Problem, invalid, not_found
from xunlu_platform.api.review import KINDS
from xunlu_platform.api.services import Services, Serving, came_over_tls
from xunlu_platform.api.units import Id
from xunlu_platform.api.zone_map import ground_of
from xunlu_platform.auth.logins import Caller
from xunlu_platform.reports.days import Member, OfficerDay, Reader, find_days, member_of
from xunlu_platform.reports.ground import Beat, beats_of
from xunlu_platform.reports.officer_day import officer_day
from xunlu_platform.reports.period import WHOLE_DAY, Day, dates_of, day_of
from xunlu_platform.reports.rendering import MEDIA_TYPES, Format, rendered
from xunlu_platform.reports.sheet import Making, Sheet
from xunlu_platform.reports.squad_week import squad_week
from xunlu_platform.review.moments import Kind
from xunlu_platform.review.shifts import SHIFT_PATTERN, Shift
from xunlu_platform.store.reports import read_members, read_zones
from xunlu_platform.store.store import Scope, Session

router = APIRouter(prefix="/reports", tags=["reports"])

OFFICERS_MAX = 200
WEEK_PATTERN = r"^[0-9]{4}-W[0-9]{2}$"
HOST = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}")
COUNTED: tuple[Kind, ...] = ("recording", "burst", "alarm", "event")
FILE_NAMES = {"officer-day": "队员日报", "squad-week": "中队周报"}

# Each reads and computes for seconds: more at once would only make all of them late.
_turns = asyncio.Semaphore(2)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What every sheet is asked for with."""

    form: Annotated[Format, Query(alias="format")] = "json"
    shift: Annotated[
        str | None, Query(pattern=SHIFT_PATTERN, description="`22:00-06:00`; belongs to the day on which it begins.")
    ] = None
    language: Annotated[Language, Query(description="Of the sheet.")] = "zh-CN"


Asked = Annotated[Wanted, Depends()]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Desk:
    """Who asks for what sheet of which time; the days are cut at the moment of the asking."""

    services: Services
    caller: Caller
    wanted: Wanted
    scope: Scope
    now: datetime
    base: str

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.services.settings.time_zone)

    def days(self, dates: Sequence[date]) -> tuple[list[Day], bool]:
        """The days that have begun, and whether the last of all is not over."""
        shift = Shift.parsed(self.wanted.shift) if self.wanted.shift else WHOLE_DAY
        if not YEAR_MIN <= dates[0].year <= dates[-1].year <= YEAR_MAX:
            raise invalid(
                "date", "period-years", "Ask for a time between {first} and {last}.", first=YEAR_MIN, last=YEAR_MAX
            )
        whole = [day_of(one, shift, self.zone) for one in dates]
        if empty := next((day for day in whole if day.until <= day.since), None):
            raise invalid(
                "shift", "no-shift", "On {date} clocks change, and this shift does not exist; choose another.",
                date=empty.date.isoformat(),
            )  # fmt: skip
        begun = [lived for day in whole if (lived := day.so_far(self.now))]
        if not begun:
            raise invalid(
                "date", "not-begun", "{date} has not begun; choose an earlier day.", date=dates[0].isoformat()
            )
        return begun, self.now < whole[-1].until

    async def read(self, members: Sequence[Member], days: Sequence[Day]) -> tuple[list[OfficerDay], list[Beat], Reader]:
        """Every day of every officer, and what they have seen together."""
        async with self.services.store.session(self.scope) as session:
            zones = await read_zones(session, days[0].since, days[-1].until, self.services.settings.time_zone)
        kinds = frozenset(kind for kind in COUNTED if self.caller.may(KINDS[kind]))
        reader = Reader(store=self.services.store, scope=self.scope, kinds=kinds, zones=zones)
        found = [one for day in days for one in await find_days(reader, members, day)] if members else []
        bundle = self.services.settings.map
        beats = await asyncio.to_thread(beats_of, zones, found, partial(ground_of, bundle) if bundle else None)
        return found, beats, reader

    async def note(self, session: Session, action: str, members: Sequence[Member], days: Sequence[Day]) -> None:
        """Write down who looked at whom: a row for each officer."""
        told = {"from": days[0].since.isoformat(), "to": days[-1].until.isoformat(), "format": self.wanted.form}
        async with session.connection.pipeline():
            for member in members:
                await record(session, self.caller, action, member.officer.number, subject=member.key, **told)

    async def answer(self, sheet: Sheet, name: str) -> Response:
        """The sheet as a file, named for people; JSON as it is."""
        form = self.wanted.form
        making = Making(
            language=self.wanted.language, zone=self.zone, made_by=self.caller.display_name or self.caller.username,
            made_at=self.now, base=self.base,
        )  # fmt: skip
        try:
            body = await asyncio.to_thread(rendered, sheet, making, form)
        except ReportError as error:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY, "no-sheet", "The sheet cannot be made.", str(error)
            ) from error
        plain, spoken = f"{sheet.kind}-{name}.{form}", f"{FILE_NAMES[sheet.kind]}-{sheet.subject}-{name}.{form}"
        headers = {} if form == "json" else {"Content-Disposition": disposition(plain, spoken)}
        return Response(body, headers=headers, media_type=MEDIA_TYPES[form])


@router.get("/officer-day", response_class=Response)
async def one_officer_day(
    services: Serving,
    caller: Annotated[Caller, allow("review")],
    request: Request,
    wanted: Asked,
    officer: Id,
    day: Annotated[date, Query(alias="date", description="Of the organisation's calendar.")],
) -> Response:
    """What an officer's day, or the shift that begins on it, came to."""
    desk = _desk(services, caller, request, wanted, officer)
    days, unfinished = desk.days([day])
    async with _turns:
        async with services.store.session(desk.scope) as session:
            rows = await read_members(session, ids=[officer], since=days[0].since, until=days[0].until, limit=1)
            member = member_of(rows)
            await desk.note(session, "report.officer_day", [member], days)
        [found], beats, reader = await desk.read([member], days)
        make = partial(officer_day, found, beats, reader.zones, desk.zone, unfinished=unfinished)
        return await desk.answer(await asyncio.to_thread(make), day.isoformat())


@router.get("/squad-week", response_class=Response)
async def one_squad_week(
    services: Serving,
    caller: Annotated[Caller, allow("track")],
    request: Request,
    wanted: Asked,
    unit: Id,
    week: Annotated[str, Query(pattern=WEEK_PATTERN, description="ISO 8601, such as `2026-W47`; Monday to Sunday.")],
) -> Response:
    """What the week of a unit with all below came to: at most 200 officers, each figure the sum of their days."""
    desk = _desk(services, caller, request, wanted, None)
    days, unfinished = desk.days(_dates(week))
    async with _turns:
        async with services.store.session(desk.scope) as session:
            squad = await session.one("units", "one", {"id": unit})
            if squad is None:
                raise not_found("unit")
            since, until = days[0].since, days[-1].until
            rows = await read_members(session, unit=unit, since=since, until=until, limit=OFFICERS_MAX + 1)
            if len(rows) > OFFICERS_MAX:
                raise invalid(
                    "unit", "too-many-officers", "This unit has more than {officers} officers; choose one below it.",
                    officers=OFFICERS_MAX,
                )  # fmt: skip
            members = [Member.of(row) for row in rows]
            await desk.note(session, "report.squad_week", members, days)
        found, beats, reader = await desk.read(members, days)
        period = Day(date=days[0].date, since=since, until=until)
        make = partial(squad_week, squad["name"], found, period, beats, reader.zones, desk.zone, unfinished=unfinished)
        return await desk.answer(await asyncio.to_thread(make), week)


def _desk(services: Services, caller: Caller, request: Request, wanted: Wanted, officer: int | None) -> _Desk:
    """Where to look; an officer asks only for themselves, and then also what they wore once is theirs."""
    own, scope = caller.scope.officer_id, caller.scope
    if own is not None:
        if officer != own:
            raise not_found("officer")
        scope = Scope(caller.scope.path)
    host = request.headers.get("host", "")
    scheme = "https" if came_over_tls(request) else "http"
    now = datetime.fromtimestamp(services.clock.time_ms() / 1000, UTC)
    base = f"{scheme}://{host}" if HOST.fullmatch(host) else ""
    return _Desk(services=services, caller=caller, wanted=wanted, scope=scope, now=now, base=base)


def _dates(week: str) -> list[date]:
    try:
        return dates_of(week)
    except ValueError as error:
        raise invalid(
            "week", "no-week", "There is no week {week}; a year has 52 or 53, written as 2026-W47.", week=week
        ) from error


def disposition(plain: str, spoken: str) -> str:
    """`Content-Disposition` of a file with a name for people, and one for who reads ASCII only (RFC 6266 §4.3).

    Args:
        plain: of letters, digits, dots and hyphens.
        spoken: any text; what no file system takes in a name is replaced.
    """
    named = re.sub(r'[\x00-\x1f\x7f\\/:*?"<>|]+', "_", spoken)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(named, safe='')}"
