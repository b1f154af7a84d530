"""Orders by text: to a recorder, which reads them aloud, or to everybody of a talk group; and what became of them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.history import NewestFirst
from xunlu_platform.api.order_targets import Order, address, send, unit_of
from xunlu_platform.api.paging import Answer, Page
from xunlu_platform.api.problems import not_found
from xunlu_platform.api.services import Services, Serving
from xunlu_platform.auth.logins import Caller
from xunlu_platform.store.store import SYSTEM, Row, Session

router = APIRouter(prefix="/messages", tags=["talk"])

Recipient = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
MessageId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
ToFilter = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="To this device or group only.")]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted(NewestFirst):
    """Which orders."""

    to: ToFilter = None


class NewMessage(BaseModel):
    """What to tell whom.

    Attributes:
        to: a device, a talk group, or `u-` with an account's number.
        below: of a unit's group: everybody of the unit and of those below.
        text: as it is read.
        speak: whether recorders read it aloud; otherwise it is for people with a screen only.
    """

    to: Recipient
    below: bool = False
    text: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
    speak: bool = True


class Target(Answer):
    """What became of it at one of them: read aloud, played, or opened on a screen.

    Attributes:
        why: it failed: `cannot-say`, `cannot-play` (the recorder has no such part), or the device's own words.
    """

    id: str
    name: str
    state: Literal["waiting", "delivered", "read", "failed"]
    delivered_at: datetime | None
    read_at: datetime | None
    why: str | None


class Voice(Answer):
    """The sound of a voice note; `sha256` of its bytes, hexadecimal."""

    duration_s: float
    size_bytes: int
    sha256: str


class Message(Answer):
    """An order by text; without `text` it is a voice note, whose `voice` may have been erased by a rule."""

    id: str
    to: str
    below: bool
    text: str | None
    voice: Voice | None
    speak: bool
    by: str
    created_at: datetime
    targets: list[Target]


@router.post("", response_model=Message, status_code=HTTPStatus.ACCEPTED)
async def send_text(services: Serving, caller: Annotated[Caller, allow("talk")], new: NewMessage) -> Row:
    """Send an order by text. The answer says that it is on its way, never that it was heard."""
    return await give(services, caller, Order(**new.model_dump()))


async def give(
    services: Services, caller: Caller, order: Order, keep: Callable[[Session], Awaitable[None]] | None = None
) -> Row:
    """Write an order down, and send what follows from it after the commit.

    Args:
        services: of the process.
        caller: its author.
        order: what is told to whom.
        keep: stores in the same transaction what else belongs to it.
    """
    async with services.store.session(caller.scope) as session:
        unit_id = await unit_of(session, caller, order)
    values = {
        "id": order.id, "to": order.to, "below": order.below, "text": order.text, "speak": order.speak,
        "unit_id": unit_id, "account_id": caller.account_id, "username": caller.username,
    }  # fmt: skip
    async with services.store.session(SYSTEM) as session:
        await session.run("messages", "write", values)
        if keep is not None:
            await keep(session)
        queued = await address(services, session, caller, order)
        kind = "voice" if order.text is None else "text"
        await record(session, caller, "message.send", order.to, id=order.id, kind=kind, speak=order.speak)
        row = await _one(session, order.id)
    await send(services, queued)
    return row


@router.get("", response_model=Page[Message])
async def messages(
    services: Serving, caller: Annotated[Caller, allow("talk")], wanted: Annotated[Wanted, Depends()]
) -> dict[str, object]:
    """Orders, newest first; an officer sees their own. Those for the caller count as delivered from now on."""
    async with services.store.session(caller.scope) as session:
        rows = await session.all("messages", "page", wanted.values())
        seen = [row["id"] for row in rows[: wanted.limit]]
        await session.run("messages", "delivered", {"account_id": caller.account_id, "ids": seen})
    return wanted.page(rows, "created_at")


@router.post("/{message_id}/read", response_model=Message)
async def read(services: Serving, caller: Annotated[Caller, allow("talk")], message_id: MessageId) -> Row:
    """Say that the caller has read an order, or heard it; saying it twice changes nothing."""
    async with services.store.session(caller.scope) as session:
        await session.run("messages", "read", {"account_id": caller.account_id, "id": message_id})
        return await _one(session, message_id)


async def _one(session: Session, message_id: str) -> Row:
    row = await session.one("messages", "page", {**Wanted().values(), "id": message_id})
    if row is None:
        raise not_found("message")
    return row
