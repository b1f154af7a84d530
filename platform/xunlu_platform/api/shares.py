"""An incident for a stranger: a secret address that ends, shows nothing else, and keeps a list of visits.

The page is the one of an export, so nothing of the console comes with it; it runs in a sandbox without our origin.
"""

import asyncio
import logging
import secrets
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi import Path as Parameter
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from xunlu_gis.formats.playback import Language
from xunlu_platform.api.access import allow_everybody
from xunlu_platform.api.audit import record
from xunlu_platform.api.incidents import FILE, Investigator, held, one_incident
from xunlu_platform.api.paging import Answer
from xunlu_platform.api.problems import Problem, conflict, not_found
from xunlu_platform.api.services import Services, Serving, address_of
from xunlu_platform.api.units import Id
from xunlu_platform.auth.logins import hash_token
from xunlu_platform.config import PlatformSettings
from xunlu_platform.export.composition import Composition, compose, find_media
from xunlu_platform.export.playing import Fault, Reader, playback_of
from xunlu_platform.review.moments import Kind
from xunlu_platform.store.store import SYSTEM, Row, Scope, Session

log = logging.getLogger(__name__)

router = APIRouter(prefix="/incidents/{incident_id}/shares", tags=["incidents"])
public = APIRouter(prefix="/shared/{secret}", include_in_schema=False)

SHARES_MAX: Final = 50
OPENINGS_MAX: Final = 5000
# Neither commands nor who watched whom are a stranger's business.
KINDS: Final[tuple[Kind, ...]] = ("recording", "burst", "alarm", "event", "zone")
# A sandbox has no origin: the page cannot act as whoever is signed in here, even if somebody smuggled a script in.
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data:; media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "sandbox allow-scripts",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Robots-Tag": "noindex",
}

Secret = Annotated[str, Parameter(pattern=r"^[A-Za-z0-9_-]{43}$")]


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
    """Give the incident away for a while."""
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


@public.get("", dependencies=[allow_everybody()])
async def without_slash(secret: Secret) -> RedirectResponse:
    """The files lie below the address, so it ends with a slash."""
    return RedirectResponse(f"/shared/{secret}/")


@public.get("/", dependencies=[allow_everybody()])
async def shared_page(
    request: Request, services: Serving, secret: Secret, language: Annotated[Language | None, Query()] = None
) -> HTMLResponse:
    """The incident, playing."""
    opened = await _open(request, services, secret, "page")
    whole = await compose(services.store, Scope(opened["scope"]), opened["incident_id"], KINDS)
    zone = ZoneInfo(services.settings.time_zone)
    reader = Reader(
        language=language or _spoken(request), zone=zone, shown_by=opened["label"], shown_at=datetime.now(UTC)
    )
    return HTMLResponse(await asyncio.to_thread(_page, whole, reader, services.settings), headers=HEADERS)


@public.get("/media/{name}", dependencies=[allow_everybody()])
async def shared_media(
    request: Request,
    services: Serving,
    secret: Secret,
    name: Annotated[str, Parameter(pattern=r"^[\w-]{1,64}\.\w{1,8}$")],
) -> FileResponse:
    """A recording or a burst of this incident, whole or in ranges (RFC 9110 §14)."""
    opened = await _open(request, services, secret, name)
    async with services.store.session(Scope(opened["scope"])) as session:
        media = await find_media(session, opened["incident_id"], name)
    path = media and media.path(services.settings.recordings)
    if not path:
        raise not_found("file")
    kind = "audio/ogg" if media and media.moment.kind == "burst" else "video/mp4"
    return FileResponse(path, media_type=kind, headers=HEADERS)


def _spoken(request: Request) -> Language:
    """What a stranger's browser asks for first (RFC 9110 §12.5.4); Chinese where it says nothing."""
    asked = request.headers.get("accept-language", "zh")
    return "zh-CN" if asked.strip().lower().startswith(("zh", "*")) else "en"


async def _open(request: Request, services: Services, secret: str, what: str) -> Row:
    """What a secret opens, written down.

    Raises:
        Problem: 404, whether it never was, has ended or was withdrawn; 429 for whoever asks too often.
    """
    address = address_of(request)
    _check_rate(services, str(address))
    async with services.store.session(SYSTEM) as session:
        opened = await session.one(FILE, "open_share", {"secret_hash": hash_token(secret)})
        if opened is None:
            services.sign_ins.count(str(address))
            raise not_found("page")
        values = {"share": opened["id"], "address": address, "what": what, "openings_max": OPENINGS_MAX}
        if await session.one(FILE, "note_opening", values):
            await _record(session, opened, what, address)
    return opened


def _check_rate(services: Services, address: str) -> None:
    services.shared.count(address)
    wait_s = max(services.shared.wait_s(address), services.sign_ins.wait_s(address))
    if wait_s:
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too-many-requests",
            "Too much was asked from this address.",
            "Wait a while, then load the page again.",
            {"Retry-After": str(round(wait_s) + 1)},
        )


async def _record(session: Session, opened: Row, what: str, address: str | None) -> None:
    """An audit row of somebody who has no account."""
    values = {
        "account_id": None, "username": f"share {opened['id']}", "unit_id": opened["unit_id"], "action": "share.open",
        "target": opened["label"], "address": address,
        "detail": {"id": opened["incident_id"], "share": opened["id"], "what": what},
    }  # fmt: skip
    await session.run("audit", "insert", values)


async def _one(session: Session, incident_id: int, share_id: int) -> Row:
    row = await session.one(FILE, "shares", {"id": incident_id, "share": share_id})
    if row is None:
        raise not_found("share")
    return row


def _page(whole: Composition, reader: Reader, settings: PlatformSettings) -> str:
    from xunlu_gis.formats.page import to_page  # noqa: PLC0415  folium takes a second to load, and few ask for it

    folder: Path = settings.recordings
    faults: dict[str, Fault] = {one.name: "missing" for one in whole.media if one.path(folder) is None}
    playback = playback_of(whole, reader, faults, {})
    return to_page(playback, settings.leaflet, settings.map)
