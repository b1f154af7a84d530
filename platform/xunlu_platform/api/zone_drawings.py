"""Drawings before they are zones, and zones as a file: nothing here is saved."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from xunlu_gis.errors import ZoneError
from xunlu_gis.fence import Drawing, read_drawing
from xunlu_gis.fence.drawing import WIDTH_M
from xunlu_gis.formats import Datum, ZoneFile, parse_zones, zones_to_geojson, zones_to_gpx, zones_to_kml
from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.paging import Answer
from xunlu_platform.api.problems import no_zone, not_found, undrawable
from xunlu_platform.api.services import Serving
from xunlu_platform.api.zone_map import reference_of
from xunlu_platform.auth.logins import Caller
from xunlu_platform.store.store import Row

router = APIRouter(prefix="/zones")

PREVIEW_MAX = 500
EXPORT_MAX = 5000
NAME_MAX = 64

WRITERS: Final[Mapping[str, tuple[str, Callable[[Iterable[Mapping[str, Any]]], str]]]] = {
    "geojson": ("application/geo+json", zones_to_geojson),
    "kml": ("application/vnd.google-earth.kml+xml", zones_to_kml),
    "gpx": ("application/gpx+xml", zones_to_gpx),
}
"""Of each format of a file of zones: the media type, and what writes it."""

FileName = Annotated[str, Query(min_length=3, max_length=255, description="Its ending names the format.")]
Feature = Annotated[
    dict[str, Any], Field(description="GeoJSON feature, WGS-84: polygon, point with radius_m, line with width_m.")
]


class Drawn(BaseModel):
    """A drawing to be checked."""

    shape: Feature


class DoubtWords(Answer):
    """What somebody should look at before the shape is saved."""

    code: Literal["repaired", "holes", "tiny", "gcj02"]
    text: str


class Checked(Answer):
    """What a drawing comes to: `shape` is what would be saved, `area` the places that it means, GeoJSON both."""

    shape: dict[str, Any]
    area: dict[str, Any]
    area_m2: float
    doubts: list[DoubtWords]


class ProblemWords(Answer):
    """Why a shape can be no zone; who has words of their own for a `reason` fills the `values` in."""

    reason: str
    message: str
    values: dict[str, str | float]


class Imported(Answer):
    """A shape of a file; where it has a `problem`, nothing was made of it."""

    name: str
    checked: Checked | None
    problem: ProblemWords | None


class Preview(Answer):
    """The shapes of a file, WGS-84, with the datum that was taken and who named it."""

    datum: Literal["WGS-84", "GCJ-02", "BD-09"]
    datum_by: Literal["caller", "file", "format", "nobody"]
    left_out: Annotated[int, Field(description="Shapes that are no zone, such as points without a radius.")]
    items: list[Imported]


@router.post("/check", dependencies=[allow("track")])
async def check(services: Serving, drawn: Drawn) -> Checked:
    """Read a drawing, of a zone or of another place, as it would be saved: repaired, measured, doubted."""
    try:
        return await asyncio.to_thread(_checked, drawn.shape, services.settings.map)
    except ZoneError as error:
        raise undrawable("shape", error) from error


@router.post("/import", dependencies=[allow("zones")])
async def preview(
    services: Serving,
    request: Request,
    name: FileName,
    datum: Annotated[Datum | None, Query(description="Of the coordinates, from who knows it.")] = None,
    width_m: Annotated[
        float | None, Query(ge=WIDTH_M[0], le=WIDTH_M[1], description="Of lines that name none, from side to side.")
    ] = None,
) -> Preview:
    """What the shapes of a file (GeoJSON, KML, KMZ, GPX, ZIP; at most 1 MiB) would be; saving is for `POST /zones`."""
    data = await request.body()
    try:
        return await asyncio.to_thread(_preview, name, data, datum, width_m, services.settings.map)
    except ZoneError as error:
        raise undrawable("body", error) from error


@router.get(".{form}", response_class=Response)
async def export(services: Serving, caller: Annotated[Caller, allow("see")], form: str) -> Response:
    """All zones in force that the caller sees, as a file that `import` takes: geojson, kml, or gpx with lines only."""
    if form not in WRITERS:
        raise not_found("format")
    media_type, write = WRITERS[form]
    values = {"id": None, "kind": None, "at": None, "limit": EXPORT_MAX, "after": None}
    async with services.store.session(caller.scope) as session:
        rows = await session.all("zones", "page", values)
        await record(session, caller, "zone.export", zones=len(rows), format=form)
    text = await asyncio.to_thread(write, [_feature(row) for row in rows])
    headers = {"Content-Disposition": f'attachment; filename="zones.{form}"'}
    return Response(text, media_type=media_type, headers=headers)


def _checked(feature: dict[str, Any], bundle: Path | None) -> Checked:
    return _answer(read_drawing(feature, reference_of(bundle)))


def _answer(drawing: Drawing) -> Checked:
    told = drawing.as_geojson()["properties"]
    doubts = [DoubtWords(code=doubt.code, text=doubt.text) for doubt in drawing.doubts]
    return Checked(shape=drawing.shape.as_geojson(), area=told["area"], area_m2=told["area_m2"], doubts=doubts)


def _preview(name: str, data: bytes, datum: Datum | None, width_m: float | None, bundle: Path | None) -> Preview:
    file = parse_zones(name, data, datum)
    if len(file.features) > PREVIEW_MAX:
        message = f"{name} holds {len(file.features)} shapes; import at most {PREVIEW_MAX} at a time."
        raise ZoneError(message, "file-shapes", most=PREVIEW_MAX)
    items = list(_imported(file, width_m, bundle))
    return Preview(datum=file.datum, datum_by=file.datum_by, left_out=file.left_out, items=items)


def _imported(file: ZoneFile, width_m: float | None, bundle: Path | None) -> Iterator[Imported]:
    for feature in file.features:
        properties = feature["properties"]
        if properties.get("width_m") is None:
            properties["width_m"] = width_m
        name = properties["name"].replace("\0", "").strip()[:NAME_MAX]
        try:
            yield Imported(name=name, checked=_checked(feature, bundle), problem=None)
        except ZoneError as error:
            yield Imported(name=name, checked=None, problem=ProblemWords(**no_zone(error)))


def _feature(row: Row) -> dict[str, Any]:
    rule = {name: row[name] for name in ("dwell_s_max", "severity", "window_from", "window_to", "weekdays")}
    known = {"name": row["name"], "kind": row["kind"], "unit": row["unit"]["name"], **rule}
    return {**row["shape"], "properties": {**row["shape"].get("properties", {}), **known}}
