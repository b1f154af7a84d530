"""The map in use: its description, its files, and the places that the search box finds."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi import Path as Parameter
from fastapi.responses import FileResponse

from xunlu_gis.errors import MapError
from xunlu_gis.map.bundle import AREAS, BASEMAP, MAP, PLACES, STREETS, MapDescription, read_map
from xunlu_platform.api.access import allow
from xunlu_platform.api.console import file_below
from xunlu_platform.api.paging import Answer, Page
from xunlu_platform.api.problems import not_found
from xunlu_platform.api.services import Services, Serving

router = APIRouter(prefix="/api/v1", tags=["map"])
files = APIRouter(include_in_schema=False)

PLACES_MAX = 20
# source.json holds the key of a tile service: only these are served, and other .pmtiles that map.json may name.
SERVED = frozenset({MAP, BASEMAP, STREETS, AREAS, PLACES})


class Place(Answer):
    """A place of the map."""

    name: str
    kind: str
    lat: float
    lon: float


@router.get("/map", dependencies=[allow("see")])
async def described_map(services: Serving) -> MapDescription:
    """The map in use; its files lie below `/map/`."""
    return _described(_bundle(services))


@router.get("/places", dependencies=[allow("see")])
async def places(services: Serving, q: Annotated[str, Query(min_length=1, max_length=64)]) -> Page[Place]:
    """Places by name or pinyin; names that begin so come first."""
    wanted = q.strip().lower()
    found = [place for place in _places(*_stamp(_bundle(services) / PLACES)) if wanted in _searched(place)]
    found.sort(key=lambda place: (not place["name"].lower().startswith(wanted), len(place["name"]), place["name"]))
    return Page(items=[Place.model_validate(place) for place in found[:PLACES_MAX]], next=None)


@files.get("/map/{name}", dependencies=[allow("see")])
async def map_file(services: Serving, name: Annotated[str, Parameter(max_length=100)]) -> FileResponse:
    """A file of the bundle; ranges as PMTiles readers ask for (RFC 9110 §14)."""
    if name not in SERVED and not name.endswith(".pmtiles"):
        raise not_found("file")
    path = file_below(_bundle(services), name)
    return FileResponse(path, headers={"Cache-Control": "private, max-age=3600"})


def _bundle(services: Services) -> Path:
    if services.settings.map is None:
        raise not_found("map: none is set (XUNLU_PLATFORM_MAP)")
    return services.settings.map


def _described(bundle: Path) -> MapDescription:
    try:
        return read_map(bundle)
    except MapError as error:
        raise not_found("map: the bundle cannot be read") from error


def _stamp(path: Path) -> tuple[Path, int]:
    """A file and when it changed, so that a new map is seen without a restart."""
    return path, path.stat().st_mtime_ns if path.is_file() else 0


@lru_cache(maxsize=2)
def _places(path: Path, changed_ns: int) -> list[dict[str, Any]]:
    if not changed_ns:
        return []
    found: list[dict[str, Any]] = json.loads(path.read_bytes())
    return found


def _searched(place: dict[str, Any]) -> str:
    """Name, English name, and the pinyin in one word, as people type it, with its initials."""
    syllables = (place.get("pinyin") or "").split()
    texts = (place["name"], place.get("name_en"), "".join(syllables), "".join(syllable[0] for syllable in syllables))
    return " ".join(text.lower() for text in texts if text)
