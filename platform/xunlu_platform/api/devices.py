"""Devices: recorders, stations and plain trackers, with the newest that is known of each."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.officers import require_unit
from xunlu_platform.api.paging import After, Answer, Limit, Page, decode_cursor, page
from xunlu_platform.api.problems import conflict, invalid, not_found
from xunlu_platform.api.search import Search, pattern
from xunlu_platform.api.services import Serving
from xunlu_platform.api.units import Id
from xunlu_platform.auth.broker_accounts import AccountKind, DeviceKind, DeviceStatus, is_reserved
from xunlu_platform.auth.logins import Caller
from xunlu_platform.auth.passwords import random_password
from xunlu_platform.store.store import Row, Session

router = APIRouter(prefix="/devices", tags=["devices"])

Did = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Identity of the device.")]


class UnitName(Answer):
    """A unit in passing."""

    id: int
    name: str


class OfficerName(Answer):
    """An officer in passing."""

    id: int
    number: str
    name: str


class DeviceState(Answer):
    """Whether the device is there. `why` of an `offline` tells a lost signal (`lost`) from a planned one."""

    availability: Literal["online", "offline", "sleep"]
    sid: int
    at: datetime | None
    why: str | None


class LastPosition(Answer):
    """The newest fix: WGS-84 degrees; its age when the answer was made."""

    lat: float
    lon: float
    fix_time: datetime
    age_s: float
    accuracy_m: float | None
    speed_mps: float | None
    course_deg: float | None
    sat: int | None
    bds: int | None


class Device(Answer):
    """A device of a list."""

    did: str
    kind: DeviceKind
    serial: str
    vendor: str
    model: str
    status: DeviceStatus
    unit: UnitName
    officer: OfficerName | None
    state: DeviceState
    position: LastPosition | None
    telemetry: dict[str, Any] | None
    recording: str | None


class ShadowState(Answer):
    """Desired and reported configuration."""

    desired: dict[str, Any] | None = None
    desired_version: int = 0
    reported: dict[str, Any] | None = None
    reported_at: datetime | None = None


class Binding(Answer):
    """Who wore the device, from when to when."""

    officer: OfficerName
    bound_at: datetime
    bound_by: str | None
    released_at: datetime | None
    released_by: str | None


class DeviceDetail(Device):
    """Everything about one device."""

    birth: dict[str, Any] | None
    inspection_report: str | None
    shadow: ShadowState
    bindings: list[Binding]


class DeviceChange(BaseModel):
    """What is left out stays; an empty report is taken away."""

    unit_id: Id | None = None
    inspection_report: Annotated[str, Field(max_length=100, pattern=r"^[^\x00]*$")] | None = None


class NewDevice(BaseModel):
    """A device that cannot claim: a telephone with OwnTracks, a tracker, a program. Its did becomes its user name."""

    did: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    kind: AccountKind = "tracker"
    serial: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    vendor: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
    model: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
    unit_id: Id


class FreshCredentials(Answer):
    """Told this one time."""

    username: str
    password: str


@router.get("", response_model=Page[Device])
async def devices(
    services: Serving,
    caller: Annotated[Caller, allow("see")],
    status: DeviceStatus | None = None,
    kind: DeviceKind | None = None,
    unit: Id | None = None,
    q: Search = None,
    limit: Limit = 100,
    after: After = None,
) -> dict[str, object]:
    """Devices by did; `q` looks for did, serial, or the officer's number, name or pinyin."""
    values = {
        "status": status, "kind": kind, "unit": unit, "q": pattern(q),
        "limit": limit + 1, "after": decode_cursor(after, str),
    }  # fmt: skip
    async with services.store.session(caller.scope) as session:
        rows = await session.all("devices", "page", values)
    return page(rows, limit, lambda row: row["did"])


@router.post("", status_code=HTTPStatus.CREATED)
async def create_device(
    services: Serving, caller: Annotated[Caller, allow("approve")], new: NewDevice
) -> FreshCredentials:
    """Register a device by hand, approved from the start; the answer carries its password."""
    if is_reserved(new.did):
        raise invalid(
            "did", "reserved-did", "Names that begin with “xunlu”, “claim” and “admin” belong to the platform itself."
        )
    password = random_password()
    values = {"tenant": services.settings.tenant, "status": "approved", "inspection_report": None, "claim_hash": None}
    async with services.store.session(caller.scope) as session:
        await require_unit(session, new.unit_id)
        await session.one("devices", "insert", {**new.model_dump(), **values})
        await record(session, caller, "device.create", new.did, **new.model_dump())
        await services.broker_accounts.put(new.did, password, "approved", new.kind)
    await services.notify("device", new.did, new.did)
    return FreshCredentials(username=new.did, password=password)


@router.get("/{did}")
async def device(services: Serving, caller: Annotated[Caller, allow("see")], did: Did) -> DeviceDetail:
    """One device."""
    async with services.store.session(caller.scope) as session:
        return await _detail(session, did)


@router.patch("/{did}")
async def change_device(
    services: Serving, caller: Annotated[Caller, allow("devices")], did: Did, change: DeviceChange
) -> DeviceDetail:
    """Move a device to another unit, or note its inspection report."""
    async with services.store.session(caller.scope) as session:
        row = await one_device(session, did)
        if change.unit_id is not None:
            await require_unit(session, change.unit_id)
        await session.run("devices", "change", {**change.model_dump(), "id": row["id"]})
        await record(session, caller, "device.change", did, **change.model_dump(exclude_none=True))
        detail = await _detail(session, did)
    await services.notify("device", did, did)
    return detail


@router.post("/{did}/approve")
async def approve(services: Serving, caller: Annotated[Caller, allow("approve")], did: Did) -> DeviceDetail:
    """Let a pending device report."""
    return await _set_status(services, caller, did, "approved", "device.approve")


@router.post("/{did}/disable")
async def disable(services: Serving, caller: Annotated[Caller, allow("approve")], did: Did) -> DeviceDetail:
    """Lock a device out; its history stays."""
    return await _set_status(services, caller, did, "disabled", "device.disable")


@router.post("/{did}/enable")
async def enable(services: Serving, caller: Annotated[Caller, allow("approve")], did: Did) -> DeviceDetail:
    """Let a disabled device report again."""
    return await _set_status(services, caller, did, "approved", "device.enable")


@router.post("/{did}/new-credentials")
async def new_credentials(services: Serving, caller: Annotated[Caller, allow("approve")], did: Did) -> FreshCredentials:
    """Replace a lost credential; the old one ends."""
    password = random_password()
    async with services.store.session(caller.scope) as session:
        row = await one_device(session, did)
        if row["kind"] == "phone":
            detail = "Its page signs in with the account of its officer."
            raise conflict("phone-credentials", "A telephone has no credentials of its own.", detail)
        await session.run("devices", "close_claim", {"id": row["id"]})
        await record(session, caller, "device.new-credentials", did)
        await services.broker_accounts.put(did, password, row["status"], row["kind"])
    return FreshCredentials(username=did, password=password)


async def _set_status(services: Serving, caller: Caller, did: str, status: DeviceStatus, action: str) -> DeviceDetail:
    # The broker first, then the commit: a broker that cannot be reached leaves everything as it was.
    async with services.store.session(caller.scope) as session:
        row = await one_device(session, did)
        await session.run("devices", "set_status", {"id": row["id"], "status": status})
        await record(session, caller, action, did)
        # A telephone has no account at the broker: its connection looks at the status itself.
        if row["kind"] != "phone":
            await services.broker_accounts.set_status(did, status, row["kind"])
        detail = await _detail(session, did)
    await services.notify("device", did, did)
    return detail


async def one_device(session: Session, did: str) -> Row:
    """A device within the scope, or 404."""
    row = await session.one("devices", "one", {"did": did})
    if row is None:
        raise not_found("device")
    return row


async def binding_history(session: Session, device_id: int) -> list[Binding]:
    """Who wore a device, newest first, at most 500."""
    rows = await session.all("devices", "bindings", {"id": device_id})
    return [
        Binding(
            officer=OfficerName(id=row["officer_id"], number=row["officer_number"], name=row["officer_name"]),
            bound_at=row["bound_at"],
            bound_by=row["bound_by"],
            released_at=row["released_at"],
            released_by=row["released_by"],
        )
        for row in rows
    ]


async def _detail(session: Session, did: str) -> DeviceDetail:
    row = await one_device(session, did)
    shadow = await session.one("devices", "shadow", {"id": row["id"]})
    bindings = await binding_history(session, row["id"])
    return DeviceDetail(**row, shadow=ShadowState(**(shadow or {})), bindings=bindings)
