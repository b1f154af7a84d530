"""WGS-84, GCJ-02 and BD-09.

Inside Xunlu everything is WGS-84 (CGCS2000 agrees with it to centimetres). GCJ-02 (火星坐标: Amap, Tencent) and BD-09
(Baidu) are obfuscations, not datums: 300 to 700 m off in China, 458 to 495 m over Shanghai. They appear only where data
comes in or goes out, and at a tile layer that is flagged so. Outside the box that the obfuscation uses nothing changes.

All functions take and return latitude, longitude in degrees, as floats or as arrays of equal shape. The formulas are
the widely published ones; the inverses iterate, because the usual one-step inverse is up to 2 m off.
"""

from collections.abc import Callable
from typing import Final, TypeVar

import numpy as np

from xunlu_gis.plane import Floats

Degrees = TypeVar("Degrees", float, Floats)

_AXIS_M: Final = 6378245.0
_ECCENTRICITY_SQUARED: Final = 0.00669342162296594323
"""Of the Krasovsky 1940 ellipsoid, which the obfuscation uses."""

_CHINA: Final = (0.8293, 55.8271, 72.004, 137.8347)
"""South, north, west, east of the box outside which coordinates stay as they are."""

_BAIDU: Final = np.pi * 3000 / 180
_BAIDU_OFFSET: Final = (0.006, 0.0065)

INVERSE_PRECISION_DEG: Final = 1e-9
_ROUNDS_MAX: Final = 30


def wgs84_to_gcj02(lat: Degrees, lon: Degrees) -> tuple[Degrees, Degrees]:
    """Obfuscate."""
    y, x = np.asarray(lat) - 35.0, np.asarray(lon) - 105.0
    phi = np.radians(lat)
    w = 1 - _ECCENTRICITY_SQUARED * np.sin(phi) ** 2
    meridian = np.radians(_AXIS_M * (1 - _ECCENTRICITY_SQUARED) / (w * np.sqrt(w)))
    parallel = np.radians(_AXIS_M / np.sqrt(w) * np.cos(phi))
    inside = _inside(lat, lon)
    shifted_lat = lat + np.where(inside, _shift_lat(x, y) / meridian, 0.0)
    shifted_lon = lon + np.where(inside, _shift_lon(x, y) / parallel, 0.0)
    return _like(lat, shifted_lat), _like(lon, shifted_lon)


def gcj02_to_wgs84(lat: Degrees, lon: Degrees) -> tuple[Degrees, Degrees]:
    """Undo the obfuscation, to `INVERSE_PRECISION_DEG`."""
    return _invert(wgs84_to_gcj02, lat, lon)


def gcj02_to_bd09(lat: Degrees, lon: Degrees) -> tuple[Degrees, Degrees]:
    """Obfuscate once more, as Baidu does."""
    y, x = np.asarray(lat), np.asarray(lon)
    radius = np.hypot(x, y) + 0.00002 * np.sin(y * _BAIDU)
    angle = np.arctan2(y, x) + 0.000003 * np.cos(x * _BAIDU)
    inside = _inside(lat, lon)
    shifted_lat = np.where(inside, radius * np.sin(angle) + _BAIDU_OFFSET[0], y)
    shifted_lon = np.where(inside, radius * np.cos(angle) + _BAIDU_OFFSET[1], x)
    return _like(lat, shifted_lat), _like(lon, shifted_lon)


def bd09_to_gcj02(lat: Degrees, lon: Degrees) -> tuple[Degrees, Degrees]:
    """Undo Baidu's part, to `INVERSE_PRECISION_DEG`."""
    return _invert(gcj02_to_bd09, lat, lon)


def wgs84_to_bd09(lat: Degrees, lon: Degrees) -> tuple[Degrees, Degrees]:
    """Obfuscate twice."""
    return gcj02_to_bd09(*wgs84_to_gcj02(lat, lon))


def bd09_to_wgs84(lat: Degrees, lon: Degrees) -> tuple[Degrees, Degrees]:
    """Undo both obfuscations."""
    return gcj02_to_wgs84(*bd09_to_gcj02(lat, lon))


def _inside(lat: Degrees, lon: Degrees) -> Floats:
    south, north, west, east = _CHINA
    y, x = np.asarray(lat), np.asarray(lon)
    return np.asarray((y >= south) & (y <= north) & (x >= west) & (x <= east))


def _like(asked: Degrees, value: Floats) -> Degrees:
    """A plain float for a plain float."""
    return value if isinstance(asked, np.ndarray) else float(value)


def _waves(x: Floats) -> Floats:
    return np.asarray((20 * np.sin(6 * np.pi * x) + 20 * np.sin(2 * np.pi * x)) * 2 / 3)


def _shift_lat(x: Floats, y: Floats) -> Floats:
    """Metres north, of degrees east of 105° and north of 35°."""
    shift = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + _waves(x)
    shift += (20 * np.sin(np.pi * y) + 40 * np.sin(np.pi * y / 3)) * 2 / 3
    return np.asarray(shift + (160 * np.sin(np.pi * y / 12) + 320 * np.sin(np.pi * y / 30)) * 2 / 3)


def _shift_lon(x: Floats, y: Floats) -> Floats:
    """Metres east, of degrees east of 105° and north of 35°."""
    shift = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + _waves(x)
    shift += (20 * np.sin(np.pi * x) + 40 * np.sin(np.pi * x / 3)) * 2 / 3
    return np.asarray(shift + (150 * np.sin(np.pi * x / 12) + 300 * np.sin(np.pi * x / 30)) * 2 / 3)


def _invert(
    forward: Callable[[Degrees, Degrees], tuple[Degrees, Degrees]], lat: Degrees, lon: Degrees
) -> tuple[Degrees, Degrees]:
    """Fixed-point iteration: the shift changes so slowly with the place that each round gains three digits."""
    guess = lat, lon
    for _ in range(_ROUNDS_MAX):
        there = forward(*guess)
        wrong = there[0] - lat, there[1] - lon
        guess = guess[0] - wrong[0], guess[1] - wrong[1]
        if max(float(np.max(np.abs(part), initial=0.0)) for part in wrong) < INVERSE_PRECISION_DEG:
            break
    return guess
