"""Tracks for tests, made by arithmetic."""

from datetime import UTC, datetime, timedelta
from math import dist

import numpy as np
import numpy.typing as npt

from xunlu_gis.plane import Floats, Plane, on_sphere
from xunlu_gis.track import Track, TrackPoint

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
PLANE = Plane(31.23, 121.48)


def track_at(
    places: list[tuple[float, float]], step_s: float = 5, *, seconds: list[float] | None = None, **more: object
) -> list[TrackPoint]:
    """A point for each place in metres east and north of the plane's origin."""
    times = seconds or [index * step_s for index in range(len(places))]
    degrees = PLANE.to_lon_lat(np.array(places, dtype=float).reshape(-1, 2))
    return [
        TrackPoint(
            sid=1,
            seq=index,
            fix_time=START + timedelta(seconds=second),
            received_at=START + timedelta(seconds=second + 1),
            lat=float(lat),
            lon=float(lon),
            **more,  # type: ignore[arg-type]
        )
        for index, (second, (lon, lat)) in enumerate(zip(times, degrees, strict=True), 1)
    ]


def stay_points(track: Track, radius_m: float, stop_s: float) -> list[tuple[int, int]]:
    """First and last fix of each stay, by the loop of Li et al. (2008); the last stay counts too, two fixes do not."""
    xyz, times, found, first = on_sphere(track.lon, track.lat).tolist(), track.time_s.tolist(), [], 0
    while first < len(times):
        end = first + 1
        while end < len(times) and dist(xyz[first], xyz[end]) <= radius_m:
            end += 1
        if times[end - 1] - times[first] >= stop_s and end - first >= 3:
            found.append((first, end - 1))
            first = end
        else:
            first += 1
    return found


def columns_at(places: npt.ArrayLike, seconds: npt.ArrayLike | None = None, **more: npt.ArrayLike) -> Track:
    """The same by columns; without times a fix every five seconds."""
    degrees: Floats = PLANE.to_lon_lat(np.asarray(places, dtype=float).reshape(-1, 2))
    times = 5.0 * np.arange(len(degrees)) if seconds is None else np.asarray(seconds, dtype=float)
    start_ms = round(START.timestamp() * 1000)
    return Track.of(start_ms + np.rint(times * 1000).astype(int), degrees[:, 0], degrees[:, 1], **more)
