"""Fewer fixes, and how far from the truth that may lead, in metres."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import shapely

from xunlu_gis.plane import UTM_SCALE_MIN, Floats, metres_per_degree, to_utm, unwrapped
from xunlu_gis.track.point import TrackPoint, lon_lat
from xunlu_gis.track.track import Bools, Ints, Track

STRETCH: Final = 1000
"""Fixes that are searched together. The time of both searches grows with the square of it when a track is made to
defeat them, and so few fixes stay in the cache of the processor. Every thousandth fix stays."""

ROUNDS: Final = 24
"""A stretch that a person made is done by then; one made to defeat the search is halved from then on."""


def simplify(points: Sequence[TrackPoint], tolerance_m: float) -> list[TrackPoint]:
    """Leave out points that lie within `tolerance_m` of the line through those that stay; both ends stay.

    The points that stay are those that were given, unchanged. Time plays no part: cut the track at its gaps first
    (`segments`), so that somebody who stood still does not become a gap.
    """
    return [points[index] for index in kept(lon_lat(points), tolerance_m)]


def kept(degrees: Floats, tolerance_m: float) -> list[int]:
    """Which of some places stay, so that all others lie within `tolerance_m` of the line (Douglas, Peucker 1973).

    The bound holds for straight lines of UTM. A map draws them straight in its own projection: over Shanghai that is
    another metre off when neighbours that stay are 10 km apart, and nothing to speak of below. Places a quarter of the
    earth apart, which no UTM zone holds, all stay.

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
    lines = [shapely.linestrings(places[begin : begin + STRETCH + 1]) for begin in range(0, count - 1, STRETCH)]
    simple = shapely.simplify(lines, tolerance_m * UTM_SCALE_MIN, preserve_topology=False)
    stay = np.unique(shapely.get_coordinates(simple, include_z=True)[:, 2].astype(int))
    indices: list[int] = stay.tolist()
    return indices


def kept_in_time(track: Track, bound_m: float) -> Ints:
    """Which fixes stay, so that a steady move between them passes every other fix within `bound_m` at its time.

    The synchronised Euclidean distance, top-down (Meratnia, de By 2004): for playback, where a stop is seen. The move
    is steady in degrees, as the console makes it, so the bound holds there exactly; and it holds for the line too.

    Args:
        track: an unbroken piece in order of fix time.
        bound_m: 0 keeps all.
    """
    count = len(track)
    if count < 3 or bound_m <= 0:
        return np.arange(count)
    columns = (track.time_s, unwrapped(track.lon), track.lat, *metres_per_degree(track.lat))
    stays = np.zeros(count, dtype=bool)
    stays[-1] = True
    for begin in range(0, count - 1, STRETCH):
        part = slice(begin, begin + STRETCH + 1)
        stays[part] |= _steady(_Moves(*(column[part] for column in columns)), bound_m)
    return np.flatnonzero(stays)


class _Moves(NamedTuple):
    """Columns of some fixes, (n,): seconds, degrees without a leap, metres of a degree."""

    time_s: Floats
    lon: Floats
    lat: Floats
    per_lat: Floats
    per_lon: Floats

    def off_m(self, first: Ints, last: Ints, inner: Ints) -> Floats:
        """How far fixes lie from a steady move between the ends of their stretch at their times, (m,).

        Args:
            first: first fix of each stretch, (k,).
            last: last one of each, (k,).
            inner: all fixes inside the stretches, in order, (m,).
        """
        inside = last - first - 1
        begin = np.repeat(first, inside)
        span_s = np.repeat(np.maximum(self.time_s[last] - self.time_s[first], 1e-3), inside)
        share = (self.time_s[inner] - self.time_s[begin]) / span_s
        east = self.lon[begin] + share * np.repeat(self.lon[last] - self.lon[first], inside) - self.lon[inner]
        north = self.lat[begin] + share * np.repeat(self.lat[last] - self.lat[first], inside) - self.lat[inner]
        off: Floats = np.hypot(east * self.per_lon[inner], north * self.per_lat[inner])
        return off


def _steady(moves: _Moves, bound_m: float) -> Bools:
    """Which of some fixes stay, (n,); all open stretches are searched at once."""
    count = len(moves.time_s)
    stays = np.zeros(count, dtype=bool)
    stays[[0, -1]] = True
    first, last, inner = np.array([0]), np.array([count - 1]), np.arange(1, count - 1)
    rounds = 0
    while len(inner):
        inside = last - first - 1
        begins = np.cumsum(inside) - inside
        off = moves.off_m(first, last, inner)
        worst = np.maximum.reduceat(off, begins)
        farthest = np.flatnonzero(off == np.repeat(worst, inside))
        split = inner[farthest[np.searchsorted(farthest, begins)]] if rounds < ROUNDS else (first + last) // 2
        far = worst > bound_m
        stays[split[far]] = True
        inner = inner[np.repeat(far, inside)]
        inner = inner[~stays[inner]]
        first, last = _halves(first[far], split[far], last[far])
        rounds += 1
    return stays


def _halves(first: Ints, split: Ints, last: Ints) -> tuple[Ints, Ints]:
    """Stretches before and after each split that still hold a fix, in order."""
    low, high = np.column_stack((first, split)).ravel(), np.column_stack((split, last)).ravel()
    holds = high - low > 1
    return low[holds], high[holds]
