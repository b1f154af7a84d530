"""Sheets of an officer's day and a squad's week; each leaves an audit row for each officer before its first byte."""

import asyncio
import re
from collections.abc import Callable, Sequence
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
from xunlu_platform.api.progress import Progress, attended
from xunlu_platform.api.review import KINDS
from xunlu_platform.api.services import Services, Serving, came_over_tls
from xunlu_platform.api.units import Id
from xunlu_platform.api.zone_map import ground_of
from xunlu_platform.auth.logins import Caller
from xunlu_platform.reports.days import Member, OfficerDay, Reader, find_days, members_of
from xunlu_platform.reports.ground import Beat, beats_of
from xunlu_platform.reports.officer_day import officer_day
from xunlu_platform.reports.period import WHOLE_DAY, Day, dates_of, day_of
from xunlu_platform.reports.rendering import MEDIA_TYPES, Format, rendered
from xunlu_platform.reports.sheet import Making, Sheet
from xunlu_platform.reports.squad_week import squad_week
from xunlu_platform.review.moments import Kind
from xunlu_platform.review.shifts import SHIFT_PATTERN, Shift
from xunlu_platform.review.subjects import SUBJECTS_MAX
from xunlu_platform.store.reports import Zones, count_out_of_sight, read_members, read_zones
from xunlu_platform.store.store import Row, Scope, Session

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
    progress: Annotated[
        bool,
        Query(description="Lines of JSON that tell how many days of officers are read; the last one is the answer."),
    ] = False


Asked = Annotated[Wanted, Depends()]
Make = Callable[[Sequence[OfficerDay], Sequence[Beat], Zones], Sheet]


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

    async def made(
        self, days: Sequence[Day], served: Sequence[Sequence[Member]], make: Make, progress: Progress
    ) -> Sheet:
        """The sheet of every day of everybody who served on it, and of what they have seen together."""
        async with self.services.store.session(self.scope) as session:
            zones = await read_zones(session, days[0].since, days[-1].until, self.services.settings.time_zone)
        kinds = frozenset(kind for kind in COUNTED if self.caller.may(KINDS[kind]))
        reader = Reader(store=self.services.store, scope=self.scope, kinds=kinds, zones=zones)
        found: list[OfficerDay] = []
        for day, members in zip(days, served, strict=True):
            for first in range(0, len(members), SUBJECTS_MAX):
                found += await find_days(reader, members[first : first + SUBJECTS_MAX], day)
                progress.done = len(found)
        bundle = self.services.settings.map
        beats = await asyncio.to_thread(beats_of, zones, found, partial(ground_of, bundle) if bundle else None)
        return await asyncio.to_thread(make, found, beats, zones)

    async def note(self, session: Session, action: str, rows: Sequence[Row], days: Sequence[Day]) -> None:
        """Write down who looked at whom: a row for each officer."""
        told = {"from": days[0].since.isoformat(), "to": days[-1].until.isoformat(), "format": self.wanted.form}
        async with session.connection.pipeline():
            for officer, number in {row["id"]: row["number"] for row in rows}.items():
                await record(session, self.caller, action, number, subject=f"o{officer}", **told)

    async def answer(
        self, request: Request, name: str, rows: Sequence[Row], days: Sequence[Day], make: Make
    ) -> Response:
        """The sheet as a file, named for people; JSON as it is."""
        served = members_of(rows, len(days))

        async def work(progress: Progress) -> Response:
            async with _turns:
                return await self._file(await self.made(days, served, make, progress), name)

        return await attended(request, work, of=len(rows), told=self.wanted.progress)

    async def _file(self, sheet: Sheet, name: str) -> Response:
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
    async with services.store.session(desk.scope) as session:
        rows = await read_members(session, ids=[officer], days=[days[0].since], until=days[0].until, officers_max=1)
        if not rows:
            raise not_found("officer")
        await desk.note(session, "report.officer_day", rows, days)

    def make(found: Sequence[OfficerDay], beats: Sequence[Beat], zones: Zones) -> Sheet:
        return officer_day(found[0], beats, zones, desk.zone, unfinished=unfinished)

    return await desk.answer(request, day.isoformat(), rows, days, make)


@router.get("/squad-week", response_class=Response)
async def one_squad_week(
    services: Serving,
    caller: Annotated[Caller, allow("track")],
    request: Request,
    wanted: Asked,
    unit: Id,
    week: Annotated[str, Query(pattern=WEEK_PATTERN, description="ISO 8601, such as `2026-W47`; Monday to Sunday.")],
) -> Response:
    """What the week of a unit with all below came to: the days of who served there, at most 200 officers."""
    desk = _desk(services, caller, request, wanted, None)
    days, unfinished = desk.days(_dates(week))
    period = Day(date=days[0].date, since=days[0].since, until=days[-1].until)
    begins = [one.since for one in days]
    async with services.store.session(desk.scope) as session:
        squad = await session.one("units", "one", {"id": unit})
        if squad is None:
            raise not_found("unit")
        rows = await read_members(session, unit=unit, days=begins, until=period.until, officers_max=OFFICERS_MAX)
        if len({row["id"] for row in rows}) > OFFICERS_MAX:
            raise invalid(
                "unit", "too-many-officers", "This unit has more than {officers} officers; choose one below it.",
                officers=OFFICERS_MAX,
            )  # fmt: skip
        out_of_sight = await count_out_of_sight(session, unit, begins)
        await desk.note(session, "report.squad_week", rows, days)

    def make(found: Sequence[OfficerDay], beats: Sequence[Beat], zones: Zones) -> Sheet:
        return squad_week(
            squad["name"], found, period, beats, zones, desk.zone, unfinished=unfinished, out_of_sight=out_of_sight
        )

    return await desk.answer(request, week, rows, days, make)


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
