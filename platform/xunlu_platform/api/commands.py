"""Commands to devices: written down first, then sent; the answers move the row forward (ingest)."""

import secrets
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import AwareDatetime, BaseModel, Field

from xunlu_kit.errors import TransportError
from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.devices import Did, one_device
from xunlu_platform.api.paging import After, Answer, Limit, Page, decode_cursor, page
from xunlu_platform.api.problems import Problem, conflict, not_found
from xunlu_platform.api.services import Services, Serving
from xunlu_platform.auth.logins import Caller
from xunlu_platform.store.store import Row
from xunlu_protocol.command import CommandName, CommandState, Request, arguments
from xunlu_protocol.topics import Kind, down

router = APIRouter(prefix="/devices/{did}/commands", tags=["commands"])

OPEN_COMMANDS_MAX = 50

Rid = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class NewCommand(BaseModel):
    """What to do. `args` as docs/protocol.md says; after `expires_s` the device must not start it any more."""

    name: CommandName
    args: dict[str, Any] = Field(default_factory=dict)
    expires_s: Annotated[int, Field(ge=5, le=86_400)] = 120


class Command(Answer):
    """A command and how far it has come."""

    id: str
    did: str
    name: CommandName
    args: dict[str, Any]
    state: CommandState
    code: int | None
    why: str | None
    progress: float | None
    result: dict[str, Any] | None
    created_at: datetime
    created_by: str | None
    expires_at: datetime
    delivered_at: datetime | None
    accepted_at: datetime | None
    running_at: datetime | None
    finished_at: datetime | None


@router.post("", response_model=Command, status_code=HTTPStatus.ACCEPTED)
async def send_command(
    services: Serving, caller: Annotated[Caller, allow("command")], did: Did, new: NewCommand
) -> Row:
    """Send a command. The answer says that it is on its way, never that it was obeyed."""
    rid = secrets.token_urlsafe(9)
    args = arguments(new.name, new.args).model_dump(mode="json", exclude_none=True)
    async with services.store.session(caller.scope) as session:
        device = await one_device(session, did)
        if device["status"] != "approved":
            raise conflict("This device takes no commands.", "It must be approved and enabled first.")
        open_now = await session.one("commands", "count_open", {"device_id": device["id"]})
        if open_now is not None and open_now["commands"] >= OPEN_COMMANDS_MAX:
            title = f"{OPEN_COMMANDS_MAX} commands wait for this device."
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, "too-many-commands", title, "Wait until it has answered some.")
        values = {"rid": rid, "device_id": device["id"], "name": new.name, "args": args}
        row = await session.one(
            "commands", "insert", {**values, "account_id": caller.account_id, "live_s": new.expires_s}
        )
        assert row is not None
        await record(session, caller, "command.send", did, id=rid, name=new.name)
    request = Request(rid=rid, name=new.name, args=args, exp=int(row["expires_at"].timestamp()))
    await _send(services, caller, device, request, new.expires_s)
    await services.notify("command", rid, did)
    return await _one(services, caller, did, rid)


async def _send(services: Services, caller: Caller, device: Row, request: Request, expires_s: int) -> None:
    kind: Kind = "s" if device["kind"] == "station" else "d"
    topic = down(services.settings.tenant, device["did"], "rpc", request.rid, kind=kind)
    try:
        await services.publish(topic, request.encode(), expiry_s=expires_s)
    except TransportError:
        why = "The message broker did not take it."
        async with services.store.session(caller.scope) as session:
            await session.run("commands", "give_up", {"rid": request.rid, "why": why})


@router.get("", response_model=Page[Command])
async def commands(
    services: Serving, caller: Annotated[Caller, allow("command")], did: Did, limit: Limit = 100, after: After = None
) -> dict[str, object]:
    """Commands of a device, newest first."""
    after_at, after_id = decode_cursor(after, tuple[AwareDatetime, str]) or (None, None)
    values = {"did": did, "limit": limit + 1, "after_at": after_at, "after_id": after_id}
    async with services.store.session(caller.scope) as session:
        await one_device(session, did)
        rows = await session.all("commands", "page", values)
    return page(rows, limit, lambda row: [row["created_at"].isoformat(), row["id"]])


@router.get("/{rid}", response_model=Command)
async def command(services: Serving, caller: Annotated[Caller, allow("command")], did: Did, rid: Rid) -> Row:
    """One command."""
    return await _one(services, caller, did, rid)


async def _one(services: Services, caller: Caller, did: str, rid: str) -> Row:
    async with services.store.session(caller.scope) as session:
        row = await session.one("commands", "one", {"did": did, "rid": rid})
    if row is None:
        raise not_found("command")
    return row
