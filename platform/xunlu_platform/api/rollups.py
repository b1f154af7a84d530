"""Hourly roll-ups: what an hour of a device came to. Hours due are those that the jobs process has yet to compute."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from xunlu_platform.api.access import allow
from xunlu_platform.api.paging import After, Answer, Limit, decode_cursor, page
from xunlu_platform.api.periods import From, To, check_period
from xunlu_platform.api.services import Serving
from xunlu_platform.auth.logins import Caller

router = APIRouter(prefix="/rollups", tags=["track"])


class Hour(Answer):
    """An hour of a device."""

    did: str
    hour: datetime
    fixes: int
    late_fixes: int
    first_fix_at: datetime
    last_fix_at: datetime
    distance_m: float
    moving_s: float
    speed_max_mps: float | None
    computed_at: datetime


class Hours(Answer):
    """Hours, and how many of the same stretch are still to be computed."""

    items: list[Hour]
    next: str | None
    hours_due: int


@router.get("", response_model=Hours)
async def rollups(
    services: Serving,
    caller: Annotated[Caller, allow("track")],
    did: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = None,
    since: From = None,
    until: To = None,
    limit: Limit = 100,
    after: After = None,
) -> dict[str, object]:
    """Hours of one device or of all, oldest first; of the last 24 hours unless told."""
    until = until or datetime.now(UTC)
    since = since or until - timedelta(days=1)
    check_period(since, until)
    after_hour, after_did = decode_cursor(after, tuple[AwareDatetime, str]) or (None, None)
    values = {"did": did, "from": since, "to": until, "limit": limit + 1}
    async with services.store.session(caller.scope) as session:
        rows = await session.all("history", "rollups", {**values, "after_hour": after_hour, "after_did": after_did})
        due = await session.one("history", "rollups_due", values)
    hours_due = due["hours"] if due else 0
    return {**page(rows, limit, lambda row: [row["hour"].isoformat(), row["did"]]), "hours_due": hours_due}
