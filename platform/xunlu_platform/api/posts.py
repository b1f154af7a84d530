"""Posts now: who is on them, and which are empty."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter

from xunlu_platform.api.access import allow
from xunlu_platform.api.devices import OfficerName
from xunlu_platform.api.paging import Answer
from xunlu_platform.api.services import Serving
from xunlu_platform.auth.logins import Caller
from xunlu_platform.store.posts import Post, read_posts
from xunlu_platform.store.store import Row

router = APIRouter(prefix="/zones")


class OnPost(Answer):
    """Somebody who is there, since the fix with which they came, as far as it was seen."""

    did: str
    officer: OfficerName | None
    since: datetime


class PostNow(Answer):
    """A post; `others` are there, too, but out of the caller's sight. Outside of its window nobody is expected."""

    zone: int
    in_force: bool
    present: list[OnPost]
    others: int
    left_at: datetime | None


@router.get("/posts")
async def posts(services: Serving, caller: Annotated[Caller, allow("events")]) -> list[PostNow]:
    """Every post in force, with who is on it now; at most as many as there can be zones."""
    now = datetime.now(UTC)
    found = await read_posts(services.store, caller.scope, now, services.settings.time_zone)
    return [_told(post) for post in found]


def _told(post: Post) -> PostNow:
    return PostNow(
        zone=post.zone,
        in_force=post.in_force,
        present=[_present(row) for row in post.present],
        others=post.others,
        left_at=post.left_at,
    )


def _present(row: Row) -> OnPost:
    named = row["officer"] is not None
    officer = OfficerName(id=row["officer"], number=row["number"], name=row["name"]) if named else None
    return OnPost(did=row["did"], officer=officer, since=row["since"])
