"""Who was at a place: when a track was inside of a shape, fix by fix, and when it only passed between two."""

from dataclasses import dataclass
from typing import Any, Final, Literal, Self

import numpy as np
import shapely

from xunlu_gis.fence.shape import Shape
from xunlu_gis.plane import Floats, Plane
from xunlu_gis.track import Track
from xunlu_gis.track.piece import unbroken
from xunlu_gis.track.track import Bools, Ints

JITTER_MS: Final = 60_000
"""Who is inside again so soon did not leave: receivers jitter at an edge."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stay:
    """Once at a place.

    Attributes:
        entered_ms: UTC of the first fix inside; of the one before, when the track only passed.
        left_ms: of the last fix inside; of the one after, when the track only passed.
        fixes: how many were inside; 0 when the track only passed.
        closest_m: shortest distance from the shape, 0 within it; between fixes along the straight line.
    """

    entered_ms: int
    left_ms: int
    fixes: int
    closest_m: float

    @property
    def confidence(self) -> Literal["inside", "passing"]:
        """`inside`: a fix proves it; `passing`: only the line between two fixes, no further apart than a gap, does."""
        return "inside" if self.fixes else "passing"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Place:
    """A shape on its plane, ready for many tracks.

    Attributes:
        plane: metres around the middle of the shape.
        area: prepared polygon of shapely, or several; metres.
        within_m: how far from it still counts.
    """

    plane: Plane
    area: Any
    within_m: float

    @classmethod
    def of(cls, shape: Shape, within_m: float = 0.0) -> Self:
        """Prepare a shape; threads may share it."""
        middle = shape.area.envelope.centroid
        plane = Plane(middle.y, middle.x)
        area = plane.geometry_to_xy(shape.area)
        shapely.prepare(area)
        return cls(plane=plane, area=area, within_m=within_m)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east and north of what counts, degrees."""
        west, south, east, north = shapely.bounds(self.area)
        low, high = np.array([west, south]) - self.within_m, np.array([east, north]) + self.within_m
        (west, south), (east, north) = self.plane.to_lon_lat(np.stack((low, high))).tolist()
        return west, south, east, north

    def stays(self, track: Track) -> list[Stay]:
        """When a cleaned track was here, in order; nothing is concluded from what lies across a gap or a jump.

        Args:
            track: in order of fix time.
        """
        if not len(track):
            return []
        xy = self.plane.to_xy(track.degrees)
        away = self._away_m(xy)
        piece = np.repeat(np.arange(len(spans := unbroken(track))), [end - first for first, end in spans])
        steps, passed_m = self._passed(xy, away, piece)
        (inside,) = np.nonzero(away <= self.within_m)
        first = np.concatenate((inside, steps))
        last = np.concatenate((inside, steps + 1))
        closest_m = np.concatenate((away[inside], passed_m))
        fixes = np.concatenate((np.ones(len(inside), int), np.zeros(len(steps), int)))
        order = np.lexsort((last, first))
        return _joined(track.time_ms, piece, first[order], last[order], closest_m[order], fixes[order])

    def _away_m(self, xy: Floats) -> Floats:
        """Distance of each fix from the area; infinite where it is too far to count."""
        west, south, east, north = shapely.bounds(self.area)
        x, y = xy.T
        near = (x >= west - self.within_m) & (x <= east + self.within_m)
        near &= (y >= south - self.within_m) & (y <= north + self.within_m)
        away = np.full(len(xy), np.inf)
        away[near] = np.where(shapely.intersects_xy(self.area, x[near], y[near]), 0.0, np.inf)
        if self.within_m:
            near &= away > 0
            away[near] = shapely.distance(self.area, shapely.points(xy[near]))
        return away

    def _passed(self, xy: Floats, away: Floats, piece: Ints) -> tuple[Ints, Floats]:
        """Steps whose line comes near enough although neither end does: the fix before each, and how near."""
        outside = away > self.within_m
        west, south, east, north = shapely.bounds(self.area)
        low, high = np.minimum(xy[:-1], xy[1:]), np.maximum(xy[:-1], xy[1:])
        near: Bools = outside[:-1] & outside[1:] & (piece[:-1] == piece[1:])
        near &= (high >= (west - self.within_m, south - self.within_m)).all(axis=1)
        near &= (low <= (east + self.within_m, north + self.within_m)).all(axis=1)
        (steps,) = np.nonzero(near)
        lines = shapely.linestrings(np.stack((xy[steps], xy[steps + 1]), axis=1))
        passed_m = np.asarray(shapely.distance(self.area, lines), dtype=float)
        found = passed_m <= self.within_m
        return steps[found], passed_m[found]


def _joined(time_ms: Ints, piece: Ints, first: Ints, last: Ints, closest_m: Floats, fixes: Ints) -> list[Stay]:
    """Join spans of fixes, sorted, that follow on each other or nearly so, within one unbroken way."""
    if not len(first):
        return []
    adjoining = first[1:] <= last[:-1] + 1
    soon = time_ms[first[1:]] - time_ms[last[:-1]] <= JITTER_MS
    same = (piece[first[1:]] == piece[last[:-1]]) & (adjoining | soon)
    begins = np.flatnonzero(np.concatenate(([True], ~same)))
    ends = np.append(begins[1:], len(first)) - 1
    columns = (
        time_ms[first[begins]], time_ms[last[ends]],
        np.add.reduceat(fixes, begins), np.minimum.reduceat(closest_m, begins),
    )  # fmt: skip
    return [
        Stay(entered_ms=entered, left_ms=left, fixes=count, closest_m=round(near, 1))
        for entered, left, count, near in zip(*(column.tolist() for column in columns), strict=True)
    ]
