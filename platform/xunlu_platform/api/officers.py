"""Officers: who wears the recorders."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.paging import After, Answer, Limit, Page, decode_cursor, page
from xunlu_platform.api.problems import not_found
from xunlu_platform.api.search import Search, pattern
from xunlu_platform.api.services import Serving
from xunlu_platform.api.units import Id
from xunlu_platform.auth.logins import Caller
from xunlu_platform.pinyin import pinyin_of
from xunlu_platform.store.store import Row, Session

router = APIRouter(prefix="/officers", tags=["officers"])

Number = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[^\x00,]*$")]
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]


class Officer(Answer):
    """An officer, the device they wear now, and the end of the shift that they are on now."""

    id: int
    unit_id: int
    number: str
    name: str
    pinyin: str
    active: bool
    device: str | None
    on_shift_until: datetime | None


class NewOfficer(BaseModel):
    """The number identifies the officer inside the bureau."""

    unit_id: Id
    number: Number
    name: Name


class OfficerChange(BaseModel):
    """What is left out stays."""

    unit_id: Id | None = None
    number: Number | None = None
    name: Name | None = None
    active: bool | None = None


class WornDevice(Answer):
    """When the officer wore which device."""

    did: str
    bound_at: datetime
    bound_by: str | None
    released_at: datetime | None
    released_by: str | None


@router.get("", response_model=Page[Officer])
async def officers(
    services: Serving,
    caller: Annotated[Caller, allow("see")],
    q: Search = None,
    unit: Id | None = None,
    limit: Limit = 100,
    after: After = None,
) -> dict[str, object]:
    """Officers by number, name or pinyin; `unit` includes the units below it."""
    values = {"q": pattern(q), "unit": unit, "limit": limit + 1, "after": decode_cursor(after, int)}
    async with services.store.session(caller.scope) as session:
        rows = await session.all("officers", "page", values)
    return page(rows, limit, lambda row: row["id"])


@router.post("", response_model=Officer, status_code=HTTPStatus.CREATED)
async def create_officer(services: Serving, caller: Annotated[Caller, allow("officers")], new: NewOfficer) -> Row:
    """Add an officer."""
    values = {**new.model_dump(), "tenant": services.settings.tenant, "pinyin": pinyin_of(new.name)}
    async with services.store.session(caller.scope) as session:
        await require_unit(session, new.unit_id)
        row = await session.one("officers", "insert", values)
        assert row is not None
        await record(session, caller, "officer.create", new.number, **new.model_dump())
        return await one_officer(session, row["id"])


@router.patch("/{officer_id}", response_model=Officer)
async def change_officer(
    services: Serving, caller: Annotated[Caller, allow("officers")], officer_id: Id, change: OfficerChange
) -> Row:
    """Change an officer; an officer who left is made inactive, never erased."""
    values = {**change.model_dump(), "id": officer_id, "pinyin": pinyin_of(change.name) if change.name else None}
    async with services.store.session(caller.scope) as session:
        await one_officer(session, officer_id)
        if change.unit_id is not None:
            await require_unit(session, change.unit_id)
        await session.run("officers", "change", values)
        officer = await one_officer(session, officer_id)
        await record(session, caller, "officer.change", officer["number"], **change.model_dump(exclude_none=True))
    if officer["device"]:
        await services.notify("device", officer["device"], officer["device"])
    return officer


@router.get("/{officer_id}/bindings")
async def officer_bindings(
    services: Serving, caller: Annotated[Caller, allow("see")], officer_id: Id
) -> Page[WornDevice]:
    """Which devices the officer wore, newest first, at most 500."""
    async with services.store.session(caller.scope) as session:
        await one_officer(session, officer_id)
        rows = await session.all("officers", "bindings", {"id": officer_id})
    return Page(items=[WornDevice(**row) for row in rows], next=None)


async def one_officer(session: Session, officer_id: int) -> Row:
    """An officer within the scope, or 404."""
    row = await session.one("officers", "one", {"id": officer_id})
    if row is None:
        raise not_found("officer")
    return row


async def require_unit(session: Session, unit_id: int) -> None:
    """404 unless the unit lies within the scope."""
    if await session.one("units", "one", {"id": unit_id}) is None:
        raise not_found("unit")
