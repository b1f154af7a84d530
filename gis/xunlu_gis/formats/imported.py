"""What an import says of a file besides its content: a datum is never taken silently."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from xunlu_gis import datum as datums
from xunlu_gis.errors import TrackError
from xunlu_gis.track.point import TrackPoint

Datum = Literal["WGS-84", "GCJ-02", "BD-09"]

DatumSource = Literal["caller", "file", "format", "nobody"]
"""Who named the datum: the person who imports, the file itself, the standard of its format (GPX 1.1, OGC KML 2.2 and
RFC 7946 fix WGS-84; Chinese telephone software breaks that), or nobody, so that WGS-84 is only assumed."""

_SPELLINGS: Final[Mapping[str, Datum]] = {
    "wgs84": "WGS-84",
    "cgcs2000": "WGS-84",
    "epsg4326": "WGS-84",
    "epsg4490": "WGS-84",
    "crs84": "WGS-84",
    "gcj02": "GCJ-02",
    "火星坐标": "GCJ-02",
    "bd09": "BD-09",
    "bd09ll": "BD-09",
}
"""CGCS2000 agrees with WGS-84 to centimetres."""

TO_WGS84: Final[Mapping[Datum, Callable[[Any, Any], tuple[Any, Any]]]] = {
    "WGS-84": lambda lat, lon: (lat, lon),
    "GCJ-02": datums.gcj02_to_wgs84,
    "BD-09": datums.bd09_to_wgs84,
}


def datum_named(text: str) -> Datum:
    """The datum that people write as `gcj02`, `WGS 84`, `EPSG:4490` or `urn:ogc:def:crs:OGC:1.3:CRS84`.

    Raises:
        TrackError: it is none of those that can be converted.
    """
    last = (
        text.lower().replace("epsg::", "epsg").rpartition(":")[2] if text.lower().startswith("urn:") else text.lower()
    )
    plain = "".join(sign for sign in last if sign.isalnum())
    if plain not in _SPELLINGS:
        raise TrackError(f"The datum {text[:80]!r} cannot be converted; export the file in WGS-84 (EPSG:4326).")
    return _SPELLINGS[plain]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackFile:
    """A track that somebody brought.

    Attributes:
        points: in order of time, WGS-84; without a session of their own they are of session 0, numbered from 1.
        pieces: where each unbroken piece begins, as indices into `points`; the first is 0. A file that does not tell
            pieces apart is one.
        datum: of the coordinates in the file, already converted.
        datum_by: who named it.
        paced: whether the file has no times and they were made up at walking pace.
        name: of the track or device, in the file's words; may be empty.
        left_out: positions without a possible place, or without a time where others have one.
    """

    points: list[TrackPoint]
    pieces: tuple[int, ...]
    datum: Datum
    datum_by: DatumSource
    paced: bool = False
    name: str = ""
    left_out: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ZoneFile:
    """Zones that somebody drew elsewhere.

    Attributes:
        features: GeoJSON features, WGS-84: Polygon or MultiPolygon, Point with `radius_m` (circle), LineString with
            `width_m` (corridor, whole width); `properties` has at least `name`.
        datum: of the coordinates in the file, already converted.
        datum_by: who named it.
        left_out: shapes that are no zone, for instance points without a radius.
    """

    features: list[dict[str, Any]]
    datum: Datum
    datum_by: DatumSource
    left_out: int = 0
