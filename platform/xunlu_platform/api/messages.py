"""Orders by text: to a recorder, which reads them aloud, or to everybody of a talk group; and what became of them."""

import asyncio
import secrets
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, Field

from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.commands import OPEN_COMMANDS_MAX
from xunlu_platform.api.paging import After, Answer, Limit, Page, decode_cursor, page
from xunlu_platform.api.problems import conflict, not_found
from xunlu_platform.api.services import Services, Serving
from xunlu_platform.auth.logins import Caller
from xunlu_platform.dispatch.commands import Command, Queued
from xunlu_platform.store.store import SYSTEM, Row, Session
from xunlu_protocol.command import SayText
from xunlu_protocol.talk import MEMBERS_MAX

router = APIRouter(prefix="/messages", tags=["talk"])

KEPT_S = 86_400
"""A recorder that is away reads it aloud when it is back within a day."""
SENT_AT_ONCE = 50

MessageId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
ToFilter = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="To this device or group only.")]


class NewMessage(BaseModel):
    """What to tell whom.

    Attributes:
        to: a device, or a talk group.
        text: as it is read.
        speak: whether recorders read it aloud; otherwise it is for people with a screen only.
    """

    to: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    text: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
    speak: bool = True


class Target(Answer):
    """What became of it at one of them: read aloud, or opened on a screen. `why` it failed, in the device's words."""

    id: str
    name: str
    state: Literal["waiting", "delivered", "read", "failed"]
    delivered_at: datetime | None
    read_at: datetime | None
    why: str | None


class Message(Answer):
    """An order by text."""

    id: str
    to: str
    text: str
    speak: bool
    by: str
    created_at: datetime
    targets: list[Target]


@router.post("", response_model=Message, status_code=HTTPStatus.ACCEPTED)
async def send(services: Serving, caller: Annotated[Caller, allow("talk")], new: NewMessage) -> Row:
    """Send an order by text. The answer says that it is on its way, never that it was heard."""
    async with services.store.session(caller.scope) as session:
        unit_id = await _unit_of(session, new.to)
    message_id = secrets.token_urlsafe(9)
    # Members of a group may lie outside of what its dispatcher sees; they hear the order all the same.
    async with services.store.session(SYSTEM) as session:
        values = {
            **new.model_dump(), "id": message_id, "unit_id": unit_id, "account_id": caller.account_id,
            "username": caller.username,
        }  # fmt: skip
        await session.run("messages", "write", values)
        queued = await _address(services, session, caller, new, message_id)
        await record(session, caller, "message.send", new.to, id=message_id, speak=new.speak)
        row = await session.one("messages", "page", _only(message_id))
    await _send(services, queued)
    assert row is not None
    return row


@router.get("", response_model=Page[Message])
async def messages(
    services: Serving,
    caller: Annotated[Caller, allow("talk")],
    to: ToFilter = None,
    limit: Limit = 100,
    after: After = None,
) -> dict[str, object]:
    """Orders by text, newest first; an officer sees their own. Those for the caller count as delivered from now on."""
    after_at, after_id = decode_cursor(after, tuple[AwareDatetime, str]) or (None, None)
    values = {"id": None, "to": to, "limit": limit + 1, "after_at": after_at, "after_id": after_id}
    async with services.store.session(caller.scope) as session:
        rows = await session.all("messages", "page", values)
        seen = [row["id"] for row in rows[:limit]]
        await session.run("messages", "delivered", {"account_id": caller.account_id, "ids": seen})
    return page(rows, limit, lambda row: [row["created_at"].isoformat(), row["id"]])


@router.post("/{message_id}/read", response_model=Message)
async def read(services: Serving, caller: Annotated[Caller, allow("talk")], message_id: MessageId) -> Row:
    """Say that the caller has read an order; saying it twice changes nothing."""
    async with services.store.session(caller.scope) as session:
        await session.run("messages", "read", {"account_id": caller.account_id, "id": message_id})
        row = await session.one("messages", "page", _only(message_id))
    if row is None:
        raise not_found("message")
    return row


async def _unit_of(session: Session, to: str) -> int:
    """Whose device or group it is for, within the scope."""
    device = await session.one("messages", "target_device", {"to": to})
    group = None if device else await session.one("messages", "target_group", {"to": to})
    target = device or group
    if target is None:
        raise not_found("device or talk group")
    if device is not None and device["status"] != "approved":
        raise conflict("device-not-approved", "This device takes no orders.", "It must be approved and enabled first.")
    return int(target["unit_id"])


async def _address(
    services: Services, session: Session, caller: Caller, new: NewMessage, message_id: str
) -> list[Queued]:
    """Write down whom it is for, with the command of each recorder that reads it aloud."""
    queued = []
    targets = await _targets(session, caller, new)
    for target in targets:
        rid = None
        if target["account_id"] is None:
            command = Command(name="say_text", arguments=SayText(text=new.text), live_s=KEPT_S)
            queued.append(await services.commands.queue(session, target, command, account_id=caller.account_id))
            rid = command.rid
        await session.run("messages", "address", {"id": message_id, "person": target["person"], "rid": rid})
    return queued


async def _targets(session: Session, caller: Caller, new: NewMessage) -> Sequence[Row]:
    """Whom it is for.

    Raises:
        Problem: 409, nobody would get it, or a recorder has as much waiting as it may.
    """
    device = await session.one("messages", "target_device", {"to": new.to})
    if device is not None:
        waiting = await session.one("messages", "waiting", {"device_id": device["id"]})
        rows = [{**device, **(waiting or {}), "person": new.to, "account_id": None}]
    else:
        values = {"gid": new.to, "account_id": caller.account_id, "limit": MEMBERS_MAX}
        rows = await session.all("messages", "members", values)
    rows = [row for row in rows if new.speak or row["account_id"] is not None]
    if not rows:
        title = "Nobody would get this order."
        raise conflict("nobody", title, "A recorder has no screen for it: have it read aloud, or choose another group.")
    if full := [row for row in rows if row["account_id"] is None and row["waiting"] >= OPEN_COMMANDS_MAX]:
        title = "{count} commands wait for {did}."
        raise conflict(
            "too-many-commands", title, "Wait until it has answered some.", count=full[0]["waiting"], did=full[0]["did"]
        )
    return rows


async def _send(services: Services, queued: Sequence[Queued]) -> None:
    for start in range(0, len(queued), SENT_AT_ONCE):
        part = queued[start : start + SENT_AT_ONCE]
        await asyncio.gather(*(services.commands.send(SYSTEM, one) for one in part))


def _only(message_id: str) -> dict[str, object]:
    return {"id": message_id, "to": None, "limit": 1, "after_at": None, "after_id": None}
