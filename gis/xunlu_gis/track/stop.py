"""Where somebody stayed: stay points (Li et al. 2008) with the limits of a patrol on foot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import hypot

import numpy as np

from xunlu_gis.plane import Floats
from xunlu_gis.track.point import TrackPoint, metres, seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """A stay at one place.

    Attributes:
        lat: median of the fixes.
        lon: median of the fixes.
        start: first fix there.
        end: last fix there.
        points: how many fixes.
    """

    lat: float
    lon: float
    start: datetime
    end: datetime
    points: int


def stops(
    points: Sequence[TrackPoint], radius_m: float = 50.0, duration_s: float = 180.0, merge_s: float = 60.0
) -> list[Stop]:
    """Stays within `radius_m` for at least `duration_s`, with at least three fixes.

    Stays at one place with less than `merge_s` between them are one. A silence within the place is part of the stay.

    Args:
        points: cleaned, in order of fix time.
        radius_m: of the place.
        duration_s: shortest stay that counts.
        merge_s: longest absence that does not end a stay.
    """
    xy, times = metres(points), seconds(points)
    spans: list[tuple[int, int]] = []
    first = 0
    while first < len(points) - 1:
        last = _leaves(xy, first, radius_m) - 1
        if last - first < 2 or times[last] - times[first] < duration_s:
            first += 1
            continue
        if spans and _same(xy, times, spans[-1], (first, last), radius_m, merge_s):
            spans[-1] = (spans[-1][0], last)
        else:
            spans.append((first, last))
        first = last + 1
    return [_stop(points[low : high + 1]) for low, high in spans]


def _leaves(xy: Floats, first: int, radius_m: float) -> int:
    """Index of the first fix beyond the radius; looks ahead in growing strides, so that a walk costs little."""
    low, stride = first + 1, 16
    while low < len(xy):
        away = np.hypot(*(xy[low : low + stride] - xy[first]).T) > radius_m
        if away.any():
            return low + int(away.argmax())
        low, stride = low + stride, stride * 2
    return len(xy)


def _same(
    xy: Floats, times: Floats, one: tuple[int, int], other: tuple[int, int], radius_m: float, merge_s: float
) -> bool:
    """Whether two stays are one: soon after each other and at the same place."""
    places = [np.median(xy[low : high + 1], axis=0) for low, high in (one, other)]
    return bool(times[other[0]] - times[one[1]] < merge_s and hypot(*(places[0] - places[1])) <= radius_m)


def _stop(points: Sequence[TrackPoint]) -> Stop:
    return Stop(
        lat=float(np.median([point.lat for point in points])),
        lon=float(np.median([point.lon for point in points])),
        start=points[0].fix_time,
        end=points[-1].fix_time,
        points=len(points),
    )
