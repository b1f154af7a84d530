"""What devices reported beside positions: keys, falls, recordings, docks."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AwareDatetime

from xunlu_platform.api.access import allow
from xunlu_platform.api.devices import Did, one_device
from xunlu_platform.api.paging import After, Answer, Limit, Page, decode_cursor, page
from xunlu_platform.api.periods import From, To, check_period
from xunlu_platform.api.services import Serving
from xunlu_platform.auth.logins import Caller

router = APIRouter(prefix="/devices/{did}/events", tags=["track"])

# A recorder's clock may run a little ahead of ours.
AHEAD = timedelta(minutes=10)


class Event(Answer):
    """An event; `late` ones came in after their time and raised no alarm of their own."""

    id: int
    did: str
    type: str
    at: datetime
    received_at: datetime
    late: bool
    lat: float | None
    lon: float | None
    payload: dict[str, Any]


@router.get("", response_model=Page[Event])
async def events(
    services: Serving,
    caller: Annotated[Caller, allow("track")],
    did: Did,
    since: From = None,
    until: To = None,
    limit: Limit = 100,
    after: After = None,
) -> dict[str, object]:
    """Events of a device, newest first; of the last 24 hours unless told."""
    until = until or datetime.now(UTC) + AHEAD
    since = since or until - timedelta(days=1)
    check_period(since, until)
    after_at, after_id = decode_cursor(after, tuple[AwareDatetime, int]) or (None, None)
    async with services.store.session(caller.scope) as session:
        device = await one_device(session, did)
        values = {"device_id": device["id"], "from": since, "to": until, "limit": limit + 1}
        rows = await session.all("history", "events", {**values, "after_at": after_at, "after_id": after_id})
    return page(rows, limit, lambda row: [row["at"].isoformat(), row["id"]])
