"""Where a device was: a person's track, so that every look leaves an audit row before the first byte."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Literal, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic_core import to_json

from xunlu_gis.formats import disarmed, to_csv, to_geojson, to_gpx, write_kml
from xunlu_gis.formats.playback import Language
from xunlu_gis.track import SegmentedTrack, Track, TrackPoint, segments
from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.devices import Did, one_device
from xunlu_platform.api.periods import NeededFrom, NeededTo, check_period
from xunlu_platform.api.problems import Problem
from xunlu_platform.api.services import Services, Serving
from xunlu_platform.auth.logins import Caller
from xunlu_platform.export.playing import Reader, track_playback
from xunlu_platform.review.subjects import Officer, find_subjects, find_wearers
from xunlu_platform.review.tracks import find_tracks
from xunlu_platform.store.positions import LineRow, TrackQuery, read_csv, read_line, read_track
from xunlu_platform.store.store import Row

router = APIRouter(prefix="/devices/{did}/track", tags=["track"])

T = TypeVar("T")

POINTS_MAX = 250_000
MEDIA_TYPES = {
    "geojson": "application/geo+json",
    "gpx": "application/gpx+xml",
    "kml": "application/vnd.google-earth.kml+xml",
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
}
Format = Literal["geojson", "gpx", "kml", "csv", "html"]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Look:
    """Who looks at which stretch of what device, and who wore it then."""

    services: Services
    caller: Caller
    device: Row
    wearers: Sequence[Officer]
    query: TrackQuery
    tolerance_m: float

    @property
    def name(self) -> str:
        worn = ", ".join(f"{one.name} {one.number}" for one in self.wearers)
        return " ".join(filter(None, (self.device["did"], worn)))

    def pieces(self) -> AsyncIterator[list[TrackPoint]]:
        return read_track(self.services.store, self.caller.scope, self.query)

    def rows(self) -> AsyncIterator[list[LineRow]]:
        return read_line(self.services.store, self.caller.scope, self.query)

    def lines(self) -> AsyncIterator[str]:
        return read_csv(self.services.store, self.caller.scope, self.query, disarmed(self.device["did"]))


@router.get("", response_class=Response)
async def track(
    services: Serving,
    caller: Annotated[Caller, allow("track")],
    did: Did,
    since: NeededFrom,
    until: NeededTo,
    form: Annotated[Format, Query(alias="format")] = "geojson",
    tolerance_m: Annotated[float, Query(ge=0, le=1000, description="Simplifies; 0 keeps every point.")] = 0,
    language: Annotated[Language, Query(description="Of the page.")] = "zh-CN",
) -> Response:
    """Positions of at most 31 days, in order of fix time, as GeoJSON, GPX, KML, CSV or a page that plays by itself."""
    check_period(since, until)
    async with services.store.session(caller.scope) as session:
        device = await one_device(session, did)
        period = {"from": since.isoformat(), "to": until.isoformat()}
        await record(session, caller, "track.read", did, **period, format=form)
        wearers = await find_wearers(session, device["id"], since, until)
    query = TrackQuery(device_id=device["id"], since=since, until=until)
    look = _Look(services=services, caller=caller, device=device, wearers=wearers, query=query, tolerance_m=tolerance_m)
    headers = {"Content-Disposition": f'attachment; filename="{did}-{since:%Y%m%d-%H%M}.{form}"'}
    if form == "csv" and not tolerance_m:
        return StreamingResponse(_csv(look), headers=headers, media_type=MEDIA_TYPES["csv"])
    # Formatting a month is seconds of computing: not in the loop that serves everybody.
    if form == "html":
        return Response(await _page(look, language), headers=headers, media_type=MEDIA_TYPES[form])
    if form == "geojson":
        rows = await _all(look.rows())
        body = await asyncio.to_thread(lambda: to_json(to_geojson(_columns(rows), tolerance_m), inf_nan_mode="null"))
        return Response(body, media_type=MEDIA_TYPES[form])
    points, write = await _all(look.pieces()), _writer(look, form)
    text = await asyncio.to_thread(lambda: write(segments(points).simplified(tolerance_m)))
    return Response(text, headers=headers, media_type=MEDIA_TYPES[form])


async def _csv(look: _Look) -> AsyncIterator[str]:
    """Rows as they come out of the database: a month never stands in memory."""
    yield to_csv(look.device["did"], [])
    async for lines in look.lines():
        yield lines


async def _all(pieces: AsyncIterator[list[T]]) -> list[T]:
    found: list[T] = []
    async for piece in pieces:
        found += piece
        if len(found) > POINTS_MAX:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "track-too-long",
                f"There are more than {POINTS_MAX} positions.",
                "Ask for a shorter time, or for CSV without tolerance_m, which has no such limit.",
            )
    return found


def _columns(rows: list[LineRow]) -> Track:
    times_s, lon, lat, speed_mps, *_ = zip(*rows, strict=True) if rows else ((),) * 4
    return Track.of(np.rint(np.multiply(times_s, 1000)), lon, lat, speed_mps=speed_mps)


def _writer(look: _Look, form: Literal["gpx", "kml", "csv"]) -> Callable[[SegmentedTrack], str]:
    did = look.device["did"]
    match form:
        case "gpx":
            return lambda whole: to_gpx(did, whole)
        case "kml":
            return lambda whole: "".join(write_kml(did, (segment.points for segment in whole.segments)))
        case "csv":
            return lambda whole: to_csv(did, whole.points)


async def _page(look: _Look, language: Language) -> str:
    """As a look back tells it: believed fixes in the time of the place, and every gap explained."""
    from xunlu_gis.formats.page import to_page  # noqa: PLC0415  folium takes a second to load, and few ask for it

    services, caller, query = look.services, look.caller, look.query
    async with services.store.session(caller.scope) as session:
        [subject] = await find_subjects(session, [f"d{look.device['did']}"], query.since, query.until)
    # Of one wearer the roster is known; whose gap it was when it changed hands, only a look back on each can say.
    subject = replace(subject, officer=look.wearers[0] if len(look.wearers) == 1 else None)
    [worn] = await find_tracks(services.store, caller.scope, [subject], look.tolerance_m)
    settings = services.settings
    reader = Reader(
        language=language, zone=ZoneInfo(settings.time_zone), shown_by=caller.username, shown_at=datetime.now(UTC)
    )
    title = f"{look.name} {query.since.astimezone(reader.zone):%Y-%m-%d %H:%M}"
    return await asyncio.to_thread(
        lambda: to_page(track_playback(title, look.name, worn, reader), settings.leaflet, settings.map)
    )
