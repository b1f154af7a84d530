"""Raster tiles of somebody else's server, fetched by ours: its key reaches no client, and what was seen once is kept.

Desks in a private network reach only us; we reach the tile server, or what the cache still holds.
"""

import asyncio
import hashlib
import logging
import secrets
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Annotated
from urllib.error import URLError
from urllib.request import Request, urlopen

from fastapi import APIRouter
from fastapi import Path as Parameter
from fastapi.responses import Response

from xunlu_gis.errors import MapError
from xunlu_gis.map.prepare import SOURCE
from xunlu_gis.map.raster import RasterDescription, read_raster
from xunlu_platform.api.access import allow
from xunlu_platform.api.problems import Problem, not_found
from xunlu_platform.api.services import Serving
from xunlu_platform.config import PlatformSettings

log = logging.getLogger(__name__)

router = APIRouter(include_in_schema=False)

TILE_BYTES_MAX = 1024 * 1024
FETCH_TIMEOUT_S = 10.0
FETCHES_MAX = 8
IMAGE_TYPES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp"}
# What is left after a cleaning, so that not every new tile cleans again.
KEPT_PART = 0.9

_turn = asyncio.Semaphore(FETCHES_MAX)


@dataclass(frozen=True, slots=True)
class TileAddress:
    """A tile of a layer in the numbering of XYZ servers (Web Mercator, y from the north)."""

    layer: str
    z: int
    x: int
    y: int


@router.get("/map/raster/{layer}/{z}/{x}/{y}", dependencies=[allow("see")])
async def tile(
    services: Serving,
    layer: Annotated[str, Parameter(pattern=r"^[a-z0-9-]{1,32}$")],
    z: Annotated[int, Parameter(ge=0, le=22)],
    x: Annotated[int, Parameter(ge=0, lt=2**22)],
    y: Annotated[int, Parameter(ge=0, lt=2**22)],
) -> Response:
    """A tile, from the cache or from the source."""
    address = TileAddress(layer, z, x, y)
    image = await asyncio.to_thread(_cached, services.settings, address)
    if image is None:
        async with _turn:
            image = await asyncio.to_thread(_fetched, services.settings, address)
    media_type = next((kind for start, kind in IMAGE_TYPES.items() if image.startswith(start)), "image/png")
    return Response(image, media_type=media_type, headers={"Cache-Control": "private, max-age=604800"})


def _source(settings: PlatformSettings, address: TileAddress) -> tuple[RasterDescription, str]:
    """The source and its address of a tile, without the key.

    Raises:
        Problem: 404; no raster map, no such layer, or outside of its zoom levels.
    """
    if settings.map is None or not (settings.map / SOURCE).is_file():
        raise not_found("tile: the map is not one of pictures")
    try:
        source = read_raster(settings.map / SOURCE)
    except MapError as error:
        raise not_found("tile: the source of the map cannot be read") from error
    template = next((layer.url for layer in source.layers if layer.id == address.layer), None)
    inside = source.minzoom <= address.z <= source.maxzoom and max(address.x, address.y) < 2**address.z
    if template is None or not inside:
        raise not_found("tile")
    return source, _filled(template, source, address)


def _filled(template: str, source: RasterDescription, address: TileAddress) -> str:
    subdomain = source.subdomains[(address.x + address.y) % len(source.subdomains)] if source.subdomains else ""
    values = {"z": str(address.z), "x": str(address.x), "y": str(address.y), "s": subdomain}
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", value)
    return template


def _cached(settings: PlatformSettings, address: TileAddress) -> bytes | None:
    _, url = _source(settings, address)
    try:
        return _cache_path(settings.tile_cache, url).read_bytes() if settings.tile_cache else None
    except OSError:
        return None


def _fetched(settings: PlatformSettings, address: TileAddress) -> bytes:
    source, url = _source(settings, address)
    key = source.key_file.read_text("utf-8").strip() if source.key_file else ""
    request = Request(url.replace("{key}", key), headers={"User-Agent": "Xunlu"})  # noqa: S310  http(s), by the schema
    try:
        with urlopen(request, timeout=FETCH_TIMEOUT_S) as answer:  # noqa: S310  the same
            image: bytes = answer.read(TILE_BYTES_MAX + 1)
    except (URLError, OSError, HTTPException) as error:
        # The reason may hold the address, and the address the key.
        log.warning("tile not fetched", extra={"layer": address.layer, "error": type(error).__name__})
        raise _no_tile() from error
    if len(image) > TILE_BYTES_MAX or not image.startswith(tuple(IMAGE_TYPES)):
        log.warning("answer of the tile server is no tile", extra={"layer": address.layer, "bytes": len(image)})
        raise _no_tile()
    if settings.tile_cache:
        _keep(settings.tile_cache, settings.tile_cache_mb * 1024 * 1024, _cache_path(settings.tile_cache, url), image)
    return image


def _no_tile() -> Problem:
    detail = "The map goes on with what it has; look at the connection and the key of the tile server."
    return Problem(HTTPStatus.BAD_GATEWAY, "tile-server", "The tile server gave no tile.", detail)


def _cache_path(folder: Path, url: str) -> Path:
    name = hashlib.sha256(url.encode()).hexdigest()
    return folder / name[:2] / name


def _keep(folder: Path, bytes_max: int, path: Path, image: bytes) -> None:
    """Write a tile whole or not at all; once in a while, throw out the oldest beyond the bound."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        fresh.write_bytes(image)
        fresh.replace(path)
        # A look at all files for every new tile would cost more than the tile: one in a hundred does it.
        if secrets.randbelow(100) == 0:
            clean_cache(folder, bytes_max)
    except OSError as error:
        log.warning("tile not kept", extra={"error": error.strerror})


def clean_cache(folder: Path, bytes_max: int) -> None:
    """Remove the oldest tiles until the folder is within its bound."""
    tiles = [(entry.stat(), entry) for entry in folder.rglob("*") if entry.is_file()]
    size = sum(status.st_size for status, _ in tiles)
    if size <= bytes_max:
        return
    for status, entry in sorted(tiles, key=lambda tile: tile[0].st_mtime):
        if size <= bytes_max * KEPT_PART:
            return
        entry.unlink()
        size -= status.st_size
