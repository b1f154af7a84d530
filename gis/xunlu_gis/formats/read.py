"""Tracks that somebody brings: GPX, KML, KMZ, CSV and GeoJSON of any device, alone or packed as ZIP."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np

from xunlu_gis.errors import TrackError
from xunlu_gis.formats.archive import unpacked
from xunlu_gis.formats.csv import read_csv
from xunlu_gis.formats.geojson import read_geojson
from xunlu_gis.formats.gpx import read_gpx
from xunlu_gis.formats.imported import TO_WGS84, Datum, DatumSource, TrackFile, datum_named
from xunlu_gis.formats.kml import read_kml
from xunlu_gis.formats.rows import Row
from xunlu_gis.formats.xml import decoded
from xunlu_gis.track.piece import step_lengths_m
from xunlu_gis.track.point import TrackPoint, lon_lat

PACE_MPS: Final = 1.3
"""An officer on foot: gives times to a drawn track that has none."""

UNTIMED_START: Final = datetime(2000, 1, 1, tzinfo=UTC)

POINTS_MAX: Final = 2_000_000
"""Of one file; half a year of an officer at a fix every five seconds of a shift."""

_READERS: Final[Mapping[str, Callable[[str], Iterator[Row]]]] = {
    ".gpx": read_gpx,
    ".kml": read_kml,
    ".csv": read_csv,
    ".geojson": read_geojson,
    ".json": read_geojson,
}
_PACKED: Final = frozenset({".kmz", ".zip"})

_STANDARD: Final = frozenset({".gpx", ".kml", ".geojson", ".json"})
"""Formats whose standard fixes WGS-84."""

_NOT_GIVEN: Final = -1


def read_track(path: Path, *, datum: Datum | None = None) -> list[TrackPoint]:
    """The points of a file that holds one track, as `parse_tracks` reads them.

    Raises:
        TrackError: no such file, or more than one track file packed together.
    """
    try:
        files = parse_tracks(path.name, path.read_bytes(), datum)
    except OSError as error:
        raise TrackError(f"{path} cannot be opened: {error.strerror}.") from error
    if len(files) > 1:
        raise TrackError(f"{path.name} holds {len(files)} track files; unpack it and read one of them.")
    return files[0].points


def parse_tracks(name: str, data: bytes, datum: Datum | None = None) -> list[TrackFile]:
    """Read a file that somebody brought, or each track file of an archive.

    A time without offset is UTC. Where no point has a time, they are given times at walking pace from 2000 on; where
    only some have, the others are left out.

    Args:
        name: of the file; its ending names the format.
        data: all of it; the caller bounds an upload.
        datum: of the coordinates, from who knows it; None believes the file, its format, or at last WGS-84, and the
            result says which. Chinese telephone software mostly exports GCJ-02, whatever the format.

    Raises:
        TrackError: not such a file, a hostile one, no position in it, or a datum that cannot be converted.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in _READERS and suffix not in _PACKED:
        raise TrackError(f"{name} is neither GPX, KML, KMZ, CSV, GeoJSON nor ZIP; export the track as one of them.")
    try:
        if suffix in _READERS:
            return [_parsed(suffix, data, datum)]
        members = unpacked(data, frozenset(_READERS))
        return [_parsed(PurePosixPath(member.name).suffix.lower(), member.data, datum) for member in members] or _none()
    except (TrackError, csv.Error, ValueError) as error:
        raise TrackError(f"{name} cannot be read as a track: {error}") from error


def _none() -> list[TrackFile]:
    raise TrackError("it holds no file of a track.")


def _parsed(suffix: str, data: bytes, datum: Datum | None) -> TrackFile:
    found = _Found()
    found.take(_READERS[suffix](decoded(data)))
    if not found.points:
        raise TrackError("it holds no position; it needs latitudes and longitudes in degrees.")
    stated = found.datum and datum_named(found.datum)
    source: DatumSource = "caller" if datum else "file" if stated else "format" if suffix in _STANDARD else "nobody"
    used: Datum = datum or stated or "WGS-84"
    points, pieces = (_paced(found.points), found.pieces) if found.timed == 0 else found.in_order()
    return TrackFile(
        points=_numbered(_in_wgs84(points, used)),
        pieces=_begins(pieces),
        datum=used,
        datum_by=source,
        paced=found.timed == 0,
        name=found.name,
        left_out=found.left_out + (len(found.points) - found.timed if found.timed else 0),
    )


@dataclass(slots=True)
class _Found:
    """Positions of a file as they come; those without a time wait at `UNTIMED_START`."""

    points: list[TrackPoint] = field(default_factory=list)
    pieces: list[int] = field(default_factory=list)
    untimed: set[int] = field(default_factory=set)
    left_out: int = 0
    name: str = ""
    datum: str = ""

    @property
    def timed(self) -> int:
        return len(self.points) - len(self.untimed)

    def take(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self.name = row.pop("name", "") or self.name
            datum = row.pop("datum", "") or self.datum
            if self.datum and datum != self.datum:
                raise TrackError(f"it mixes datums, {self.datum[:40]} and {datum[:40]}; import each by itself.")
            self.datum = datum
            self._place(row)

    def _place(self, row: Row) -> None:
        """Null island is no place, but a receiver without a fix."""
        lat, lon, piece = row.get("lat", 91), row.get("lon", 181), row.pop("piece", 0)
        if not (-90 <= lat <= 90 and -180 <= lon <= 180) or (lat, lon) == (0, 0):
            self.left_out += 1
            return
        if len(self.points) == POINTS_MAX:
            raise TrackError(f"it holds more than {POINTS_MAX} positions; import it in parts.")
        if row.get("fix_time") is None:
            self.untimed.add(len(self.points))
            row["fix_time"] = UNTIMED_START
        self.pieces.append(piece)
        self.points.append(TrackPoint(**{"sid": 0, "seq": _NOT_GIVEN, "received_at": row["fix_time"], **row}))

    def in_order(self) -> tuple[list[TrackPoint], list[int]]:
        """The points that have a time, in its order."""
        kept = [index for index in range(len(self.points)) if index not in self.untimed]
        kept.sort(key=lambda index: self.points[index].fix_time)
        return [self.points[index] for index in kept], [self.pieces[index] for index in kept]


def _begins(pieces: list[int]) -> tuple[int, ...]:
    return tuple(index for index, piece in enumerate(pieces) if index == 0 or piece != pieces[index - 1])


def _numbered(points: list[TrackPoint]) -> list[TrackPoint]:
    return [p._replace(seq=number) if p.seq == _NOT_GIVEN else p for number, p in enumerate(points, 1)]


def _in_wgs84(points: list[TrackPoint], datum: Datum) -> list[TrackPoint]:
    if datum == "WGS-84":
        return points
    lons, lats = np.ascontiguousarray(lon_lat(points).T)
    lats, lons = TO_WGS84[datum](lats, lons)
    return [
        point._replace(lat=lat, lon=lon) for point, lat, lon in zip(points, lats.tolist(), lons.tolist(), strict=True)
    ]


def _paced(points: list[TrackPoint]) -> list[TrackPoint]:
    elapsed_s, paced = 0.0, points[:1]
    for point, step_m in zip(points[1:], step_lengths_m(lon_lat(points)).tolist(), strict=True):
        elapsed_s += max(step_m / PACE_MPS, 1.0)
        at = UNTIMED_START + timedelta(seconds=elapsed_s)
        paced.append(point._replace(fix_time=at, received_at=at))
    return paced
