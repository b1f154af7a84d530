"""The roster (排班): who is on duty from when to when, and where. What no longer holds stays to be looked at."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from http import HTTPStatus
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from xunlu_gis.fence import ZoneKind
from xunlu_platform.api import roster_import
from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.devices import OfficerName
from xunlu_platform.api.officers import require_unit
from xunlu_platform.api.paging import After, Answer, Limit, Page, decode_cursor, page
from xunlu_platform.api.periods import NeededFrom, NeededTo, check_years
from xunlu_platform.api.problems import conflict, invalid, not_found
from xunlu_platform.api.roster_file import NOTE_LENGTH_MAX, check_length
from xunlu_platform.api.services import Serving
from xunlu_platform.api.units import Id
from xunlu_platform.auth.logins import Caller
from xunlu_platform.store.roster import NewShift, add_shifts, hold_officers
from xunlu_platform.store.store import Row, Session

router = APIRouter(tags=["roster"])
router.include_router(roster_import.router)

WEEK = timedelta(days=7)

Planner = Annotated[Caller, allow("roster")]
Note = Annotated[str, Field(max_length=NOTE_LENGTH_MAX, pattern=r"^[^\x00]*$")]


class Post(Answer):
    """Where a shift is: a post, or another zone."""

    id: int
    name: str
    kind: ZoneKind


class Shift(Answer):
    """A shift, who made it, and who took it back; `zone` is null as well where the caller does not see it."""

    id: int
    officer: OfficerName
    begins_at: datetime
    ends_at: datetime
    zone: Post | None
    note: str
    made_by: str | None
    made_at: datetime
    withdrawn_by: str | None
    withdrawn_at: datetime | None


class ShiftBody(BaseModel):
    """A shift as it is to be: `ends_at` is excluded, and at most 24 hours later than `begins_at`."""

    officer_id: Id
    begins_at: AwareDatetime
    ends_at: AwareDatetime
    zone_id: Id | None = None
    note: Note = ""

    def checked(self) -> NewShift:
        """As it is stored.

        Raises:
            Problem: 422, a time that no shift has.
        """
        check_years(self.begins_at, self.ends_at)
        check_length(self.begins_at, self.ends_at)
        return NewShift(**self.model_dump())


class WeekCopy(BaseModel):
    """The shifts of a unit that begin within seven local days from `from` on, to the seven from `into` on."""

    model_config = ConfigDict(populate_by_name=True)

    unit_id: Id
    since: Annotated[date, Field(alias="from")]
    into: date


class Copied(Answer):
    """How many shifts were copied. Left out are those of who has left, or is on another shift then."""

    copied: int
    left_out: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RosterFilter:
    """Which shifts; all filters must hold."""

    since: NeededFrom
    until: NeededTo
    unit: Annotated[Id | None, Query(description="Of this unit and all below.")] = None
    officer: Annotated[Id | None, Query(description="Of this officer only.")] = None
    withdrawn: Annotated[bool, Query(description="With those that were changed or deleted.")] = False

    def values(self, **more: object) -> dict[str, object]:
        """Parameters of the query.

        Raises:
            Problem: 422, a time that nobody can ask for.
        """
        check_years(self.since, self.until)
        given = {"from": self.since, "to": self.until, "unit": self.unit, "officer": self.officer}
        return {**given, "id": None, "withdrawn": self.withdrawn, "after_at": None, "after_id": None, **more}


@router.get("/roster", response_model=Page[Shift])
async def roster(
    services: Serving,
    caller: Annotated[Caller, allow("see")],
    wanted: Annotated[RosterFilter, Depends()],
    limit: Limit = 100,
    after: After = None,
) -> dict[str, object]:
    """Shifts that overlap a time of at most 31 days, in order of their beginning."""
    at, last = decode_cursor(after, tuple[AwareDatetime, int]) or (None, None)
    async with services.store.session(caller.scope) as session:
        rows = await session.all("roster", "page", wanted.values(limit=limit + 1, after_at=at, after_id=last))
    return page(rows, limit, lambda row: [row["begins_at"].isoformat(), row["id"]])


@router.post("/roster", response_model=Shift, status_code=HTTPStatus.CREATED)
async def create(services: Serving, caller: Planner, new: ShiftBody) -> Row:
    """Put somebody on a shift."""
    wanted = new.checked()
    async with services.store.session(caller.scope) as session:
        await _hold(session, wanted, {wanted.officer_id})
        shift = await _add(session, caller, wanted)
        await record(session, caller, "shift.create", shift["officer"]["number"], **_told(shift))
    return shift


@router.put("/roster/{shift_id}", response_model=Shift)
async def change(services: Serving, caller: Planner, shift_id: Id, changed: ShiftBody) -> Row:
    """Withdraw a shift and put another one in its place, which has an id of its own."""
    async with services.store.session(caller.scope) as session:
        before = await _one(session, shift_id)
        wanted = changed.checked()
        await _hold(session, wanted, {wanted.officer_id, before["officer"]["id"]})
        await _withdraw(session, caller, shift_id)
        shift = await _add(session, caller, wanted)
        number = shift["officer"]["number"]
        await record(session, caller, "shift.change", number, **_told(shift), before=_told(before))
    return shift


@router.delete("/roster/{shift_id}", status_code=HTTPStatus.NO_CONTENT)
async def delete(services: Serving, caller: Planner, shift_id: Id) -> None:
    """Withdraw a shift. It no longer holds, and stays to be looked at."""
    async with services.store.session(caller.scope) as session:
        shift = await _one(session, shift_id)
        await _withdraw(session, caller, shift_id)
        await record(session, caller, "shift.delete", shift["officer"]["number"], **_told(shift))


@router.post("/roster/copy")
async def copy(services: Serving, caller: Planner, wanted: WeekCopy) -> Copied:
    """Copy a week of a unit, at the same local times."""
    days = (wanted.into - wanted.since).days
    if abs(days) < WEEK.days:
        raise invalid("into", "copy-itself", "A week cannot be copied into itself.")
    place = ZoneInfo(services.settings.time_zone)
    begin, end = (datetime.combine(wanted.since + after, time(), place) for after in (timedelta(), WEEK))
    values = {"unit": wanted.unit_id, "from": begin, "to": end}
    async with services.store.session(caller.scope) as session:
        await require_unit(session, wanted.unit_id)
        known = await session.one("roster", "count", values)
        more = {"days": days, "time_zone": services.settings.time_zone, "account_id": caller.account_id}
        copied = await session.run("roster", "copy", {**values, **more})
        detail = {"unit": wanted.unit_id, "from": wanted.since.isoformat(), "to": wanted.into.isoformat()}
        await record(session, caller, "shift.copy", f"{copied}", **detail)
    assert known is not None
    return Copied(copied=copied, left_out=known["shifts"] - copied)


async def _one(session: Session, shift_id: int) -> Row:
    nothing = dict.fromkeys(("from", "to", "unit", "officer", "after_at", "after_id"))
    row = await session.one("roster", "page", {**nothing, "id": shift_id, "withdrawn": True, "limit": 1})
    if row is None:
        raise not_found("shift")
    return row


async def _hold(session: Session, wanted: NewShift, officers: Collection[int]) -> None:
    """Keep others from the shifts of officers, and refuse a shift of somebody or somewhere that is not there."""
    officer = (await hold_officers(session, officers)).get(wanted.officer_id)
    if officer is None:
        raise not_found("officer")
    if not officer["active"]:
        title, detail = "This officer is no longer active.", "Choose another one, or make the officer active again."
        raise conflict("officer-inactive", title, detail)
    if wanted.zone_id is not None and await session.one("roster", "zone", {"id": wanted.zone_id}) is None:
        raise not_found("zone")


async def _add(session: Session, caller: Caller, wanted: NewShift) -> Row:
    [shift_id] = await add_shifts(session, caller.account_id, [wanted])
    return await _one(session, shift_id)


async def _withdraw(session: Session, caller: Caller, shift_id: int) -> None:
    if not await session.run("roster", "withdraw", {"id": shift_id, "account_id": caller.account_id}):
        title = "This shift was changed or deleted meanwhile."
        raise conflict("shift-withdrawn", title, "Look at the roster again.")


def _told(shift: Row) -> dict[str, object]:
    """What the audit log keeps."""
    times = {"from": shift["begins_at"].isoformat(), "to": shift["ends_at"].isoformat()}
    return {"id": shift["id"], **times, "zone": shift["zone"] and shift["zone"]["name"], "note": shift["note"]}
