"""The console's own files: under a version of their content, so that browsers keep them for ever and never too long."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter
from fastapi import Path as Parameter
from fastapi.responses import FileResponse, HTMLResponse, Response

from xunlu_platform.api.access import allow_everybody
from xunlu_platform.api.problems import not_found

router = APIRouter(include_in_schema=False)

FOLDER = Path(__file__).resolve().parent.parent / "console"
FOR_EVER = "public, max-age=31536000, immutable"


@cache
def version() -> str:
    """Hash of every file of the console."""
    digest = hashlib.sha256()
    for path in sorted(path for path in FOLDER.rglob("*") if path.is_file()):
        digest.update(path.relative_to(FOLDER).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def file_below(folder: Path, name: str) -> Path:
    """A file inside a folder, wherever links and dots point.

    Raises:
        Problem: 404.
    """
    try:
        path = (folder / name).resolve()
    except (ValueError, OSError) as error:
        raise not_found("file") from error
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise not_found("file")
    return path


@router.get("/static/{asked}/{name:path}", dependencies=[allow_everybody()])
async def static(asked: str, name: Annotated[str, Parameter(max_length=300)]) -> FileResponse:
    """A file of the console. A page of another version gets ours, uncached: it is about to be loaded again."""
    path = file_below(FOLDER, name)
    return FileResponse(path, headers={"Cache-Control": FOR_EVER if asked == version() else "no-store"})


@router.get("/worker.js", dependencies=[allow_everybody()])
async def worker() -> Response:
    """The service worker of the phone page: its address stands above what it serves, and it names what it keeps."""
    text = (FOLDER / "worker.js").read_text("utf-8").replace("{version}", version())
    return Response(text, media_type="text/javascript", headers={"Cache-Control": "no-store"})


async def index() -> HTMLResponse:
    """The page of every view."""
    text = (FOLDER / "index.html").read_text("utf-8").replace("{version}", version())
    return HTMLResponse(text, headers={"Cache-Control": "no-store"})


@router.get("/", dependencies=[allow_everybody()])
async def root() -> HTMLResponse:
    """The console."""
    return await index()


@router.get("/{view:path}", dependencies=[allow_everybody()])
async def view(view: str) -> HTMLResponse:
    """Every view has an address of its own; addresses of programs and files are no views."""
    if view.split("/", 1)[0] in {"api", "map", "static"}:
        raise not_found("page")
    return await index()
