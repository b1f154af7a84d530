"""One position of a track."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np

from xunlu_gis.plane import Floats, Plane


class TrackPoint(NamedTuple):
    """A stored fix; a named tuple, because the 17,280 of an officer-day must come from the database in milliseconds.

    Attributes:
        sid: session of the device.
        seq: sequence within the session.
        fix_time: of the receiver, aware.
        received_at: of the server, aware; the fix time where nobody recorded it.
        lat: degrees north, WGS-84.
        lon: degrees east, WGS-84.
        alt_m: above mean sea level.
        speed_mps: over ground.
        course_deg: from north.
        accuracy_m: horizontal.
        fix: NMEA 0183 GGA quality.
        sat: satellites used.
        bds: Beidou satellites used.
        hdop: horizontal dilution of precision.
        late: back-filled.
    """

    sid: int
    seq: int
    fix_time: datetime
    received_at: datetime
    lat: float
    lon: float
    alt_m: float | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    accuracy_m: float | None = None
    fix: int | None = None
    sat: int | None = None
    bds: int | None = None
    hdop: float | None = None
    late: bool = False


def lon_lat(points: Sequence[TrackPoint]) -> Floats:
    """Longitude and latitude, (n, 2)."""
    return np.array(([point.lon for point in points], [point.lat for point in points]), dtype=float).T


def metres(points: Sequence[TrackPoint]) -> Floats:
    """Metres east and north of the middle of the track, (n, 2)."""
    return from_middle(lon_lat(points))


def from_middle(degrees: Floats) -> Floats:
    """Metres east and north of the middle of some places, from their longitudes and latitudes, (n, 2)."""
    if not len(degrees):
        return degrees
    middle = (degrees.min(axis=0) + degrees.max(axis=0)) / 2
    return Plane(float(middle[1]), float(middle[0])).to_xy(degrees)
