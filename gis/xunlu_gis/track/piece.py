"""A track cut where the device was silent or the place leapt: no line and no length ever crosses a break."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, NamedTuple

import numpy as np
from pyproj import Geod

from xunlu_gis.plane import Floats, chords_m, on_sphere
from xunlu_gis.track.settings import DEFAULT, TrackSettings
from xunlu_gis.track.track import Bools, Ints, Track

_GEOD: Final = Geod(ellps="WGS84")


class Piece(NamedTuple):
    """Fixes `first` to before `end`, without a break between, and the geodesic length of the way through them."""

    first: int
    end: int
    length_m: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Break:
    """Between two neighbouring fixes.

    Attributes:
        kind: `gap` is a silence; `jump` is a move faster than the speed gate, or back in time.
        before: index of the last fix before it; the next one is the first after it.
        from_ms: UTC milliseconds of the fix before.
        to_ms: of the fix after.
    """

    kind: Literal["gap", "jump"]
    before: int
    from_ms: int
    to_ms: int


def gap_limit_s(time_ms: Ints, settings: TrackSettings = DEFAULT) -> float:
    """Longest silence that is no gap: some missed reports, at least a minute.

    Args:
        time_ms: fix times in order, (n,); without `report_s` their median step is the interval.
        settings: limits.
    """
    report_s = settings.report_s
    if report_s is None:
        steps = np.diff(time_ms)
        steps = steps[steps > 0]
        report_s = float(np.median(steps)) / 1000 if len(steps) else 0.0
    return max(settings.gap_min_s, settings.gap_reports * report_s)


def breaks(track: Track, settings: TrackSettings = DEFAULT) -> list[Break]:
    """Gaps and jumps of a cleaned track, in order.

    Args:
        track: in order of fix time.
        settings: limits.
    """
    silent, leapt = _broken(track, settings)
    found = np.flatnonzero(silent | leapt)
    columns = (found, silent[found], track.time_ms[found], track.time_ms[found + 1])
    return [
        Break(kind="gap" if gap else "jump", before=before, from_ms=from_ms, to_ms=to_ms)
        for before, gap, from_ms, to_ms in zip(*(column.tolist() for column in columns), strict=True)
    ]


def pieces(track: Track, settings: TrackSettings = DEFAULT) -> list[Piece]:
    """The unbroken stretches of a cleaned track, in order; a lone fix is a piece of no length.

    Args:
        track: in order of fix time.
        settings: limits.
    """
    spans = unbroken(track, settings)
    if not spans:
        return []
    along = np.concatenate(((0.0,), np.cumsum(step_lengths_m(track.degrees))))
    return [Piece(first, end, float(along[end - 1] - along[first])) for first, end in spans]


def unbroken(track: Track, settings: TrackSettings = DEFAULT) -> list[tuple[int, int]]:
    """The same without lengths: first fix of each piece and the one after its last."""
    if not len(track):
        return []
    silent, leapt = _broken(track, settings)
    cuts = (np.flatnonzero(silent | leapt) + 1).tolist()
    return list(pairwise([0, *cuts, len(track)]))


def length_m(track: Track, settings: TrackSettings = DEFAULT) -> float:
    """Length of the way on the ellipsoid; what lies across gaps and jumps is not counted."""
    return sum(piece.length_m for piece in pieces(track, settings))


def step_lengths_m(degrees: Floats) -> Floats:
    """Geodesic length of each step between places, (n - 1,); on the ellipsoid, because reports are read in court.

    Args:
        degrees: longitudes and latitudes, (n, 2).
    """
    _, _, lengths = _GEOD.inv(degrees[:-1, 0], degrees[:-1, 1], degrees[1:, 0], degrees[1:, 1])
    return np.asarray(lengths, dtype=float)


def _broken(track: Track, settings: TrackSettings) -> tuple[Bools, Bools]:
    """For each step whether it is a gap, and whether it is a jump, (n - 1,)."""
    steps_s = np.diff(track.time_s)
    xyz = on_sphere(track.lon, track.lat)
    return steps_s > gap_limit_s(track.time_ms, settings), (
        chords_m(xyz[:-1], xyz[1:]) > settings.speed_max_mps * steps_s
    )
