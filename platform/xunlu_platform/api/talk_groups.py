"""Making talk groups: standing and temporary ones, calls, broadcasts; by name, by area, or of those who are near."""

import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.problems import conflict, invalid
from xunlu_platform.api.services import Services, Serving
from xunlu_platform.api.talk import Group, one_group, require_desk, shown
from xunlu_platform.api.units import Id
from xunlu_platform.auth.logins import Caller
from xunlu_platform.dispatch.talk_groups import tell_group
from xunlu_platform.store.store import Session
from xunlu_platform.store.talk import published_group
from xunlu_protocol.talk import MEMBERS_MAX

router = APIRouter(prefix="/talk/groups", tags=["talk"])

GROUPS_PER_UNIT_MAX = 500
TTL_S_MAX = 7 * 86_400

Made = Literal["standing", "temporary", "private", "broadcast", "emergency"]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Person = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
Ttl = Annotated[int, Field(ge=60, le=TTL_S_MAX)]

LIVE_S: Mapping[Made, int | None] = {
    "standing": None,
    "temporary": 4 * 3600,
    "private": 3600,
    "broadcast": 1800,
    "emergency": 4 * 3600,
}
"""Seconds without a word after which a group is over, unless told; None: when somebody ends it."""


class NewGroup(BaseModel):
    """Whom it is for: people by name, whole units, whoever is on duty inside an area.

    Attributes:
        name: for people; the caller's own name when left out.
        members: devices, and `u-` with an account's number.
        units: everybody of these units and below, whoever that is at the time.
        ttl_s: seconds without a word after which it is over by itself; a standing one has none unless told.
        duplex: of a private call: both may talk at once.
        area: corners of a polygon, latitude and longitude in WGS-84 degrees; those inside when it is made are members.
    """

    name: Name | None = None
    kind: Made
    members: Annotated[list[Person], Field(max_length=MEMBERS_MAX)] = []
    units: Annotated[list[Id], Field(max_length=200)] = []
    ttl_s: Ttl | None = None
    duplex: bool = False
    area: Annotated[list[tuple[Latitude, Longitude]], Field(min_length=3, max_length=200)] | None = None


class NearestGroup(BaseModel):
    """Those on duty who are nearest to a device, which belongs to the group, or to a place.

    Attributes:
        name: for people; the caller's own name when left out.
        did: the device.
        lat: degrees, WGS-84; without a device.
        lon: degrees, WGS-84; without a device.
        count: so many at most.
        ttl_s: seconds without a word after which it is over by itself.
    """

    name: Name | None = None
    did: Person | None = None
    lat: Latitude | None = None
    lon: Longitude | None = None
    count: Annotated[int, Field(ge=1, le=100)] = 5
    ttl_s: Ttl | None = None


@router.post("", status_code=HTTPStatus.CREATED)
async def make(services: Serving, caller: Annotated[Caller, allow("talk")], new: NewGroup) -> Group:
    """Make a talk group; the talk server is told at once."""
    require_desk(caller)
    _check_kind(new, caller)
    async with services.store.session(caller.scope) as session:
        await _check_known(session, new)
        group = await _store(services, session, caller, new, [*new.members, *await _inside(session, new)])
    return await _told(services, group)


@router.post("/nearest", status_code=HTTPStatus.CREATED)
async def make_of_nearest(services: Serving, caller: Annotated[Caller, allow("talk")], new: NearestGroup) -> Group:
    """Make a temporary group of those on duty who are nearest, with a fix of the last ten minutes."""
    require_desk(caller)
    async with services.store.session(caller.scope) as session:
        lat, lon = await _place(session, new)
        values = {"did": new.did, "lat": lat, "lon": lon, "count": new.count}
        near = [row["person"] for row in await session.all("talk", "nearest", values)]
        temporary = NewGroup(name=new.name, kind="temporary", ttl_s=new.ttl_s)
        group = await _store(services, session, caller, temporary, [*([new.did] if new.did else []), *near])
    return await _told(services, group)


async def _told(services: Services, group: Group) -> Group:
    tenant = services.settings.tenant
    await tell_group(services.mqtt, tenant, group.gid, await published_group(services.store, tenant, group.gid))
    return group


async def _place(session: Session, new: NearestGroup) -> tuple[float, float]:
    if new.did is not None:
        place = await session.one("talk", "place", {"did": new.did})
        if place is None:
            raise invalid("did", "no-position", "No position of {did} is known: give lat and lon.", did=new.did)
        return place["lat"], place["lon"]
    if new.lat is None or new.lon is None:
        raise invalid("did", "no-place", "Give a device, or lat and lon.")
    return new.lat, new.lon


def _check_kind(new: NewGroup, caller: Caller) -> None:
    if new.duplex and new.kind != "private":
        raise invalid("duplex", "duplex", "Only in a private call may both talk at once.")
    others = {*new.members} - {f"u-{caller.account_id}"}
    if new.kind == "private" and (len(others) != 1 or new.units or new.area):
        raise invalid("members", "private", "A private call has exactly one other member.")


async def _check_known(session: Session, new: NewGroup) -> None:
    """Refuse members and units that the caller does not see."""
    persons = {row["person"] for row in await session.all("talk", "known_persons", {"persons": new.members})}
    if unknown := sorted(set(new.members) - persons):
        raise invalid("members", "unknown-member", "{person} cannot take part: look it up again.", person=unknown[0])
    units = {row["id"] for row in await session.all("talk", "known_units", {"units": new.units})}
    if missing := sorted(set(new.units) - units):
        raise invalid("units", "unknown-unit", "There is no unit {unit}: look it up again.", unit=missing[0])


async def _inside(session: Session, new: NewGroup) -> list[str]:
    if new.area is None:
        return []
    area = "(" + ",".join(f"({lon},{lat})" for lat, lon in new.area) + ")"
    rows = await session.all("talk", "persons_inside", {"area": area, "limit": MEMBERS_MAX + 1})
    return [row["person"] for row in rows]


async def _store(services: Services, session: Session, caller: Caller, new: NewGroup, persons: list[str]) -> Group:
    """Write a group down with its author as a member who may talk.

    Raises:
        Problem: nobody else is in it, too many are, or the unit has too many groups.
    """
    me = f"u-{caller.account_id}"
    others = sorted({*persons} - {me})
    if not others and not new.units:
        raise invalid("members", "nobody", "Nobody would hear it: name members, units, or an area with somebody in it.")
    made = await session.one("talk", "count_made", {"unit_id": caller.unit_id})
    if made is not None and made["groups"] >= GROUPS_PER_UNIT_MAX:
        title = "Your unit has {groups} open talk groups."
        raise conflict("too-many-groups", title, "End some that nobody needs.", groups=GROUPS_PER_UNIT_MAX)
    gid = f"{new.kind}-{secrets.token_urlsafe(9)}"
    values = {
        "gid": gid,
        "unit_id": caller.unit_id,
        "kind": new.kind,
        "name": new.name or caller.display_name[:64],
        "duplex": new.duplex,
        "account_id": caller.account_id,
        "ttl_s": new.ttl_s or LIVE_S[new.kind],
    }
    await session.run("talk", "make", values)
    listening = new.kind == "broadcast"
    await session.run("talk", "add_members", {"gid": gid, "persons": [me], "units": [], "listener": False})
    told = {"gid": gid, "persons": others, "units": new.units, "listener": listening}
    await session.run("talk", "add_members", told)
    row = await one_group(session, gid)
    if len(row["members"]) > MEMBERS_MAX:
        title = "This group would have more than {people} members."
        raise conflict("too-many-members", title, "Make one for each of the units below.", people=MEMBERS_MAX)
    await record(session, caller, "talk.make", gid, kind=new.kind, name=values["name"], members=len(others))
    return shown(services, row)
