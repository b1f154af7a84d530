"""Recordings of live video that the server made: a list, and the files themselves. A playback is audited."""

from datetime import datetime
from pathlib import Path as FilePath
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from fastapi.responses import FileResponse

from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record_playback
from xunlu_platform.api.console import file_below
from xunlu_platform.api.devices import OfficerName, UnitName
from xunlu_platform.api.history import OfDevice
from xunlu_platform.api.paging import Answer, Page
from xunlu_platform.api.problems import not_found
from xunlu_platform.api.services import Serving
from xunlu_platform.auth.logins import Caller
from xunlu_platform.store.store import Row, Session
from xunlu_protocol.media import Cause, Gap

router = APIRouter(prefix="/recordings", tags=["live"])

MEDIA_TYPES = {".mp4": "video/mp4", ".webm": "video/webm", ".opus": "audio/ogg"}

RecordingId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Holder(Answer):
    """An incident that keeps something from being erased; both None of one out of the reader's sight."""

    id: int | None
    title: str | None


class Recording(Answer):
    """A finished file; `officer` wore the device when it began, `order` is the order it was made for.

    Attributes:
        sha256: of the file, hexadecimal.
        gaps: stretches without video, UTC milliseconds.
        complete: false when the recorder process was killed and the file closed by its successor.
        registered_at: when the database learned of it.
        held_by: incidents that no rule erases it before.
    """

    id: str
    did: str
    unit: UnitName
    officer: OfficerName | None
    why: Cause
    order: str | None
    started_at: datetime
    ended_at: datetime
    size_bytes: int
    sha256: str
    video: str | None
    audio: str | None
    gaps: list[Gap]
    complete: bool
    registered_at: datetime
    held_by: list[Holder]


@router.get("", response_model=Page[Recording])
async def recordings(
    services: Serving, caller: Annotated[Caller, allow("recordings")], wanted: Annotated[OfDevice, Depends()]
) -> dict[str, object]:
    """Recordings that overlap a time, newest first."""
    async with services.store.session(caller.scope) as session:
        rows = await session.all("recordings", "page", wanted.values())
    return wanted.page(rows, "started_at")


@router.get("/{recording_id}", response_model=Recording)
async def recording(
    services: Serving, caller: Annotated[Caller, allow("recordings")], recording_id: RecordingId
) -> Row:
    """One recording."""
    async with services.store.session(caller.scope) as session:
        return await _one(session, recording_id)


@router.get("/{recording_id}/file", response_class=FileResponse)
async def recording_file(
    services: Serving, caller: Annotated[Caller, allow("recordings")], recording_id: RecordingId
) -> FileResponse:
    """The file, whole or in ranges (RFC 9110 §14)."""
    async with services.store.session(caller.scope) as session:
        row = await _one(session, recording_id)
        path = file_below(services.settings.recordings, row["file"])
        await record_playback(session, caller, "recording.play", row["did"], recording_id)
    name = f"{row['did']}-{row['started_at']:%Y%m%d-%H%M%S}{path.suffix}"
    return FileResponse(path, media_type=media_type_of(path), filename=name, content_disposition_type="inline")


def media_type_of(path: FilePath) -> str:
    """What a file of the recorder process holds."""
    return MEDIA_TYPES.get(path.suffix, "application/octet-stream")


async def _one(session: Session, recording_id: str) -> Row:
    row = await session.one("recordings", "page", {**OfDevice().values(), "id": recording_id})
    if row is None:
        raise not_found("recording")
    return row
