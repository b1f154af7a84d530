"""Commands to devices: written down first, then sent; the answers move the row forward (ingest)."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import AwareDatetime, BaseModel, Field

from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.devices import Did, one_device
from xunlu_platform.api.paging import After, Answer, Limit, Page, decode_cursor, page
from xunlu_platform.api.problems import Problem, conflict, invalid, not_found
from xunlu_platform.api.services import Services, Serving
from xunlu_platform.auth.logins import Caller
from xunlu_platform.dispatch.commands import Command as Sent
from xunlu_platform.dispatch.commands import Queued
from xunlu_platform.store.store import Row, Session
from xunlu_protocol.command import CommandName, CommandState, arguments

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
    if new.name == "play_note":
        raise invalid("name", "use-messages", "A voice note is left by POST /api/v1/messages/voice.")
    if new.name == "live_start":
        raise invalid(
            "name", "use-live", "Live video is asked for by POST /api/v1/live/{{did}}, which makes its token."
        )
    command = Sent(name=new.name, arguments=arguments(new.name, new.args), live_s=new.expires_s)
    async with services.store.session(caller.scope) as session:
        device = await one_device(session, did)
        queued = await queue_command(services, session, caller, device, command)
        await record(session, caller, "command.send", did, id=command.rid, name=new.name)
    await services.commands.send(caller.scope, queued)
    await services.notify("command", command.rid, did)
    return await _one(services, caller, did, command.rid)


async def queue_command(services: Services, session: Session, caller: Caller, device: Row, command: Sent) -> Queued:
    """Write a person's command down, unless the device takes none now.

    Raises:
        Problem: 409, not approved; 429, too many wait for it.
    """
    if device["status"] != "approved":
        raise conflict(
            "device-not-approved", "This device takes no commands.", "It must be approved and enabled first."
        )
    open_now = await session.one("commands", "count_open", {"device_id": device["id"]})
    if open_now is not None and open_now["commands"] >= OPEN_COMMANDS_MAX:
        title = f"{OPEN_COMMANDS_MAX} commands wait for this device."
        raise Problem(HTTPStatus.TOO_MANY_REQUESTS, "too-many-commands", title, "Wait until it has answered some.")
    return await services.commands.queue(session, device, command, account_id=caller.account_id)


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
