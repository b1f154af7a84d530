"""A track cut where the device was silent: no line, no length and no speed ever crosses a gap."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from pyproj import Geod

from xunlu_gis.plane import Floats
from xunlu_gis.track.point import TrackPoint, lon_lat, seconds
from xunlu_gis.track.simplification import simplify

GAP_S: Final = 300.0

_GEOD: Final = Geod(ellps="WGS84")


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """An unbroken stretch; `points` has at least one.

    Attributes:
        points: in order of fix time; fewer than were measured after `SegmentedTrack.simplified`.
        measured: how many points the device sent.
        distance_m: geodesic length through all measured points.
    """

    points: Sequence[TrackPoint]
    measured: int
    distance_m: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """A stretch without positions, between the last one before it and the first one after it."""

    before: TrackPoint
    after: TrackPoint

    @property
    def duration_s(self) -> float:
        """How long nothing came."""
        return (self.after.fix_time - self.before.fix_time).total_seconds()


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentedTrack:
    """Segments and the gaps between them: gap i lies between segment i and i + 1."""

    segments: tuple[Segment, ...]
    gaps: tuple[Gap, ...]

    @property
    def points(self) -> list[TrackPoint]:
        """All points of all segments."""
        return [point for segment in self.segments for point in segment.points]

    def simplified(self, tolerance_m: float) -> "SegmentedTrack":
        """The same track with fewer points; counts, lengths and gaps stay those of the measured one."""
        if tolerance_m <= 0:
            return self
        kept = tuple(
            Segment(points=simplify(s.points, tolerance_m), measured=s.measured, distance_m=s.distance_m)
            for s in self.segments
        )
        return SegmentedTrack(segments=kept, gaps=self.gaps)


def segments(points: Sequence[TrackPoint], gap_s: float = GAP_S) -> SegmentedTrack:
    """Cut a track wherever two fixes lie further apart in time than `gap_s` seconds.

    Args:
        points: in order of fix time.
        gap_s: longest silence that is still one stretch.
    """
    cut = stretches(seconds(points), lon_lat(points), gap_s)
    return SegmentedTrack(
        segments=tuple(Segment(points=points[a:b], measured=b - a, distance_m=length) for a, b, length in cut),
        gaps=tuple(Gap(before=points[one.first - 1], after=points[one.first]) for one in cut[1:]),
    )


class Stretch(NamedTuple):
    """Fixes `first` to before `end`, without a gap between, and the length of the way through them."""

    first: int
    end: int
    distance_m: float


def stretches(times: Floats, degrees: Floats, gap_s: float = GAP_S) -> list[Stretch]:
    """Cut fixes at their gaps.

    Args:
        times: UTC seconds in order, (n,).
        degrees: longitudes and latitudes, (n, 2).
        gap_s: longest silence that is still one stretch.
    """
    if not len(times):
        return []
    breaks = (np.flatnonzero(np.diff(times) > gap_s) + 1).tolist()
    steps = step_lengths_m(degrees)
    ends = zip([0, *breaks], [*breaks, len(times)], strict=True)
    return [Stretch(first, end, float(steps[first : end - 1].sum())) for first, end in ends]


def step_lengths_m(degrees: Floats) -> Floats:
    """Geodesic length of each step between places, (n - 1,); on the ellipsoid, because reports are read in court."""
    _, _, lengths = _GEOD.inv(degrees[:-1, 0], degrees[:-1, 1], degrees[1:, 0], degrees[1:, 1])
    return np.asarray(lengths, dtype=float)


def length_m(points: Sequence[TrackPoint], gap_s: float = float("inf")) -> float:
    """Length of the way through the points on the ellipsoid; steps across gaps are not counted."""
    return sum(segment.distance_m for segment in segments(points, gap_s).segments)
