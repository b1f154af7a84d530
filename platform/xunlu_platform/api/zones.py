"""Zones: drawing them, changing them without losing what they were, and who came and went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, Field

from xunlu_gis.errors import ZoneError
from xunlu_gis.fence import Drawing, ZoneKind, read_drawing
from xunlu_platform.api import posts, zone_drawings, zone_looks
from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.devices import OfficerName, UnitName
from xunlu_platform.api.history import OfDevice
from xunlu_platform.api.paging import After, Answer, Limit, Page, decode_cursor, page
from xunlu_platform.api.problems import conflict, invalid, not_found, undrawable
from xunlu_platform.api.services import Serving
from xunlu_platform.api.units import Id
from xunlu_platform.api.zone_drawings import Feature
from xunlu_platform.auth.logins import Caller
from xunlu_platform.pinyin import pinyin_of
from xunlu_platform.store.store import Row, Session

router = APIRouter(tags=["zones"])
router.include_router(zone_drawings.router)
router.include_router(zone_looks.router)
router.include_router(posts.router)

ZONES_MAX = 5000
AUDIENCE_MAX = 500

Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
Weekday = Annotated[int, Field(ge=1, le=7)]


class Rule(BaseModel):
    """What is expected, and of whom.

    Attributes:
        dwell_s_max: a longer stay is an event of its own.
        severity: of its alarms: 0 raises none, 1 rings once, 2 until somebody has it; null: by the kind of the zone.
        window_from: local time at which the zone comes into force each day; with `window_to`.
        window_to: local time at which it ends; not after `window_from`: on the next day.
        weekdays: ISO, of the window's beginning.
        units: whom it concerns, with all below; with `officers` empty, too: everybody of the zone's unit.
        officers: whom it concerns besides.
    """

    dwell_s_max: Annotated[int, Field(ge=60, le=7 * 86_400)] | None = None
    severity: Annotated[int, Field(ge=0, le=2)] | None = None
    window_from: time | None = None
    window_to: time | None = None
    weekdays: Annotated[list[Weekday], Field(min_length=1, max_length=7)] | None = None
    units: Annotated[list[Id], Field(max_length=AUDIENCE_MAX)] = []
    officers: Annotated[list[Id], Field(max_length=AUDIENCE_MAX)] = []


class NewZone(Rule):
    """A zone as it is drawn."""

    unit_id: Id
    kind: ZoneKind
    name: Name
    shape: Feature


class ZoneChange(Rule):
    """The whole of a new version: what is left out is no longer so."""

    name: Name
    shape: Feature


class Version(Answer):
    """A shape and its rule, with the time in which they hold."""

    version_id: int
    shape: Feature
    dwell_s_max: int | None
    severity: int | None
    window_from: str | None
    window_to: str | None
    weekdays: list[int] | None
    valid_from: datetime
    valid_to: datetime | None


class PastVersion(Version):
    """One that held once."""

    made_by: str | None


class Zone(Version):
    """A zone; `units` and `officers` are whom it concerns, none: everybody of its unit."""

    id: int
    name: str
    kind: ZoneKind
    unit: UnitName
    units: list[UnitName]
    officers: list[OfficerName]


class ZoneName(Answer):
    """A zone by name."""

    id: int
    name: str
    kind: ZoneKind


class Movement(Answer):
    """Somebody came, went, or stayed too long; `at` is the time of the fix, never of its arrival.

    `zone` is null for one of another part of the organisation; `severity` is of the alarm that it raised, null: none.
    """

    id: str
    did: str
    officer: OfficerName | None
    zone: ZoneName | None
    kind: Literal["enter", "leave", "dwell"]
    at: datetime
    severity: int | None
    lat: float
    lon: float
    reason: str
    late: bool
    withdrawn_at: datetime | None


@router.get("/zones", response_model=Page[Zone])
async def zones(
    services: Serving,
    caller: Annotated[Caller, allow("see")],
    kind: ZoneKind | None = None,
    at: Annotated[AwareDatetime | None, Query(description="As they were then; now when left out.")] = None,
    limit: Limit = 100,
    after: After = None,
) -> dict[str, object]:
    """Zones in force at a moment."""
    values = {"id": None, "kind": kind, "at": at, "limit": limit + 1, "after": decode_cursor(after, int)}
    async with services.store.session(caller.scope) as session:
        rows = await session.all("zones", "page", values)
    return page(rows, limit, lambda row: row["id"])


@dataclass(frozen=True, kw_only=True, slots=True)
class MovementFilter(OfDevice):
    """What is asked of the comings and goings."""

    zone: Annotated[Id | None, Query(description="Of this zone only.")] = None
    withdrawn: Annotated[bool, Query(description="With those that later fixes disproved.")] = False


@router.get("/zones/events", response_model=Page[Movement])
async def movements(
    services: Serving, caller: Annotated[Caller, allow("track")], wanted: Annotated[MovementFilter, Depends()]
) -> dict[str, object]:
    """Who came and went, newest first."""
    async with services.store.session(caller.scope) as session:
        rows = await session.all("zones", "movements", wanted.values())
    return wanted.page(rows, "at")


@router.post("/zones", response_model=Zone, status_code=HTTPStatus.CREATED)
async def create(services: Serving, caller: Annotated[Caller, allow("zones")], new: NewZone) -> Row:
    """Put a zone into force; its watch begins with the next fix, and nobody who is inside already has entered."""
    drawing = _drawn(new.shape)
    _check_window(new)
    async with services.store.session(caller.scope) as session:
        await _check_room(session)
        await _check_unit(session, new.unit_id)
        await _check_audience(session, new)
        values = {
            "unit_id": new.unit_id, "kind": new.kind, "name": new.name, "pinyin": pinyin_of(new.name),
            "account_id": caller.account_id,
        }  # fmt: skip
        row = await session.one("zones", "insert", values)
        assert row is not None
        await _add_version(session, caller, row["id"], new, drawing)
        await record(session, caller, "zone.create", new.name, id=row["id"], kind=new.kind)
        zone = await _one(session, row["id"])
    await services.notify("zone", str(zone["id"]), None)
    return zone


@router.get("/zones/{zone_id}/versions")
async def versions(services: Serving, caller: Annotated[Caller, allow("see")], zone_id: Id) -> list[PastVersion]:
    """Every shape and rule that a zone has had, newest first."""
    async with services.store.session(caller.scope) as session:
        rows = await session.all("zones", "versions", {"id": zone_id})
    if not rows:
        raise not_found("zone")
    return [PastVersion(**row) for row in rows]


@router.put("/zones/{zone_id}", response_model=Zone)
async def change(services: Serving, caller: Annotated[Caller, allow("zones")], zone_id: Id, changed: ZoneChange) -> Row:
    """Put a new version into force; what happened under the old one stays with it."""
    drawing = _drawn(changed.shape)
    _check_window(changed)
    async with services.store.session(caller.scope) as session:
        await _one(session, zone_id)
        await _check_audience(session, changed)
        await session.run("zones", "close_version", {"id": zone_id})
        values = {"id": zone_id, "name": changed.name, "pinyin": pinyin_of(changed.name)}
        await session.run("zones", "rename", values)
        await _add_version(session, caller, zone_id, changed, drawing)
        await record(session, caller, "zone.change", changed.name, id=zone_id)
        zone = await _one(session, zone_id)
    await services.notify("zone", str(zone_id), None)
    return zone


@router.delete("/zones/{zone_id}", status_code=HTTPStatus.NO_CONTENT)
async def end(services: Serving, caller: Annotated[Caller, allow("zones")], zone_id: Id) -> None:
    """Take a zone out of force. It stays in the past, where it was."""
    async with services.store.session(caller.scope) as session:
        zone = await _one(session, zone_id)
        await session.run("zones", "close_version", {"id": zone_id})
        await session.run("zones", "end", {"id": zone_id})
        await record(session, caller, "zone.end", zone["name"], id=zone_id)
    await services.notify("zone", str(zone_id), None)


async def _one(session: Session, zone_id: int) -> Row:
    values = {"id": zone_id, "kind": None, "at": None, "limit": 1, "after": None}
    row = await session.one("zones", "page", values)
    if row is None:
        raise not_found("zone")
    return row


async def _add_version(session: Session, caller: Caller, zone_id: int, rule: Rule, drawing: Drawing) -> None:
    values = {
        "zone_id": zone_id, "shape": drawing.shape.as_geojson(), "dwell_s_max": rule.dwell_s_max,
        "severity": rule.severity, "window_from": rule.window_from, "window_to": rule.window_to,
        "weekdays": rule.weekdays, "account_id": caller.account_id,
    }  # fmt: skip
    await session.run("zones", "insert_version", values)
    await session.run("zones", "close_audience", {"id": zone_id})
    await session.run("zones", "add_audience", {"id": zone_id, "units": rule.units, "officers": rule.officers})


def _drawn(feature: dict[str, Any]) -> Drawing:
    try:
        return read_drawing(feature)
    except ZoneError as error:
        raise undrawable("shape", error) from error


def _check_window(rule: Rule) -> None:
    if (rule.window_from is None) != (rule.window_to is None):
        raise invalid("window_to", "window", "A window has a beginning and an end: give both, or neither.")
    if rule.weekdays is not None and rule.window_from is None:
        raise invalid("weekdays", "window", "Weekdays belong to a window: give window_from and window_to, too.")


async def _check_room(session: Session) -> None:
    row = await session.one("zones", "count")
    if row is not None and row["zones"] >= ZONES_MAX:
        raise conflict("too-many-zones", "There are {zones} zones.", "End some that nobody needs.", zones=ZONES_MAX)


async def _check_unit(session: Session, unit_id: int) -> None:
    known = await session.one("zones", "known", {"units": [unit_id], "officers": []})
    if known is None or not known["units"]:
        raise invalid("unit_id", "unknown-unit", "There is no unit {unit}: look it up again.", unit=unit_id)


async def _check_audience(session: Session, rule: Rule) -> None:
    """Refuse units and officers that the caller does not see."""
    known = await session.one("zones", "known", {"units": rule.units, "officers": rule.officers})
    assert known is not None
    if missing := _missing(rule.units, known["units"]):
        raise invalid("units", "unknown-unit", "There is no unit {unit}: look it up again.", unit=missing)
    if missing := _missing(rule.officers, known["officers"]):
        raise invalid("officers", "unknown-officer", "There is no officer {officer}: look them up.", officer=missing)


def _missing(wanted: Sequence[int], known: Sequence[int]) -> int | None:
    return next(iter(sorted({*wanted} - {*known})), None)
