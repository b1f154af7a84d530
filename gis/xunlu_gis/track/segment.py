"""A track of points in the pieces of `track.piece`, with the gaps between them: what every format writes."""

from collections.abc import Sequence
from dataclasses import dataclass

from xunlu_gis.track.piece import breaks, pieces
from xunlu_gis.track.point import TrackPoint
from xunlu_gis.track.settings import DEFAULT, TrackSettings
from xunlu_gis.track.simplification import simplify
from xunlu_gis.track.track import Track


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
    """Segments in order of time, and the gaps; between two segments without a gap the place leapt."""

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


def segments(points: Sequence[TrackPoint], settings: TrackSettings = DEFAULT) -> SegmentedTrack:
    """Cut a track at its gaps and jumps.

    Args:
        points: as measured, in order of fix time.
        settings: limits.
    """
    track = Track.of_points(points)
    return SegmentedTrack(
        segments=tuple(
            Segment(points=points[first:end], measured=end - first, distance_m=length)
            for first, end, length in pieces(track, settings)
        ),
        gaps=tuple(
            Gap(before=points[one.before], after=points[one.before + 1])
            for one in breaks(track, settings)
            if one.kind == "gap"
        ),
    )
