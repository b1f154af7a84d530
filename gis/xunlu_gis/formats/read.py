"""Tracks that somebody brings: GPX of any device, CSV with any sensible column names."""

import csv
import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

import gpxpy
import gpxpy.gpx

from xunlu_gis import datum as datums
from xunlu_gis.errors import TrackError
from xunlu_gis.formats.gpx import QUALITY
from xunlu_gis.track.point import TrackPoint, lon_lat
from xunlu_gis.track.segment import step_lengths_m

Datum = Literal["WGS-84", "GCJ-02", "BD-09"]

PACE_MPS: Final = 1.3
"""An officer on foot: gives times to a drawn track that has none."""

UNTIMED_START: Final = datetime(2000, 1, 1, tzinfo=UTC)

_NAMES: Final = {
    "lat": ("lat", "latitude", "纬度", "y"),
    "lon": ("lon", "lng", "long", "longitude", "经度", "x"),
    "fix_time": ("fix_time", "time_utc", "time", "timestamp", "datetime", "date_time", "tst", "时间", "定位时间"),
    "received_at": ("received_at",),
    "sid": ("sid",),
    "seq": ("seq",),
    "alt_m": ("alt_m", "alt", "altitude", "ele", "elevation", "海拔"),
    "speed_mps": ("speed_mps", "speed", "速度"),
    "course_deg": ("course_deg", "course", "heading", "bearing", "cog", "方向"),
    "accuracy_m": ("accuracy_m", "accuracy", "acc", "精度"),
    "fix": ("fix",),
    "sat": ("sat", "satellites", "卫星数"),
    "bds": ("bds",),
    "hdop": ("hdop",),
    "late": ("late",),
}
"""Fields of a point and what others call them, in lower case; the first that is there counts."""

_TO_WGS84: Final[dict[Datum, Callable[[float, float], tuple[float, float]]]] = {
    "GCJ-02": datums.gcj02_to_wgs84,
    "BD-09": datums.bd09_to_wgs84,
}


def read_track(path: Path, *, datum: Datum = "WGS-84") -> list[TrackPoint]:
    """Read a GPX or CSV file into points in order of time.

    A time without offset is UTC. Where no point has a time, they are given times at walking pace from 2000 on; where
    only some have, the others are left out.

    Args:
        path: `.gpx` or `.csv`.
        datum: of the coordinates in the file; Chinese telephone software mostly exports GCJ-02.

    Raises:
        TrackError: not such a file, or no position in it.
    """
    readers = {".gpx": _read_gpx, ".csv": _read_csv}
    if path.suffix.lower() not in readers:
        raise TrackError(f"{path.name} is neither .gpx nor .csv; export the track as one of them.")
    try:
        rows = list(_placed(readers[path.suffix.lower()](path), datum))
    except (gpxpy.gpx.GPXException, csv.Error, ValueError) as error:
        raise TrackError(f"{path.name} cannot be read as a track: {error}") from error
    if not rows:
        raise TrackError(f"{path.name} holds no position; it needs latitudes and longitudes in degrees.")
    if all(row["fix_time"] is None for row in rows):
        return _paced([_point(number, {**row, "fix_time": UNTIMED_START}) for number, row in enumerate(rows, 1)])
    timed = sorted((row for row in rows if row["fix_time"] is not None), key=lambda row: row["fix_time"])
    return [_point(number, row) for number, row in enumerate(timed, 1)]


def _placed(rows: Iterable[dict[str, Any]], datum: Datum) -> Iterator[dict[str, Any]]:
    """Rows with a possible place, in WGS-84; null island is no place, but a receiver without a fix."""
    for row in rows:
        lat, lon = row["lat"], row["lon"]
        if lat is None or lon is None or not (-90 <= lat <= 90 and -180 <= lon <= 180) or (lat, lon) == (0, 0):
            continue
        if datum in _TO_WGS84:
            lat, lon = _TO_WGS84[datum](lat, lon)
        yield {**row, "lat": lat, "lon": lon}


def _point(number: int, row: dict[str, Any]) -> TrackPoint:
    known = {name: value for name, value in row.items() if value is not None}
    return TrackPoint(**{"sid": 0, "seq": number, "received_at": known["fix_time"], **known})


def _paced(points: list[TrackPoint]) -> list[TrackPoint]:
    elapsed_s, paced = 0.0, points[:1]
    for point, step_m in zip(points[1:], step_lengths_m(lon_lat(points)).tolist(), strict=True):
        elapsed_s += max(step_m / PACE_MPS, 1.0)
        at = UNTIMED_START + timedelta(seconds=elapsed_s)
        paced.append(point._replace(fix_time=at, received_at=at))
    return paced


def _read_gpx(path: Path) -> Iterator[dict[str, Any]]:
    """Points of all tracks; of all routes where there is no track."""
    document = gpxpy.parse(path.read_bytes().decode("utf-8-sig", errors="replace"))
    points: list[Any] = [point for track in document.tracks for segment in track.segments for point in segment.points]
    for point in points or [point for route in document.routes for point in route.points]:
        extra = {element.tag.rpartition("}")[2].lower(): element.text for element in _leaves(point.extensions)}
        if getattr(point, "speed", None) is not None:
            extra["speed"] = str(point.speed)
        yield {
            **_fields(extra),
            "lat": point.latitude,
            "lon": point.longitude,
            "alt_m": point.elevation,
            "fix_time": None if point.time is None else _aware(point.time),
            "fix": QUALITY.get(point.type_of_gpx_fix or ""),
            "sat": point.satellites,
            "hdop": _number(str(point.horizontal_dilution)),
        }


def _leaves(extensions: Iterable[Any]) -> Iterator[Any]:
    for extension in extensions:
        yield from (element for element in extension.iter() if len(element) == 0)


def _read_csv(path: Path) -> Iterator[dict[str, Any]]:
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("gb18030", errors="replace")
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False)
    columns = {(name or "").strip().lower() for name in reader.fieldnames or ()}
    for wanted in ("lat", "lon"):
        if columns.isdisjoint(_NAMES[wanted]):
            raise TrackError(f"{path.name} has no column {wanted}; name one of its columns so.")
    for row in reader:
        yield _fields({name.strip().lower(): value for name, value in row.items() if isinstance(name, str)})


def _fields(texts: Mapping[str, str | None]) -> dict[str, Any]:
    """What can be understood of the columns of a row."""
    found: dict[str, Any] = {}
    for field, names in _NAMES.items():
        text = next((texts[name] for name in names if texts.get(name)), None)
        found[field] = _PARSERS.get(field, _number)(text)
    return found


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _integer(text: str | None) -> int | None:
    value = _number(text)
    return None if value is None else int(value)


def _time(text: str | None) -> datetime | None:
    """ISO 8601, or seconds or milliseconds since 1970."""
    number = _number(text)
    try:
        if number is not None:
            return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, tz=UTC)
        return _aware(datetime.fromisoformat((text or "").strip().replace("/", "-")))
    except (ValueError, OverflowError, OSError):
        return None


def _aware(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _flag(text: str | None) -> bool | None:
    return None if not text else text.strip().lower() in {"true", "t", "1", "yes"}


_PARSERS: Final[dict[str, Callable[[str | None], object]]] = {
    "fix_time": _time,
    "received_at": _time,
    "sid": _integer,
    "seq": _integer,
    "fix": _integer,
    "sat": _integer,
    "bds": _integer,
    "late": _flag,
}
