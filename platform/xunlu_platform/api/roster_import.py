"""The roster from a file and as one: every row is looked at before any is written; all of them or none."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final, NamedTuple
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response

from xunlu_gis.report.document import Language
from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.devices import OfficerName
from xunlu_platform.api.officers import require_unit
from xunlu_platform.api.paging import Answer
from xunlu_platform.api.periods import NeededFrom, NeededTo, check_years
from xunlu_platform.api.problems import FIELD_ERRORS_MAX, Complaint, Problem, Value, invalid
from xunlu_platform.api.roster_file import Line, RosterFile, at_row, read_roster, write_roster
from xunlu_platform.api.services import Serving
from xunlu_platform.api.units import Id
from xunlu_platform.auth.logins import Caller
from xunlu_platform.errors import TooMuchError
from xunlu_platform.store.roster import NewShift, add_shifts, hold_officers, read_rostered
from xunlu_platform.store.store import Row, Session

router = APIRouter(prefix="/roster")

EXPORT_MAX: Final = 20_000
BODY: Final = {"requestBody": {"content": {"text/csv": {"schema": {"type": "string"}}}, "required": True}}

Planner = Annotated[Caller, allow("roster")]
OfUnit = Annotated[Id | None, Query(description="Look for officers in this unit and all below only.")]


class PlannedShift(Answer):
    """A shift that a row says; `zone` is the name of a post or another zone."""

    row: int
    officer: OfficerName
    begins_at: datetime
    ends_at: datetime
    zone: str | None
    note: str


class WrongRow(Answer):
    """What is wrong with a row, in the form of the `errors` of a problem; `values` holds the row as well."""

    row: int
    field: str
    reason: str
    message: str
    values: dict[str, Value]


class Preview(Answer):
    """What a file comes to. It can be imported when nothing is wrong."""

    shifts: list[PlannedShift]
    wrong: list[WrongRow]


class Imported(Answer):
    """How many shifts were written."""

    imported: int


class _Known(NamedTuple):
    """A row whose officer and zone were found."""

    line: Line
    officer: Row
    zone: Row | None


@router.post("/check", openapi_extra=BODY)
async def check(services: Serving, caller: Planner, request: Request, unit: OfUnit = None) -> Preview:
    """What a CSV file would come to; nothing is saved."""
    place = ZoneInfo(services.settings.time_zone)
    file = await asyncio.to_thread(read_roster, await request.body(), place)
    async with services.store.session(caller.scope) as session:
        known, wrong = await _look_up(session, file, unit, place)
    return Preview(shifts=[_planned(one) for one in known], wrong=[_wrong_row(one) for one in wrong])


@router.post("/import", openapi_extra=BODY)
async def import_roster(services: Serving, caller: Planner, request: Request, unit: OfUnit = None) -> Imported:
    """Write the shifts of a CSV file: number or name, date, shift, post, note; all rows or none."""
    place = ZoneInfo(services.settings.time_zone)
    file = await asyncio.to_thread(read_roster, await request.body(), place)
    async with services.store.session(caller.scope) as session:
        known, wrong = await _look_up(session, file, unit, place, hold=True)
        if wrong:
            raise _refused(wrong)
        await add_shifts(session, caller.account_id, [_new(one) for one in known])
        await record(session, caller, "shift.import", f"{len(known)}", **({"unit": unit} if unit else {}))
    return Imported(imported=len(known))


@router.get("/export")
async def export(
    services: Serving,
    caller: Annotated[Caller, allow("see")],
    since: NeededFrom,
    until: NeededTo,
    unit: Annotated[Id | None, Query(description="Of this unit and all below.")] = None,
    language: Annotated[Language, Query(description="Of the heading.")] = "zh-CN",
) -> Response:
    """The shifts of at most 31 days as a CSV file that `import` takes."""
    check_years(since, until)
    nothing = dict.fromkeys(("id", "officer", "after_at", "after_id"))
    values = {"from": since, "to": until, "unit": unit, "withdrawn": False, "limit": EXPORT_MAX + 1}
    async with services.store.session(caller.scope) as session:
        rows = await session.all("roster", "page", {**nothing, **values})
    if len(rows) > EXPORT_MAX:
        raise TooMuchError(f"There are more than {EXPORT_MAX:,} shifts. Ask for a shorter time, or for one unit.")
    text = "".join(write_roster(rows, ZoneInfo(services.settings.time_zone), language))
    headers = {"Content-Disposition": 'attachment; filename="roster.csv"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


async def _look_up(
    session: Session, file: RosterFile, unit: int | None, place: ZoneInfo, *, hold: bool = False
) -> tuple[list[_Known], list[Complaint]]:
    """Find whom and what the rows name; what is wrong, in order of rows.

    Args:
        session: within the scope of whoever imports.
        file: its rows.
        unit: whose officers are looked at; None: all in scope.
        place: zone of time, for words about shifts.
        hold: keep other writers from the shifts of these officers until the transaction ends.
    """
    if unit is not None:
        await require_unit(session, unit)
    names = {"numbers": [one.number for one in file.lines], "names": [one.name for one in file.lines]}
    officers = await session.all("roster", "officers_called", {**names, "unit": unit})
    zones = await session.all("roster", "zones_called", {"names": [one.post for one in file.lines if one.post]})
    known, wrong = [], list(file.wrong)
    for line in file.lines:
        try:
            officer, zone = _officer(line, officers), _zone(line, zones)
            known.append(_Known(line, officer, zone))
        except Problem as problem:
            wrong += [at_row(line.row, complaint) for complaint in problem.errors]
    found = {one.officer["id"] for one in known}
    if hold:
        await hold_officers(session, found)
    wrong += _overlaps(known, await _stored(session, known, found), place)
    return known, sorted(wrong, key=lambda one: one["values"]["row"])


async def _stored(session: Session, known: Sequence[_Known], officers: Collection[int]) -> list[Row]:
    if not known:
        return []
    since, until = min(one.line.begins_at for one in known), max(one.line.ends_at for one in known)
    return await read_rostered(session, officers, since, until)


def _officer(line: Line, officers: Iterable[Row]) -> Row:
    called = line.number or line.name
    found = [one for one in officers if called == (one["number"] if line.number else one["name"])]
    if not found:
        raise invalid("number" if line.number else "name", "no-such-officer", "There is no {number}.", number=called)
    if len(found) > 1:
        raise invalid(
            "name",
            "ambiguous-officer",
            "{officers} are called {name}: give the number.",
            officers=len(found),
            name=called,
        )
    [officer] = found
    if line.name and officer["name"] != line.name:
        raise invalid("name", "other-name", "{number} is called {name}.", number=called, name=officer["name"])
    if not officer["active"]:
        raise invalid("number", "officer-inactive", "This officer is no longer active.")
    return officer


def _zone(line: Line, zones: Iterable[Row]) -> Row | None:
    if not line.post:
        return None
    found = [one for one in zones if one["name"] == line.post]
    if len(found) != 1:
        reason = "ambiguous-zone" if found else "no-such-zone"
        message = "{zones} zones are called {zone}." if found else "There is no zone {zone} in force."
        raise invalid("post", reason, message, zone=line.post, zones=len(found))
    return found[0]


class _Span(NamedTuple):
    begins_at: datetime
    ends_at: datetime
    row: int
    """0: it is stored already."""


def _overlaps(known: Iterable[_Known], stored: Iterable[Row], place: ZoneInfo) -> Iterator[Complaint]:
    """Rows that lie across another one, or across what is stored."""
    spans: dict[int, list[_Span]] = defaultdict(list)
    for row in stored:
        spans[row["officer_id"]].append(_Span(row["begins_at"], row["ends_at"], 0))
    for one in known:
        spans[one.officer["id"]].append(_Span(one.line.begins_at, one.line.ends_at, one.line.row))
    for of_one in spans.values():
        told: Counter[int] = Counter()
        latest, *others = sorted(of_one)
        for span in others:
            wrong, other = (span, latest) if span.row else (latest, span)
            if span.begins_at < latest.ends_at and not told[wrong.row]:
                told[wrong.row] += 1
                yield _overlap(wrong.row, other, place)
            latest = max(latest, span, key=lambda each: each.ends_at)


def _overlap(row: int, other: _Span, place: ZoneInfo) -> Complaint:
    begins, ends = other.begins_at.astimezone(place), other.ends_at.astimezone(place)
    shift = f"{begins:%Y-%m-%d %H:%M}-{ends:%H:%M}"
    message = f"It overlaps the shift {shift} of the same officer."
    return at_row(row, Complaint(field="shift", reason="shift-overlaps", message=message, values={"shift": shift}))


def _new(one: _Known) -> NewShift:
    line = one.line
    zone_id = one.zone["id"] if one.zone else None
    return NewShift(
        officer_id=one.officer["id"], begins_at=line.begins_at, ends_at=line.ends_at, zone_id=zone_id, note=line.note
    )


def _planned(one: _Known) -> PlannedShift:
    line, officer = one.line, one.officer
    name = OfficerName(id=officer["id"], number=officer["number"], name=officer["name"])
    return PlannedShift(
        row=line.row, officer=name, begins_at=line.begins_at, ends_at=line.ends_at,
        zone=one.zone["name"] if one.zone else None, note=line.note,
    )  # fmt: skip


def _wrong_row(one: Complaint) -> WrongRow:
    values = dict(one["values"])
    return WrongRow(
        row=int(values["row"]), field=one.get("field", ""), reason=one["reason"], message=one["message"], values=values
    )


def _refused(wrong: Sequence[Complaint]) -> Problem:
    title = f"{len(wrong)} rows cannot be taken."
    detail = "Correct them and import the file again; nothing was saved."
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", title, detail, errors=wrong[:FIELD_ERRORS_MAX])
