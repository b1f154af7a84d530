"""Whom an order is for, and by which command it reaches each recorder. Screens read it by themselves."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from xunlu_platform.api.commands import OPEN_COMMANDS_MAX
from xunlu_platform.api.problems import Problem, conflict, invalid, not_found
from xunlu_platform.api.services import Services
from xunlu_platform.auth.logins import Caller
from xunlu_platform.dispatch.commands import Command, Queued
from xunlu_platform.store.store import SYSTEM, Row, Session
from xunlu_protocol.command import SayText, ShowText
from xunlu_protocol.talk import MEMBERS_MAX

KEPT_S = 86_400
"""A recorder that is away reads an order by text aloud when it is back within a day."""
SENT_AT_ONCE = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What is told to whom.

    Attributes:
        to: a device, a talk group, or `u-` and an account.
        below: of a unit's group, everybody of the unit and of those below.
        text: as it is read; None for a voice note.
        speak: whether recorders may sound; otherwise it is for screens.
        id: its identity.
    """

    to: str
    below: bool
    text: str | None
    speak: bool
    id: str = field(default_factory=lambda: secrets.token_urlsafe(9))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Way:
    """How one of the targets gets it: by a command, by a list on a screen, by the jobs process; or why never."""

    command: Command | None = None
    why: str | None = None


async def unit_of(session: Session, caller: Caller, order: Order) -> int:
    """Whose device, account or group it is for, within the scope.

    Raises:
        Problem: 403, 404, 409 or 422: nobody by this name takes orders of this caller.
    """
    values = {"to": order.to}
    device = await session.one("messages", "target_device", values)
    group = None if device else await session.one("messages", "target_group", values)
    target = device or group or await session.one("messages", "target_account", values)
    if target is None:
        raise not_found("device, account or talk group")
    if device is not None and device["status"] != "approved":
        raise conflict("device-not-approved", "This device takes no orders.", "It must be approved and enabled first.")
    if order.below and (group is None or group["kind"] != "squad"):
        raise invalid("below", "below", "Only below a unit are there other units: name its group.")
    if order.below and caller.role == "officer":
        detail = "Write to your group, or ask the dispatcher."
        raise Problem(HTTPStatus.FORBIDDEN, "forbidden", "Officers give no orders to whole units.", detail)
    return int(target["unit_id"])


async def address(services: Services, session: Session, caller: Caller, order: Order) -> list[Queued]:
    """Write down whom it is for, with the command of each recorder that gets one.

    Args:
        services: of the process.
        session: of the order, in the scope of the installation: members of a group may lie outside of what its
            dispatcher sees, and hear the order all the same.
        caller: its author.
        order: that is written down already.

    Raises:
        Problem: 409, nobody would get it, too many would, or a recorder has as much waiting as it may.
    """
    values = {"to": order.to, "below": order.below, "account_id": caller.account_id, "limit": MEMBERS_MAX + 1}
    rows = await session.all("messages", "recipients", values)
    if len(rows) > MEMBERS_MAX:
        title = "This order is for more than {people} people."
        raise conflict("too-many-recipients", title, "Give it to the units below, one by one.", people=MEMBERS_MAX)
    ways = [(row, way) for row in rows if (way := _way(row, order, caller)) is not None]
    _require_somebody(ways)
    queued = []
    for row, way in ways:
        rid = None
        if way.command is not None:
            queued.append(await services.commands.queue(session, row, way.command, account_id=caller.account_id))
            rid = way.command.rid
        target = {"id": order.id, "person": row["person"], "name": row["name"], "rid": rid, "why": way.why}
        await session.run("messages", "address", target)
    return queued


def _way(row: Row, order: Order, caller: Caller) -> _Way | None:
    """The way to one of the targets; None when it is not for it at all."""
    if row["account_id"] is not None:
        return _Way()
    # A recorder that never introduced itself is believed to speak: it will say so if it does not.
    unknown, caps = row["caps"] is None, row["caps"] or ()
    if order.text is None:
        return _Way(why=None if unknown or "play_note" in caps else "cannot-play")
    if order.speak and (unknown or "say_text" in caps):
        return _Way(command=Command(name="say_text", arguments=SayText(text=order.text), live_s=KEPT_S))
    if "show_text" in caps:
        shown = ShowText(text=order.text, by=caller.display_name[:64])
        return _Way(command=Command(name="show_text", arguments=shown, live_s=KEPT_S))
    return _Way(why="cannot-say") if order.speak else None


def _require_somebody(ways: Sequence[tuple[Row, _Way]]) -> None:
    if not any(way.why is None for _, way in ways):
        title = "Nobody would get this order."
        raise conflict("nobody", title, "No recorder there can tell it, and nobody has a screen: choose another group.")
    full = [row for row, way in ways if way.command is not None and row["waiting"] >= OPEN_COMMANDS_MAX]
    if full:
        title = "{count} commands wait for {did}."
        raise conflict(
            "too-many-commands", title, "Wait until it has answered some.", count=full[0]["waiting"], did=full[0]["did"]
        )


async def send(services: Services, queued: Sequence[Queued]) -> None:
    """Send the commands of an order, some at a time."""
    for start in range(0, len(queued), SENT_AT_ONCE):
        part = queued[start : start + SENT_AT_ONCE]
        await asyncio.gather(*(services.commands.send(SYSTEM, one) for one in part))
