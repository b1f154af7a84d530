"""Registration by hand: an administrator makes the account of a device that cannot claim one, such as a telephone."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.devices import FreshCredentials
from xunlu_platform.api.officers import require_unit
from xunlu_platform.api.problems import invalid
from xunlu_platform.api.services import Serving
from xunlu_platform.api.units import Id
from xunlu_platform.auth.broker_accounts import DeviceKind, is_reserved
from xunlu_platform.auth.logins import Caller
from xunlu_platform.auth.passwords import random_password

router = APIRouter(prefix="/devices", tags=["devices"])

Text = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]


class NewDevice(BaseModel):
    """A device as its administrator knows it.

    Attributes:
        did: its name, also its user name at the broker.
        serial: of the manufacturer; the same as `did` unless told.
    """

    did: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    kind: DeviceKind = "tracker"
    unit_id: Id
    serial: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = None
    vendor: Text = "generic"
    model: Text = "generic"


@router.post("", status_code=HTTPStatus.CREATED)
async def register(services: Serving, caller: Annotated[Caller, allow("approve")], new: NewDevice) -> FreshCredentials:
    """Make a device that may report at once; its password is told this one time."""
    if is_reserved(new.did):
        raise invalid("did", "This name belongs to the platform's own processes; choose another.")
    values = {
        **new.model_dump(), "serial": new.serial or new.did, "tenant": services.settings.tenant,
        "status": "approved", "inspection_report": None,
    }  # fmt: skip
    password = random_password()
    async with services.store.session(caller.scope) as session:
        await require_unit(session, new.unit_id)
        await session.run("devices", "insert", values)
        await record(session, caller, "device.register", new.did, kind=new.kind, unit_id=new.unit_id)
        # The broker before the commit: an account without a device is renewed by the next try, and may write nothing
        # that ingest would take.
        await services.broker_accounts.put(new.did, password, "approved", new.kind)
    await services.notify("device", new.did, new.did)
    return FreshCredentials(username=new.did, password=password)
