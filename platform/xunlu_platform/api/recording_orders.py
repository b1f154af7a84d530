"""Orders to record live video by hand. The broker retains what the database says, for the recorder process."""

import logging
import secrets
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel

from xunlu_kit.errors import TransportError
from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.devices import Did, one_device
from xunlu_platform.api.paging import Answer
from xunlu_platform.api.problems import conflict
from xunlu_platform.api.services import Serving
from xunlu_platform.auth.logins import Caller
from xunlu_platform.dispatch.orders import order_message, order_of, publish_order
from xunlu_platform.store.store import Row
from xunlu_protocol.media import Cause

log = logging.getLogger(__name__)

router = APIRouter(prefix="/live/{did}/recording", tags=["live"])


class Order(Answer):
    """Why a device is recorded whenever it is live; `by` is the user of an order by hand."""

    id: str
    why: Cause
    by: str | None
    since: datetime
    until: datetime | None


class Ordered(Answer):
    """The order that counts, if there is one. Switching off by hand leaves the order of an SOS."""

    did: str
    on: bool
    order: Order | None


class Switch(BaseModel):
    """Whether it is to be recorded by hand."""

    on: bool


@router.get("")
async def ordered(services: Serving, caller: Annotated[Caller, allow("live")], did: Did) -> Ordered:
    """Whether a device is recorded whenever it is live, and why."""
    async with services.store.session(caller.scope) as session:
        await one_device(session, did)
        return _ordered(did, await order_of(session, did))


@router.put("")
async def switch(services: Serving, caller: Annotated[Caller, allow("live")], did: Did, wanted: Switch) -> Ordered:
    """Begin or end an order by hand; asking for what is already so changes nothing."""
    async with services.store.session(caller.scope) as session:
        device = await one_device(session, did)
        if wanted.on and device["status"] != "approved":
            raise conflict(
                "device-not-approved", "This device is not recorded.", "It must be approved and enabled first."
            )
        values = {
            "id": secrets.token_urlsafe(9),
            "device_id": device["id"],
            "account_id": caller.account_id,
            "username": caller.username,
        }
        changed = await session.run("live", "order_by_hand" if wanted.on else "end_order_by_hand", values)
        if changed:
            await record(session, caller, "recording.order" if wanted.on else "recording.release", did)
        order = await order_of(session, did)
    try:
        await publish_order(services.mqtt, services.settings.tenant, did, order_message(order))
    except TransportError as error:
        # The jobs process compares what is retained with the database, and tells it.
        log.warning("order not published", extra={"did": did, "error": str(error)})
    return _ordered(did, order)


def _ordered(did: str, order: Row | None) -> Ordered:
    return Ordered(did=did, on=order is not None, order=Order(**order) if order else None)
