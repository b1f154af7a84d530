"""Who wears which device (设备绑定). Bindings keep their history: a track of last month belongs to who wore it then."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel

from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.devices import Binding, Did, binding_history, one_device
from xunlu_platform.api.officers import one_officer
from xunlu_platform.api.paging import Page
from xunlu_platform.api.problems import conflict
from xunlu_platform.api.services import Serving
from xunlu_platform.api.units import Id
from xunlu_platform.auth.logins import Caller

router = APIRouter(prefix="/devices/{did}", tags=["devices"])


class Bind(BaseModel):
    """Who wears it from now on."""

    officer_id: Id


@router.get("/bindings")
async def bindings(services: Serving, caller: Annotated[Caller, allow("see")], did: Did) -> Page[Binding]:
    """Who wore the device, newest first, at most 500."""
    async with services.store.session(caller.scope) as session:
        device = await one_device(session, did)
        return Page(items=await binding_history(session, device["id"]), next=None)


@router.post("/bind")
async def bind(services: Serving, caller: Annotated[Caller, allow("devices")], did: Did, wanted: Bind) -> Page[Binding]:
    """Bind a device to an officer; whoever wore it before is released, and it moves to the officer's unit."""
    async with services.store.session(caller.scope) as session:
        device = await one_device(session, did)
        if device["kind"] == "phone":
            title = "A telephone is carried by the officer of its account."
            raise conflict("phone-carried", title, "Link the account to another officer instead.")
        officer = await one_officer(session, wanted.officer_id)
        if not officer["active"]:
            raise conflict(
                "officer-inactive",
                "This officer is no longer active.",
                "Choose another one, or make the officer active again.",
            )
        if officer["device"] not in (None, did):
            raise conflict(
                "officer-wears", "This officer wears {device}.", "Unbind that device first.", device=officer["device"]
            )
        if officer["device"] is None:
            values = {"id": device["id"], "officer_id": officer["id"], "account_id": caller.account_id}
            await session.run("devices", "release", values)
            await session.run("devices", "bind", values)
            place = {"id": device["id"], "unit_id": officer["unit_id"], "inspection_report": None}
            await session.run("devices", "change", place)
            await record(session, caller, "device.bind", did, officer=officer["number"])
        history = await binding_history(session, device["id"])
    await services.notify("device", did, did)
    return Page(items=history, next=None)


@router.post("/unbind")
async def unbind(services: Serving, caller: Annotated[Caller, allow("devices")], did: Did) -> Page[Binding]:
    """Release the device from whoever wears it."""
    async with services.store.session(caller.scope) as session:
        device = await one_device(session, did)
        if await session.run("devices", "release", {"id": device["id"], "account_id": caller.account_id}):
            await record(session, caller, "device.unbind", did)
        history = await binding_history(session, device["id"])
    await services.notify("device", did, did)
    return Page(items=history, next=None)
