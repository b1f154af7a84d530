"""What is handed over of an incident: asked for here, made by the jobs process, fetched here again."""

import secrets
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from fastapi.responses import FileResponse
from pydantic import BaseModel

from xunlu_gis.formats.playback import Language
from xunlu_platform.api.access import allow_everybody
from xunlu_platform.api.audit import record
from xunlu_platform.api.console import file_below
from xunlu_platform.api.incidents import FILE, Investigator, held, one_incident
from xunlu_platform.api.paging import Answer
from xunlu_platform.api.problems import conflict, not_found
from xunlu_platform.api.review import KINDS
from xunlu_platform.api.services import Serving
from xunlu_platform.api.units import Id
from xunlu_platform.auth.logins import Caller
from xunlu_platform.export.key import PUBLIC, PublicKey
from xunlu_platform.review.moments import Kind
from xunlu_platform.store.store import Row, Session

router = APIRouter(tags=["incidents"])

WAITING_MAX = 20
ExportId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class NewExport(BaseModel):
    """In which language the page speaks."""

    language: Language = "zh-CN"


class Export(Answer):
    """A file that is made, or was.

    Attributes:
        done_bytes: how far it has come, of `total_bytes`.
        sha256: of the whole file, hexadecimal.
        why: it failed.
    """

    id: str
    asked_at: datetime
    author: str
    language: Language
    state: Literal["queued", "running", "done", "failed", "erased"]
    done_bytes: int
    total_bytes: int
    size_bytes: int | None
    sha256: str | None
    why: str | None
    finished_at: datetime | None


class Key(Answer):
    """The public key of the signatures, as PEM, and the SHA-256 of its DER form."""

    algorithm: Literal["Ed25519"] = "Ed25519"
    pem: str
    fingerprint: str


@router.get("/export-key", dependencies=[allow_everybody()])
async def export_key(services: Serving) -> Key:
    """With which key exports are signed; whoever received one compares the fingerprint."""
    key = PublicKey.read(services.settings.secret(PUBLIC))
    return Key(pem=key.pem, fingerprint=key.fingerprint)


@router.get("/incidents/{incident_id}/exports", response_model=list[Export])
async def exports(services: Serving, caller: Investigator, incident_id: Id) -> list[Row]:
    """The newest fifty that hold no more than the caller may see, newest first."""
    async with services.store.session(caller.scope) as session:
        await one_incident(session, incident_id)
        return await session.all(FILE, "exports", _question(caller, incident_id))


@router.post("/incidents/{incident_id}/exports", response_model=Export, status_code=HTTPStatus.ACCEPTED)
async def ask_export(services: Serving, caller: Investigator, incident_id: Id, new: NewExport) -> Row:
    """Ask for an export: it holds what the caller may see; the jobs process makes one after the other."""
    export = secrets.token_urlsafe(16)
    values = {
        "export": export, "id": incident_id, "scope": caller.scope.path, "language": new.language,
        "kinds": _kinds(caller), "author": caller.username, "account_id": caller.account_id, "waiting_max": WAITING_MAX,
    }  # fmt: skip
    async with services.store.session(caller.scope) as session:
        found = await held(session, incident_id)
        if await session.one(FILE, "ask_export", values) is None:
            raise conflict("export-waits", "An export is being made already.", "Wait until it is done.")
        subjects = [one["subject"] for one in found["subjects"]]
        await record(
            session, caller, "incident.export", found["title"], id=incident_id, export=export, subjects=subjects
        )
        return await _one(session, caller, incident_id, export)


@router.get("/incidents/{incident_id}/exports/{export_id}", response_model=Export)
async def export(services: Serving, caller: Investigator, incident_id: Id, export_id: ExportId) -> Row:
    """How far it has come."""
    async with services.store.session(caller.scope) as session:
        return await _one(session, caller, incident_id, export_id)


@router.get("/incidents/{incident_id}/exports/{export_id}/file", response_class=FileResponse)
async def export_file(services: Serving, caller: Investigator, incident_id: Id, export_id: ExportId) -> FileResponse:
    """The ZIP file, whole or in ranges (RFC 9110 §14)."""
    async with services.store.session(caller.scope) as session:
        found = await one_incident(session, incident_id)
        row = await _one(session, caller, incident_id, export_id)
        if row["state"] != "done":
            raise not_found("file")
        path = file_below(services.settings.exports, f"{export_id}.zip")
        await record(session, caller, "incident.fetch", found["title"], id=incident_id, export=export_id)
    name = f"xunlu-incident-{incident_id}-{row['finished_at']:%Y%m%d-%H%M%S}.zip"
    return FileResponse(path, media_type="application/zip", filename=name)


def _kinds(caller: Caller) -> list[Kind]:
    """What the caller may see, without other incidents of the same officers: they are nobody's business there."""
    return [kind for kind, needed in KINDS.items() if caller.may(needed) and kind != "incident"]


def _question(caller: Caller, incident_id: int, export_id: str | None = None) -> Row:
    return {"id": incident_id, "export": export_id, "scope": caller.scope.path, "kinds": _kinds(caller)}


async def _one(session: Session, caller: Caller, incident_id: int, export_id: str) -> Row:
    row = await session.one(FILE, "exports", _question(caller, incident_id, export_id))
    if row is None:
        raise not_found("export")
    return row
