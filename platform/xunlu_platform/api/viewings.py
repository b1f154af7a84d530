"""Who saw whose live picture, from when to when."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from xunlu_platform.api.access import allow
from xunlu_platform.api.history import OfDevice
from xunlu_platform.api.paging import Answer, Page
from xunlu_platform.api.services import Serving
from xunlu_platform.auth.logins import Caller

router = APIRouter(prefix="/viewings", tags=["live"])

UserFilter = Annotated[
    str | None, Query(alias="account", max_length=64, pattern=r"^[^\x00]*$", description="User name.")
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted(OfDevice):
    """Which looks."""

    username: UserFilter = None


class Viewing(Answer):
    """A look at a live picture.

    Attributes:
        asked_at: when it was asked for.
        began_at: first picture sent; null when none ever was.
        seen_at: when the relay last told of it.
        ended_at: null while it goes on.
        why: how it ended: `left`, `lost`, `withdrawn` (the right to it ended), `error` or `shutdown`.
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
    services: Serving, caller: Annotated[Caller, allow("audit")], wanted: Annotated[Wanted, Depends()]
) -> dict[str, object]:
    """Looks at live pictures by when they were asked for, newest first."""
    async with services.store.session(caller.scope) as session:
        rows = await session.all("live", "viewings", wanted.values())
    return wanted.page(rows, "asked_at")
