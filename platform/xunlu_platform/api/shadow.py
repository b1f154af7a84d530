"""Desired configuration of a device; it reports what it took over (`up/shadow`)."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel

from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.devices import Did, ShadowState, one_device
from xunlu_platform.api.services import Serving
from xunlu_platform.auth.logins import Caller
from xunlu_protocol.shadow import RecorderConfig, Shadow
from xunlu_protocol.topics import down

router = APIRouter(prefix="/devices/{did}/shadow", tags=["devices"])


class Desire(BaseModel):
    """The whole configuration; what is left out takes its default."""

    config: RecorderConfig


@router.put("")
async def desire(
    services: Serving, caller: Annotated[Caller, allow("devices")], did: Did, wanted: Desire
) -> ShadowState:
    """Set the desired configuration: kept in the database and, retained, at the broker until the device takes it."""
    config: dict[str, Any] = wanted.config.model_dump(mode="json")
    async with services.store.session(caller.scope) as session:
        device = await one_device(session, did)
        row = await session.one("devices", "desire", {"id": device["id"], "config": config})
        assert row is not None
        await record(session, caller, "device.configure", did, config=config)
        shadow = Shadow(version=row["desired_version"], config=wanted.config)
        topic = down(services.settings.tenant, did, "shadow", kind="s" if device["kind"] == "station" else "d")
        await services.publish(topic, shadow.encode(), retain=True)
        state = await session.one("devices", "shadow", {"id": device["id"]})
    return ShadowState(**(state or {}))
