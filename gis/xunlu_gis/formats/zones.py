"""Zones that somebody drew elsewhere, and ours for others: GeoJSON, KML, KMZ and GPX, alone or packed as ZIP.

A zone is a GeoJSON Feature (RFC 7946), as `fence.read_drawing` takes it: Polygon or MultiPolygon; Point with `radius_m`
for a circle; LineString with `width_m` for a corridor. Whether the shape is sensible is for the fence to say.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import inf
from pathlib import PurePosixPath
from typing import Any, Final

import numpy as np

from xunlu_gis.errors import TrackError, ZoneError
from xunlu_gis.formats.archive import unpacked
from xunlu_gis.formats.geojson import datum_of, features_of, plain_json
from xunlu_gis.formats.imported import TO_WGS84, Datum, DatumSource, ZoneFile, datum_named
from xunlu_gis.formats.xml import decoded
from xunlu_gis.formats.zones_gpx import read_gpx_zones
from xunlu_gis.formats.zones_kml import read_kml_zones

Feature = dict[str, Any]

FEATURES_MAX: Final = 5_000
POSITIONS_MAX: Final = 200_000
"""Of one file, all zones together."""

_DEPTHS: Final = {"Point": 0, "LineString": 1, "Polygon": 2, "MultiPolygon": 3}
"""How many lists lie around a position."""

_PACKED: Final = frozenset({".kmz", ".zip"})


def zones_to_geojson(features: Iterable[Mapping[str, Any]]) -> str:
    """A collection of zones."""
    return json.dumps({"type": "FeatureCollection", "features": list(features)}, ensure_ascii=False, allow_nan=False)


def parse_zones(name: str, data: bytes, datum: Datum | None = None) -> ZoneFile:
    """Read the zones of a file, or of all files of an archive together.

    Args:
        name: of the file; its ending names the format.
        data: all of it; the caller bounds an upload.
        datum: of the coordinates, from who knows it; None believes the file, then the standard of its format.

    Raises:
        ZoneError: not such a file, a hostile one, no zone in it, too much, or places that are none.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in _READERS and suffix not in _PACKED:
        message = f"{name} is neither GeoJSON, KML, KMZ, GPX nor ZIP; export the zones as one of them."
        raise ZoneError(message, "file-format")
    try:
        members = [(suffix, data)] if suffix in _READERS else _members(data)
        stated, features = _all(members)
        found = _Zones(datum or (datum_named(stated) if stated else "WGS-84"))
        for feature in features:
            found.take(feature)
    except TrackError as error:
        raise ZoneError(f"{name} cannot be read as zones: {error}", "file-unreadable") from error
    except ZoneError as error:
        raise ZoneError(f"{name} cannot be read as zones: {error}", error.code, **error.values) from error
    if not found.features:
        raise ZoneError(f"{name} holds no zone; it needs polygons, lines, or points with radius_m.", "file-empty")
    source: DatumSource = "caller" if datum else "file" if stated else "format"
    return ZoneFile(features=found.features, datum=found.datum, datum_by=source, left_out=found.left_out)


def _members(data: bytes) -> list[tuple[str, bytes]]:
    members = unpacked(data, frozenset(_READERS))
    return [(PurePosixPath(member.name).suffix.lower(), member.data) for member in members]


def _all(members: Iterable[tuple[str, bytes]]) -> tuple[str, list[Feature]]:
    """What the files say of their datum, and their features."""
    stated: set[str] = set()
    features: list[Feature] = []
    for suffix, data in members:
        said, found = _READERS[suffix](decoded(data))
        stated.add(said)
        features += found
        if len(features) > FEATURES_MAX:
            message = f"it holds more than {FEATURES_MAX} shapes; import it in parts."
            raise ZoneError(message, "file-shapes", most=FEATURES_MAX)
    if len(stated) > 1:
        raise ZoneError("its files name different datums; import each by itself.", "file-datums")
    return next(iter(stated), ""), features


def _geojson(text: str) -> tuple[str, list[Feature]]:
    try:
        document = plain_json(text)
        features = features_of(document)
    except (ValueError, RecursionError) as error:
        raise ZoneError(f"it is no GeoJSON: {error}.", "file-geojson") from error
    return datum_of(document), [part for feature in features for part in _parts(feature)]


def _parts(feature: Feature) -> Iterator[Feature]:
    """A corridor has one line: several are as many corridors."""
    match feature.get("geometry"):
        case {"type": "MultiLineString", "coordinates": list(lines)}:
            for line in lines:
                yield {**feature, "geometry": {"type": "LineString", "coordinates": line}}
        case _:
            yield feature


_READERS: Final[Mapping[str, Callable[[str], tuple[str, list[Feature]]]]] = {
    ".geojson": _geojson,
    ".json": _geojson,
    ".kml": lambda text: ("", list(read_kml_zones(text))),
    ".gpx": lambda text: ("", list(read_gpx_zones(text))),
}


class _Zones:
    """Features as they come, checked and in WGS-84."""

    def __init__(self, datum: Datum) -> None:
        self.datum: Datum = datum
        self.features: list[Feature] = []
        self.left_out = 0
        self._positions = 0

    def take(self, feature: Feature) -> None:
        properties = feature.get("properties")
        properties = dict(properties) if isinstance(properties, dict) else {}
        geometry = feature.get("geometry")
        geometry = geometry if isinstance(geometry, dict) else {}
        kind = geometry.get("type")
        if (
            not isinstance(kind, str)
            or kind not in _DEPTHS
            or (kind == "Point" and not _size(properties.get("radius_m")))
        ):
            self.left_out += 1
            return
        coordinates = self._placed(
            geometry.get("coordinates"), _DEPTHS[kind], closed=kind in {"Polygon", "MultiPolygon"}
        )
        properties["name"] = _words(properties.get("name"))
        shape = {"type": kind, "coordinates": coordinates}
        self.features.append({"type": "Feature", "properties": properties, "geometry": shape})

    def _placed(self, value: Any, depth: int, *, closed: bool) -> list[Any]:  # noqa: ANN401  JSON
        if not isinstance(value, list | tuple) or not value:
            raise ZoneError("a shape has no coordinates; draw it again.", "no-places")
        if depth > 1:
            return [self._placed(inner, depth - 1, closed=closed) for inner in value]
        line = [_position(position) for position in (value if depth else [value])]
        if closed and line[0] != line[-1]:
            line.append(line[0])
        if len(line) < (4 if closed else 2 if depth else 1):
            message = f"a shape has only {len(line)} places; a polygon needs three corners and a line two."
            raise ZoneError(message, "few-places", places=len(line))
        self._positions += len(line)
        if self._positions > POSITIONS_MAX:
            message = f"it holds more than {POSITIONS_MAX} places; simplify it or import it in parts."
            raise ZoneError(message, "many-places", most=POSITIONS_MAX)
        placed = self._in_wgs84(line)
        return placed if depth else placed[0]

    def _in_wgs84(self, line: list[list[float]]) -> list[list[float]]:
        if self.datum == "WGS-84":
            return line
        lons, lats = np.ascontiguousarray(np.array(line).T)
        lats, lons = TO_WGS84[self.datum](lats, lons)
        placed: list[list[float]] = np.column_stack((lons, lats)).tolist()
        return placed


def _position(value: Any) -> list[float]:  # noqa: ANN401  JSON
    """Longitude and latitude; an altitude is left out."""
    match value:
        case [float() | int() as lon, float() | int() as lat, *_] if abs(lon) <= 180 and abs(lat) <= 90:
            return [float(lon), float(lat)]
        case _:
            written = f"{value!r:.60}"
            message = f"{written} is no place; it takes longitude, then latitude, in degrees."
            raise ZoneError(message, "no-place", place=written)


def _size(value: Any) -> bool:  # noqa: ANN401  JSON
    return isinstance(value, int | float) and 0 < value < inf


def _words(value: Any) -> str:  # noqa: ANN401  JSON
    """As text; half a character of UTF-16, which JSON may escape and UTF-8 has not, becomes a question mark."""
    return "" if value is None else str(value).encode("utf-8", "replace").decode()
