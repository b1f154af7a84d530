"""Fewer fixes, and how far from the truth that may lead, in metres."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import shapely

from xunlu_gis.plane import UTM_SCALE_MIN, Floats, metres_per_degree, to_utm, unwrapped
from xunlu_gis.track.point import TrackPoint, lon_lat
from xunlu_gis.track.track import Ints, Track

LINE_PLACES: Final = 1000
"""Of one call of GEOS, whose time grows with the square of the places when a track is made to defeat it."""

ROUNDS: Final = 24
"""A track that a person made is done by then; one made to defeat the search is halved from then on."""


def simplify(points: Sequence[TrackPoint], tolerance_m: float) -> list[TrackPoint]:
    """Leave out points that lie within `tolerance_m` of the line through those that stay; both ends stay.

    The points that stay are those that were given, unchanged. Time plays no part: cut the track at its gaps first
    (`segments`), so that somebody who stood still does not become a gap.
    """
    return [points[index] for index in kept(lon_lat(points), tolerance_m)]


def kept(degrees: Floats, tolerance_m: float) -> list[int]:
    """Which of some places stay, so that all others lie within `tolerance_m` of the line (Douglas, Peucker 1973).

    The bound holds for straight lines of UTM. A map draws them straight in its own projection: over Shanghai that is
    another metre off when neighbours that stay are 10 km apart, and nothing to speak of below. Every thousandth place
    stays. Places a quarter of the earth apart, which no UTM zone holds, all stay.

    Args:
        degrees: longitudes and latitudes, (n, 2).
        tolerance_m: 0 keeps all.
    """
    count = len(degrees)
    xy = to_utm(degrees[:, 0], degrees[:, 1]) if count > 2 and tolerance_m > 0 else None
    if xy is None or not np.isfinite(xy).all():
        return list(range(count))
    # GEOS returns coordinates; the height carries the index of each place through.
    places = np.column_stack((xy, np.arange(count)))
    begins = range(0, count - 1, LINE_PLACES)
    lines = [shapely.linestrings(places[begin : begin + LINE_PLACES + 1]) for begin in begins]
    simple = shapely.simplify(lines, tolerance_m * UTM_SCALE_MIN, preserve_topology=False)
    stay = np.unique(shapely.get_coordinates(simple, include_z=True)[:, 2].astype(int))
    indices: list[int] = stay.tolist()
    return indices


def kept_in_time(track: Track, bound_m: float) -> Ints:
    """Which fixes stay, so that a steady move between them passes every other fix within `bound_m` at its time.

    The synchronised Euclidean distance, top-down (Meratnia, de By 2004): for playback, where a stop is seen. The move
    is steady in degrees, as the console makes it, so the bound holds there exactly; and it holds for the line too. All
    open stretches are searched at once, so that a million fixes are a few dozen steps of numpy.

    Args:
        track: an unbroken piece in order of fix time.
        bound_m: 0 keeps all.
    """
    count = len(track)
    if count < 3 or bound_m <= 0:
        return np.arange(count)
    times, lon, lat = track.time_ms, unwrapped(track.lon), track.lat
    stays = np.zeros(count, dtype=bool)
    stays[[0, -1]] = True
    first, last, inner = np.array([0]), np.array([count - 1]), np.arange(1, count - 1)
    rounds = 0
    while len(inner):
        inside = last - first - 1
        begins = np.cumsum(inside) - inside
        off = _off_move_m(times, lon, lat, (first, last, inner))
        worst = np.maximum.reduceat(off, begins)
        farthest = np.flatnonzero(off == np.repeat(worst, inside))
        split = inner[farthest[np.searchsorted(farthest, begins)]] if rounds < ROUNDS else (first + last) // 2
        open_ = worst > bound_m
        stays[split[open_]] = True
        inner = inner[np.repeat(open_, inside)]
        inner = inner[~stays[inner]]
        first, last = _halves(first[open_], split[open_], last[open_])
        rounds += 1
    return np.flatnonzero(stays)


def _off_move_m(time_ms: Ints, lon: Floats, lat: Floats, stretches: tuple[Ints, Ints, Ints]) -> Floats:
    """How far fixes lie from a steady move between the ends of their stretch at their times, (m,).

    Args:
        time_ms: of all fixes, (n,).
        lon: of all fixes, without a leap, (n,).
        lat: of all fixes, (n,).
        stretches: first and last fix of each, (k,); all fixes inside them, in order, (m,).
    """
    first, last, inner = stretches
    inside = last - first - 1
    begin = np.repeat(first, inside)
    span_ms = np.repeat(np.maximum(time_ms[last] - time_ms[first], 1), inside)
    share = (time_ms[inner] - time_ms[begin]) / span_ms
    east = lon[begin] + share * np.repeat(lon[last] - lon[first], inside) - lon[inner]
    north = lat[begin] + share * np.repeat(lat[last] - lat[first], inside) - lat[inner]
    per_lat, per_lon = metres_per_degree(lat[inner])
    off: Floats = np.hypot(east * per_lon, north * per_lat)
    return off


def _halves(first: Ints, split: Ints, last: Ints) -> tuple[Ints, Ints]:
    """Stretches before and after each split that still hold a fix, in order."""
    low, high = np.column_stack((first, split)).ravel(), np.column_stack((split, last)).ravel()
    holds = high - low > 1
    return low[holds], high[holds]
