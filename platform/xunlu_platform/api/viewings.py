"""Who saw whose live picture, from when to when."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from xunlu_platform.api.access import allow
from xunlu_platform.api.paging import After, Answer, Limit, Page, decode_cursor, page
from xunlu_platform.api.periods import From, To
from xunlu_platform.api.services import Serving
from xunlu_platform.auth.logins import Caller

router = APIRouter(prefix="/viewings", tags=["live"])

# Not a path parameter: these filter lists.
DidFilter = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Of this device only.")]
UserFilter = Annotated[
    str | None, Query(alias="account", max_length=64, pattern=r"^[^\x00]*$", description="User name.")
]


class Viewing(Answer):
    """A look at a live picture.

    Attributes:
        asked_at: when it was asked for.
        began_at: first picture sent; null when none ever was.
        seen_at: when the relay last told of it.
        ended_at: null while it goes on.
        why: how it ended: `left`, `lost`, `gone` (the publisher ended) or `shutdown`.
    """

    id: str
    did: str
    username: str
    asked_at: datetime
    began_at: datetime | None
    seen_at: datetime | None
    ended_at: datetime | None
    sent_bytes: int
    why: str | None


@router.get("", response_model=Page[Viewing])
async def viewings(
    services: Serving,
    caller: Annotated[Caller, allow("audit")],
    did: DidFilter = None,
    username: UserFilter = None,
    since: From = None,
    until: To = None,
    limit: Limit = 100,
    after: After = None,
) -> dict[str, object]:
    """Looks at live pictures by when they were asked for, newest first."""
    after_at, after_id = decode_cursor(after, tuple[AwareDatetime, str]) or (None, None)
    values = {
        "did": did, "username": username, "from": since, "to": until,
        "limit": limit + 1, "after_at": after_at, "after_id": after_id,
    }  # fmt: skip
    async with services.store.session(caller.scope) as session:
        rows = await session.all("live", "viewings", values)
    return page(rows, limit, lambda row: [row["asked_at"].isoformat(), row["id"]])
