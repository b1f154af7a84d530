"""Where somebody stayed, and the ways between: stay points (Li et al. 2008) with the limits of a patrol on foot."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np

from xunlu_gis.plane import Floats, chords_m, on_sphere, unwrapped, wrapped
from xunlu_gis.track.piece import breaks, step_lengths_m
from xunlu_gis.track.reach import reach
from xunlu_gis.track.settings import DEFAULT, TrackSettings
from xunlu_gis.track.track import Bools, Ints, Track


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """A stay at one place.

    Attributes:
        lat: median of the fixes.
        lon: median of the fixes.
        from_ms: UTC milliseconds of the first fix there.
        to_ms: of the last one.
        first: index of the first fix.
        points: how many fixes, short absences included.
    """

    lat: float
    lon: float
    from_ms: int
    to_ms: int
    first: int
    points: int

    @property
    def start(self) -> datetime:
        """First fix there."""
        return datetime.fromtimestamp(self.from_ms / 1000, UTC)

    @property
    def end(self) -> datetime:
        """Last fix there."""
        return datetime.fromtimestamp(self.to_ms / 1000, UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Trip:
    """A way between two stops, or between a stop and a break of the track.

    Attributes:
        from_ms: UTC milliseconds of the first fix.
        to_ms: of the last one.
        first: index of the first fix, which may be the last one of a stop.
        points: how many fixes, at least two.
        length_m: geodesic.
    """

    from_ms: int
    to_ms: int
    first: int
    points: int
    length_m: float


def stops(track: Track, settings: TrackSettings = DEFAULT) -> list[Stop]:
    """Stays within `stop_radius_m` of their first fix for at least `stop_min_s`.

    Stays at one place with less than `stop_merge_s` between them are one. A silence is part of a stay when the fixes
    on both of its sides are; otherwise it is a gap.

    Args:
        track: cleaned, in order of fix time.
        settings: limits.
    """
    xyz = on_sphere(track.lon, track.lat)
    spans: list[tuple[int, int]] = []
    for first, end in _stays(xyz, track.time_ms, settings):
        if spans and _same(xyz, track.time_ms, spans[-1], (first, end), settings):
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((first, end))
    return [_stop(track, first, end) for first, end in spans]


def trips(track: Track, stays: Sequence[Stop], settings: TrackSettings = DEFAULT) -> list[Trip]:
    """The ways between stops; none crosses a gap or a jump, so their lengths and times are those of movement.

    Args:
        track: the one that the stops are of.
        stays: its stops, in order.
        settings: limits.
    """
    cuts = [one.before for one in breaks(track, settings)]
    along = np.concatenate(((0.0,), np.cumsum(step_lengths_m(track.degrees))))
    lasts = [0, *(stay.first + stay.points - 1 for stay in stays)]
    firsts = [*(stay.first for stay in stays), len(track) - 1]
    found = []
    for low, high in zip(lasts, firsts, strict=True):
        inside = cuts[bisect_left(cuts, low) : bisect_left(cuts, high)]
        for before, last in pairwise([low - 1, *inside, high]):
            first = before + 1
            if last > first:
                found.append(_trip(track, first, last, float(along[last] - along[first])))
    return found


def _stays(xyz: Floats, time_ms: Ints, settings: TrackSettings) -> list[tuple[int, int]]:
    """First fix of each stay and the one after its last."""
    count, radius_m = len(time_ms), settings.stop_radius_m
    # Whoever is away again when the shortest stop would be over did not stop: a walk is settled by one comparison.
    due = np.searchsorted(time_ms, time_ms + int(settings.stop_min_s * 1000))
    begins = np.flatnonzero(due < count)
    begins = begins[chords_m(xyz[begins], xyz[due[begins]]) <= radius_m]
    spans = []
    free = 0
    for first in begins.tolist():
        if first < free:
            continue

        def near(ahead: slice, centre: Floats = xyz[first]) -> Bools:
            return chords_m(centre, xyz[ahead]) <= radius_m

        end = reach(first, count, near)
        if end > due[first] and end - first >= settings.stop_fixes_min:
            spans.append((first, end))
            free = end
    return spans


def _same(xyz: Floats, time_ms: Ints, one: tuple[int, int], other: tuple[int, int], settings: TrackSettings) -> bool:
    """Whether two stays are one: soon after each other and at the same place."""
    away_ms = time_ms[other[0]] - time_ms[one[1] - 1]
    places = [np.median(xyz[first:end], axis=0) for first, end in (one, other)]
    return bool(away_ms < settings.stop_merge_s * 1000 and chords_m(*places) <= settings.stop_radius_m)


def _stop(track: Track, first: int, end: int) -> Stop:
    return Stop(
        lat=float(np.median(track.lat[first:end])),
        lon=float(wrapped(np.asarray(np.median(unwrapped(track.lon[first:end]))))),
        from_ms=int(track.time_ms[first]),
        to_ms=int(track.time_ms[end - 1]),
        first=first,
        points=end - first,
    )


def _trip(track: Track, first: int, last: int, length_m: float) -> Trip:
    return Trip(
        from_ms=int(track.time_ms[first]),
        to_ms=int(track.time_ms[last]),
        first=first,
        points=last - first + 1,
        length_m=length_m,
    )
