"""The organisation tree: district, squads, teams."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.paging import After, Answer, Limit, Page, decode_cursor, page
from xunlu_platform.api.problems import conflict, invalid, not_found
from xunlu_platform.api.services import Serving
from xunlu_platform.auth.logins import Caller
from xunlu_platform.pinyin import pinyin_of
from xunlu_platform.store.store import Row, Session

router = APIRouter(prefix="/units", tags=["organisation"])

UnitKind = Literal["district", "squad", "team"]
UnitName = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]


class Unit(Answer):
    """A node of the tree; `path` holds the ids from the root."""

    id: int
    parent_id: int | None
    kind: UnitKind
    name: str
    pinyin: str
    path: str


class NewUnit(BaseModel):
    """A unit below one that the caller sees."""

    parent_id: Id
    kind: UnitKind
    name: UnitName


class UnitChange(BaseModel):
    """What is left out stays."""

    name: UnitName | None = None
    parent_id: Id | None = None


@router.get("", response_model=Page[Unit])
async def units(
    services: Serving, caller: Annotated[Caller, allow("see")], limit: Limit = 100, after: After = None
) -> dict[str, object]:
    """The caller's unit and everything below."""
    async with services.store.session(caller.scope) as session:
        rows = await session.all("units", "page", {"limit": limit + 1, "after": decode_cursor(after, int)})
    return page(rows, limit, lambda row: row["id"])


@router.post("", response_model=Unit, status_code=HTTPStatus.CREATED)
async def create_unit(services: Serving, caller: Annotated[Caller, allow("organisation")], new: NewUnit) -> Row:
    """Add a unit."""
    values = {**new.model_dump(), "tenant": services.settings.tenant, "pinyin": pinyin_of(new.name)}
    async with services.store.session(caller.scope) as session:
        await _one(session, new.parent_id)
        row = await session.one("units", "insert", values)
        assert row is not None
        await record(session, caller, "unit.create", new.name, id=row["id"], parent_id=new.parent_id)
    await services.notify("organisation", str(row["id"]), None)
    return row


@router.patch("/{unit_id}", response_model=Unit)
async def change_unit(
    services: Serving, caller: Annotated[Caller, allow("organisation")], unit_id: Id, change: UnitChange
) -> Row:
    """Rename a unit, or hang it below another one with everything that belongs to it."""
    async with services.store.session(caller.scope) as session:
        if change.parent_id is not None:
            await session.run("units", "hold")
        unit = await _one(session, unit_id)
        if change.name is not None:
            values = {"id": unit_id, "name": change.name, "pinyin": pinyin_of(change.name)}
            await session.run("units", "rename", values)
        if change.parent_id is not None and change.parent_id != unit["parent_id"]:
            await _move(session, caller, unit, await _one(session, change.parent_id))
        changed = await _one(session, unit_id)
        await record(session, caller, "unit.change", changed["name"], **change.model_dump(exclude_none=True))
    await services.notify("organisation", str(unit_id), None)
    return changed


async def _move(session: Session, caller: Caller, unit: Row, parent: Row) -> None:
    if unit["id"] == caller.unit_id or unit["parent_id"] is None:
        raise conflict(
            "top-unit", "This unit cannot be moved.", "It is the top of what you see; move the units below it."
        )
    if parent["path"].startswith(unit["path"]):
        raise invalid("parent_id", "below-itself", "A unit cannot hang below itself.")
    await session.run("units", "move", {"id": unit["id"], "parent_id": parent["id"]})
    await session.run("units", "move_paths", {"from": unit["path"], "to": f"{parent['path']}{unit['id']}/"})


async def _one(session: Session, unit_id: int) -> Row:
    row = await session.one("units", "one", {"id": unit_id})
    if row is None:
        raise not_found("unit")
    return row
