"""Looking at thumbnails. Opening the wall of them is audited, and whom it showed, once in an hour each."""

from email.utils import formatdate
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Response

from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record, record_hourly
from xunlu_platform.api.devices import Did, one_device
from xunlu_platform.api.problems import not_found
from xunlu_platform.api.services import Serving
from xunlu_platform.auth.logins import Caller

router = APIRouter(tags=["live"])


@router.get("/devices/{did}/thumb", response_class=Response)
async def thumbnail(
    services: Serving,
    caller: Annotated[Caller, allow("live")],
    did: Did,
    if_none_match: Annotated[str, Header(max_length=200)] = "",
) -> Response:
    """The newest thumbnail of a device."""
    async with services.store.session(caller.scope) as session:
        await one_device(session, did)
        newest = services.thumbnails.newest(did)
        if newest is None:
            raise not_found("thumbnail yet")
        await record_hourly(session, caller, "thumb.see", did)
    headers = {
        "ETag": newest.etag,
        "Last-Modified": formatdate(newest.at_s, usegmt=True),
        "Cache-Control": "private, no-cache",
    }
    if newest.etag in if_none_match:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(newest.image, media_type=newest.media_type, headers=headers)


@router.post("/thumbs/watch", status_code=HTTPStatus.NO_CONTENT)
async def watch_thumbnails(services: Serving, caller: Annotated[Caller, allow("live")]) -> None:
    """Write down that somebody opens the wall of thumbnails."""
    async with services.store.session(caller.scope) as session:
        await record(session, caller, "thumbs.watch", caller.unit_name)
