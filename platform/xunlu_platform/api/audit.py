"""The audit log: who did or saw what. Rows are written here and never altered: the database grants nobody an update."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from xunlu_platform.api.access import allow
from xunlu_platform.api.paging import After, Answer, Limit, Page, decode_cursor, page
from xunlu_platform.api.periods import From, To
from xunlu_platform.api.search import Search, pattern
from xunlu_platform.api.services import Serving
from xunlu_platform.auth.logins import Caller
from xunlu_platform.store.store import Session

router = APIRouter(prefix="/audit", tags=["audit"])


class AuditRow(Answer):
    """Somebody did or saw something."""

    id: int
    at: datetime
    username: str
    action: Annotated[str, Query(description="`NOUN.VERB`, such as `device.approve` or `track.read`.")]
    target: str
    detail: dict[str, Any]
    address: str | None


async def record(session: Session, caller: Caller, action: str, target: str = "", **detail: object) -> None:
    """Write an audit row in the transaction of what it tells about.

    Args:
        session: of the change.
        caller: who.
        action: `noun.verb`.
        target: whom or what, by the name that people use.
        detail: the new values, never a secret.
    """
    await session.run(
        "audit",
        "insert",
        {
            "account_id": caller.account_id,
            "username": caller.username,
            "unit_id": caller.unit_id,
            "action": action,
            "target": target,
            "detail": detail,
            "address": caller.address,
        },
    )


async def record_hourly(session: Session, caller: Caller, action: str, target: str, **detail: object) -> None:
    """Write that somebody sees something, once in an hour, however often a page asks for it. See `record`."""
    values = {"action": action, "account_id": caller.account_id, "target": target, "detail": detail}
    known = await session.one("audit", "seen", values)
    if known is None or not known["seen"]:
        await record(session, caller, action, target, **detail)


async def record_playback(session: Session, caller: Caller, action: str, target: str, file_id: str) -> None:
    """Write that somebody plays a file: one playback, however many ranges of it the player asks for."""
    await record_hourly(session, caller, action, target, id=file_id)


@router.get("", response_model=Page[AuditRow])
async def audit_rows(
    services: Serving,
    caller: Annotated[Caller, allow("audit")],
    q: Search = None,
    since: From = None,
    until: To = None,
    limit: Limit = 100,
    after: After = None,
) -> dict[str, object]:
    """Who did or saw what, newest first."""
    values = {
        "q": pattern(q), "from": since, "to": until, "limit": limit + 1, "after": decode_cursor(after, int),
    }  # fmt: skip
    async with services.store.session(caller.scope) as session:
        rows = await session.all("audit", "page", values)
    return page(rows, limit, lambda row: row["id"])
