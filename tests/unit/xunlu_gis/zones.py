"""Zones and fixes for tests, made by arithmetic on a plane in metres."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from tests.unit.xunlu_gis.tracks import PLANE
from xunlu_gis.fence import Fixes, Shape, Zone, ZoneKind

START_MS = 1_772_352_000_000
"""2026-03-01T08:00:00Z, a Sunday; 16:00 in Shanghai."""


def degrees(geometry: Any) -> Any:
    """A geometry in metres, as it lies on the earth."""
    return PLANE.geometry_to_lon_lat(geometry)


def square(side_m: float = 100, x: float = 0, y: float = 0) -> Any:
    """A square with its south-western corner at a place, in degrees."""
    return degrees(shapely.box(x, y, x + side_m, y + side_m))


def zone(number: int = 1, area: Any = None, kind: ZoneKind = "responsibility", **more: Any) -> Zone:
    """In force since 1970 unless told otherwise."""
    shape = Shape.polygon(square() if area is None else area)
    return Zone(id=number, kind=kind, shape=shape, **{"valid_from_ms": 0, **more})


def walked(
    places: Sequence[tuple[float, float]], step_s: float = 5, *,
    seconds: Sequence[float] | None = None, device: int = 1,
    accuracy_m: Sequence[float] | None = None, confident: Sequence[bool] | None = None,
) -> Fixes:  # fmt: skip
    """A fix for each place in metres."""
    times = np.arange(len(places)) * step_s if seconds is None else np.array(seconds, dtype=float)
    lon, lat = PLANE.to_lon_lat(np.array(places, dtype=float).reshape(-1, 2)).T
    return Fixes.of(device, START_MS + np.rint(times * 1000).astype(np.int64), lon, lat, accuracy_m, confident)


def along(xs: Sequence[float], step_s: float = 5, **more: Any) -> Fixes:
    """The same on the line through the middle of the square, from west to east."""
    return walked([(x, 50) for x in xs], step_s, **more)
