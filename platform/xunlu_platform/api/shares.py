"""An incident for a stranger: a secret address that ends, shows nothing else, and keeps a list of visits."""

import secrets
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter
from pydantic import BaseModel, Field

from xunlu_platform.api.audit import record
from xunlu_platform.api.incidents import FILE, Investigator, held, one_incident
from xunlu_platform.api.paging import Answer
from xunlu_platform.api.problems import conflict, not_found
from xunlu_platform.api.services import Services, Serving
from xunlu_platform.api.shared import playback_for
from xunlu_platform.api.units import Id
from xunlu_platform.auth.logins import Caller, hash_token
from xunlu_platform.errors import TooMuchError
from xunlu_platform.export.playing import Reader
from xunlu_platform.store.store import Row, Session

router = APIRouter(prefix="/incidents/{incident_id}/shares", tags=["incidents"])

SHARES_MAX: Final = 50


class NewShare(BaseModel):
    """For whom, and for how long."""

    label: Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00]*$")]
    hours: Annotated[int, Field(ge=1, le=30 * 24)] = 72


class Opening(Answer):
    """Somebody was there: `what` is `page` or the file that was played, once in an hour."""

    at: datetime
    address: str | None
    what: str


class Share(Answer):
    """An address that was given away; the address itself is told once."""

    id: int
    label: str
    made_at: datetime
    author: str
    expires_at: datetime
    revoked_at: datetime | None
    revoked_by: str | None
    openings_count: int
    openings: list[Opening]


class FreshShare(Share):
    """With its path on this origin; nobody can look it up again."""

    path: str


@router.get("", response_model=list[Share])
async def shares(services: Serving, caller: Investigator, incident_id: Id) -> list[Row]:
    """To whom it was given, newest first, each with its newest hundred visits."""
    async with services.store.session(caller.scope) as session:
        await one_incident(session, incident_id)
        return await session.all(FILE, "shares", {"id": incident_id, "share": None})


@router.post("", response_model=FreshShare, status_code=HTTPStatus.CREATED)
async def share(services: Serving, caller: Investigator, incident_id: Id, new: NewShare) -> Row:
    """Give the incident away for a while; more than a page can hold is refused."""
    await _check_playable(services, caller, incident_id)
    secret = secrets.token_urlsafe(32)
    values = {
        "id": incident_id, "secret_hash": hash_token(secret), "label": new.label, "hours": new.hours,
        "scope": caller.scope.path, "account_id": caller.account_id, "author": caller.username,
        "shares_max": SHARES_MAX,
    }  # fmt: skip
    async with services.store.session(caller.scope) as session:
        found = await held(session, incident_id)
        made = await session.one(FILE, "add_share", values)
        if made is None:
            raise conflict("too-many-shares", "It was shared {shares} times.", "Make another one.", shares=SHARES_MAX)
        detail = {"id": incident_id, "share": made["id"], "label": new.label, "hours": new.hours}
        await record(session, caller, "incident.share", found["title"], **detail)
        row = await _one(session, incident_id, made["id"])
    return {**row, "path": f"/shared/{secret}/"}


@router.post("/{share_id}/revoke", response_model=Share)
async def revoke(services: Serving, caller: Investigator, incident_id: Id, share_id: Id) -> Row:
    """End it now; who did so first stays."""
    async with services.store.session(caller.scope) as session:
        found = await held(session, incident_id)
        await _one(session, incident_id, share_id)
        values = {"id": incident_id, "share": share_id, "author": caller.username}
        if await session.run(FILE, "revoke_share", values):
            await record(session, caller, "incident.revoke", found["title"], id=incident_id, share=share_id)
        return await _one(session, incident_id, share_id)


async def _check_playable(services: Services, caller: Caller, incident_id: int) -> None:
    reader = Reader(language="en", zone=UTC, shown_by=caller.username, shown_at=datetime.now(UTC))
    try:
        await playback_for(services, caller.scope, incident_id, reader)
    except TooMuchError as error:
        raise conflict(
            "share-too-much", "The incident is more than a page can hold.", "Shorten it or take officers out."
        ) from error


async def _one(session: Session, incident_id: int, share_id: int) -> Row:
    row = await session.one(FILE, "shares", {"id": incident_id, "share": share_id})
    if row is None:
        raise not_found("share")
    return row
