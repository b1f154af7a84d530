"""Alarms: somebody must acknowledge and close each."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.devices import OfficerName, UnitName
from xunlu_platform.api.paging import After, Answer, Limit, Page, decode_cursor, page
from xunlu_platform.api.problems import not_found
from xunlu_platform.api.services import Serving
from xunlu_platform.api.units import Id
from xunlu_platform.api.zones import ZoneName
from xunlu_platform.auth.logins import Caller
from xunlu_platform.store.store import Row, Session

router = APIRouter(prefix="/alarms", tags=["alarms"])

AlarmState = Literal["new", "acknowledged", "resolved", "false"]
_STATES = {
    "open": ["new", "acknowledged"],
    "closed": ["resolved", "false"],
    "all": ["new", "acknowledged", "resolved", "false"],
}


class Alarm(Answer):
    """An alarm; `officer` wore the device when it was raised; `zone` is what an alarm of a zone is about.

    `withdrawn_at`: later fixes showed that it was none; it was closed then, unless somebody had it already.
    """

    id: int
    did: str
    kind: str
    severity: int
    raised_at: datetime
    received_at: datetime
    late: bool
    cancelled_at: datetime | None
    lat: float | None
    lon: float | None
    fix_time: datetime | None
    state: AlarmState
    officer: OfficerName | None
    unit: UnitName | None
    zone: ZoneName | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    closed_by: str | None
    closed_at: datetime | None
    withdrawn_at: datetime | None
    note: str


class Closing(BaseModel):
    """What was found."""

    note: Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")] = ""


@router.get("", response_model=Page[Alarm])
async def alarms(
    services: Serving,
    caller: Annotated[Caller, allow("events")],
    state: Literal["open", "closed", "all"] = "open",
    limit: Limit = 100,
    after: After = None,
) -> dict[str, object]:
    """Alarms, newest first."""
    after_at, after_id = decode_cursor(after, tuple[AwareDatetime, int]) or (None, None)
    values = {"id": None, "states": _STATES[state], "limit": limit + 1, "after_at": after_at, "after_id": after_id}
    async with services.store.session(caller.scope) as session:
        rows = await session.all("alarm_desk", "page", values)
    return page(rows, limit, lambda row: [row["raised_at"].isoformat(), row["id"]])


@router.post("/{alarm_id}/acknowledge", response_model=Alarm)
async def acknowledge(services: Serving, caller: Annotated[Caller, allow("alarm")], alarm_id: Id) -> Row:
    """Take an alarm; the first one wins, the second gets the row as it is."""
    return await _move(services, caller, alarm_id, "acknowledge", "acknowledged", "")


@router.post("/{alarm_id}/resolve", response_model=Alarm)
async def resolve(services: Serving, caller: Annotated[Caller, allow("alarm")], alarm_id: Id, closing: Closing) -> Row:
    """Close an alarm that was one."""
    return await _move(services, caller, alarm_id, "close", "resolved", closing.note)


@router.post("/{alarm_id}/false", response_model=Alarm)
async def dismiss(services: Serving, caller: Annotated[Caller, allow("alarm")], alarm_id: Id, closing: Closing) -> Row:
    """Close an alarm that was none."""
    return await _move(services, caller, alarm_id, "close", "false", closing.note)


async def _move(
    services: Serving,
    caller: Caller,
    alarm_id: int,
    step: Literal["acknowledge", "close"],
    state: AlarmState,
    note: str,
) -> Row:
    values = {"id": alarm_id, "account_id": caller.account_id, "state": state, "note": note}
    async with services.store.session(caller.scope) as session:
        await one_alarm(session, alarm_id)
        moved = await session.run("alarm_desk", step, values)
        alarm = await one_alarm(session, alarm_id)
        if moved:
            await record(session, caller, f"alarm.{state}", alarm["did"], id=alarm_id, note=note)
    if moved:
        await services.notify("alarm", str(alarm_id), alarm["did"])
    return alarm


async def one_alarm(session: Session, alarm_id: int) -> Row:
    """An alarm within the scope, or 404."""
    values = {"id": alarm_id, "states": _STATES["all"], "limit": 1, "after_at": None, "after_id": None}
    row = await session.one("alarm_desk", "page", values)
    if row is None:
        raise not_found("alarm")
    return row
