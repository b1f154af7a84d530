"""What a stranger sees of a shared incident: a page that plays it, its recordings, or in words why there is nothing.

The page is the one of an export, so nothing of the console comes with it; it runs in a sandbox without our origin.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute

from xunlu_gis.formats.playback import Language, Playback
from xunlu_kit.errors import XunluError
from xunlu_platform.api.access import allow_everybody
from xunlu_platform.api.incidents import FILE
from xunlu_platform.api.problems import Problem, answer_to, not_found
from xunlu_platform.api.recordings import media_type_of
from xunlu_platform.api.services import Services, Serving, address_of
from xunlu_platform.auth.logins import hash_token
from xunlu_platform.config import PlatformSettings
from xunlu_platform.export.composition import compose, find_media
from xunlu_platform.export.playing import Fault, Reader, playback_of
from xunlu_platform.export.words import words
from xunlu_platform.review.moments import Kind
from xunlu_platform.store.store import SYSTEM, Row, Scope, Session

OPENINGS_MAX: Final = 5000
# Neither commands nor who watched whom are a stranger's business; what was said is.
KINDS: Final[tuple[Kind, ...]] = ("recording", "burst", "heard", "message", "alarm", "event", "zone")
# A sandbox has no origin: the page cannot act as whoever is signed in here, even if somebody smuggled a script in.
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data:; media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "sandbox allow-scripts",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Robots-Tag": "noindex",
}
# What is said of a status; of all others that it is over soon.
SAID: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.TOO_MANY_REQUESTS})
NOTHING: Final = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ max-width: 32em; margin: 20vh auto 0; padding: 0 1.5em; font: 16px/1.6 system-ui, sans-serif }}
h1 {{ font-size: 1.4em }}
</style>
</head>
<body><main><h1>{title}</h1><p>{do}</p></main></body>
</html>
"""

Secret = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{43}$")]


class _InWords(APIRoute):
    """Strangers read a page where programs read a problem document."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's own, with every refusal in words."""
        handler = super().get_route_handler()

        async def in_words(request: Request) -> Response:
            try:
                return await handler(request)
            except RequestValidationError:
                # No address of ours looks like this.
                return _nothing(request, await answer_to(request, not_found("page")))
            except (Problem, XunluError) as error:
                return _nothing(request, await answer_to(request, error))

        return in_words


router = APIRouter(prefix="/shared/{secret}", include_in_schema=False, route_class=_InWords)


@router.get("", dependencies=[allow_everybody()])
async def without_slash(secret: Secret) -> RedirectResponse:
    """The files lie below the address, so it ends with a slash."""
    return RedirectResponse(f"/shared/{secret}/")


@router.get("/", dependencies=[allow_everybody()])
async def page(request: Request, services: Serving, secret: Secret) -> HTMLResponse:
    """The incident, playing."""
    opened = await _open(request, services, secret)
    await _note(request, services, opened, "page")
    reader = Reader(
        language=_language(request),
        zone=ZoneInfo(services.settings.time_zone),
        shown_by=opened["label"],
        shown_at=datetime.now(UTC),
    )
    playback = await playback_for(services, Scope(opened["scope"]), opened["incident_id"], reader)
    return HTMLResponse(await asyncio.to_thread(_html, playback, services.settings), headers=HEADERS)


@router.get("/media/{name}", dependencies=[allow_everybody()])
async def media(
    request: Request, services: Serving, secret: Secret, name: Annotated[str, Path(pattern=r"^[\w-]{1,64}\.\w{1,8}$")]
) -> FileResponse:
    """A recording or a burst of this incident, whole or in ranges (RFC 9110 §14)."""
    opened = await _open(request, services, secret)
    async with services.store.session(Scope(opened["scope"])) as session:
        found = await find_media(session, opened["incident_id"], name)
    path = found and found.path(services.settings.recordings)
    if not found or not path:
        raise not_found("file")
    await _note(request, services, opened, name)
    return FileResponse(path, media_type=media_type_of(path), headers=HEADERS)


async def playback_for(services: Services, scope: Scope, incident_id: int, reader: Reader) -> Playback:
    """What the page of an incident plays.

    Raises:
        NotFoundError: there is no such incident within the scope.
        TooMuchError: it is more than a page can hold.
        StoreError: the database does not answer.
    """
    whole = await compose(services.store, scope, incident_id, KINDS)
    folder = services.settings.recordings

    def play() -> Playback:
        faults: dict[str, Fault] = {one.name: "missing" for one in whole.media if one.path(folder) is None}
        return playback_of(whole, reader, faults, {})

    return await asyncio.to_thread(play)


async def _open(request: Request, services: Services, secret: str) -> Row:
    """What a secret opens.

    Raises:
        Problem: 404, whether it never was, has ended or was withdrawn; 429 for whoever asks too often.
    """
    address = str(address_of(request))
    _check_rate(services, address)
    async with services.store.session(SYSTEM) as session:
        values = {"secret_hash": hash_token(secret), "openings_max": OPENINGS_MAX}
        opened = await session.one(FILE, "open_share", values)
    if opened is None:
        services.sign_ins.count(address)
        raise not_found("page")
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


async def _note(request: Request, services: Services, opened: Row, what: str) -> None:
    """Write a visit down: `what` is `page` or the name of a file that there is."""
    address = address_of(request)
    async with services.store.session(SYSTEM) as session:
        if await session.one(FILE, "note_opening", {"share": opened["id"], "address": address, "what": what}):
            await _record(session, opened, what, address)


async def _record(session: Session, opened: Row, what: str, address: str | None) -> None:
    """An audit row of somebody who has no account."""
    values = {
        "account_id": None, "username": f"share {opened['id']}", "unit_id": opened["unit_id"], "action": "share.open",
        "target": opened["label"], "address": address,
        "detail": {"id": opened["incident_id"], "share": opened["id"], "what": what},
    }  # fmt: skip
    await session.run("audit", "insert", values)


def _html(playback: Playback, settings: PlatformSettings) -> str:
    from xunlu_gis.formats.page import to_page  # noqa: PLC0415  folium takes a second to load, and few ask for it

    return to_page(playback, settings.leaflet, settings.map)


def _language(request: Request) -> Language:
    """`language` of the address, else what a stranger's browser asks for first (RFC 9110 §12.5.4); at last Chinese."""
    asked = request.query_params.get("language") or request.headers.get("accept-language", "zh")
    return "zh-CN" if asked.strip().lower().startswith(("zh", "*")) else "en"


def _nothing(request: Request, problem: Response) -> HTMLResponse:
    """A problem in the stranger's words, with its status and its `Retry-After`."""
    language = _language(request)
    status = problem.status_code if problem.status_code in SAID else HTTPStatus.SERVICE_UNAVAILABLE
    known, name = words(language), f"shared.{int(status)}"
    wait = {key: value for key, value in problem.headers.items() if key == "retry-after"}
    html = NOTHING.format(language=language, title=known[name], do=known[f"{name}.do"])
    return HTMLResponse(html, problem.status_code, {**HEADERS, **wait})
