"""What a patrol has seen of its zone: by area, and by street, which is the better number.

Whatever lies within a few metres of where somebody moved counts as seen. Ways are cut into short pieces before they are
grown, and never joined across a gap: over ten real hours that would have doubled the area.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely
import shapely.ops

from xunlu_gis.fence.fixes import Times
from xunlu_gis.fence.shape import area_m2
from xunlu_gis.plane import Floats, Plane
from xunlu_gis.streets import StreetGraph

NEVER_SEEN: Final = -1
"""In place of a time."""

PIECE_M: Final = 50.0
"""Longest piece of a street that is seen or not."""

SEEN_SHARE: Final = 0.5
"""Of the length of a piece: less, and nobody has seen it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CoverageRules:
    """How far somebody sees who moves.

    Attributes:
        walk_m: to either side, on foot.
        ride_m: to either side, riding.
        ride_mps: from this mean speed over a piece somebody rides.
        still_mps: a slower step is no move.
        fastest_mps: a faster step is a jump, and nobody's way.
        gap_s: a longer step is a gap.
        piece_points: so many fixes at most are grown at once; long lines would cost ten times as much.
    """

    walk_m: float = 30.0
    ride_m: float = 15.0
    ride_mps: float = 3.5
    still_mps: float = 0.3
    fastest_mps: float = 60.0
    gap_s: float = 60.0
    piece_points: int = 50


class Way(NamedTuple):
    """Fixes of one device in order of time, cleaned.

    Attributes:
        time_ms: UTC, (n,).
        lon: degrees east, (n,).
        lat: degrees north, (n,).
    """

    time_ms: Times
    lon: Floats
    lat: Floats


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """What was seen.

    Attributes:
        area: seen part of the zone, polygons of shapely in degrees; empty when nothing was.
        area_m2: of it, on the ellipsoid.
        area_share: of the zone, 0 to 1.
        street_m: metres of street seen.
        street_share: of all metres of street in the zone, 0 to 1; 0 where there is no street.
        seen_ms: when each piece of street was seen last, UTC, in the order of `Ground.pieces`; `NEVER_SEEN` where it
            was not. The maximum of several days is when it was seen last in all of them.
    """

    area: Any
    area_m2: float
    area_share: float
    street_m: float
    street_share: float
    seen_ms: Times


@dataclass(frozen=True, kw_only=True, slots=True)
class StreetPiece:
    """A piece of street within a zone.

    Attributes:
        name: of the street, or empty.
        line: of shapely, in degrees.
        length_m: at most `PIECE_M`.
    """

    name: str
    line: Any
    length_m: float


@dataclass(frozen=True, kw_only=True, slots=True)
class StreetAge:
    """Pieces of one street and when they were seen.

    Attributes:
        name: of the street, or empty for all without a name.
        length_m: within the zone.
        unseen_m: of it, not seen since the time asked for.
        seen_ms: when the piece that waits longest was seen last; None: never.
    """

    name: str
    length_m: float
    unseen_m: float
    seen_ms: int | None


class Ground:
    """A zone with its streets, ready to be covered; made once for a zone and a map."""

    def __init__(self, area: Any, streets: StreetGraph) -> None:  # noqa: ANN401  a polygon of shapely
        """Cut the streets at the zone's border, and into pieces.

        Args:
            area: polygon, or several, in degrees.
            streets: of the map.
        """
        middle = area.envelope.centroid
        self._plane = Plane(middle.y, middle.x)
        self._area = self._plane.geometry_to_xy(area)
        self._area_m2 = area_m2(area)
        named = list(self._pieces(area, streets))
        self._lines = np.array([line for _, line in named], dtype=object)
        self._lengths_m = shapely.length(self._lines).astype(float)
        self._tree = shapely.STRtree(self._lines)
        self.pieces = tuple(
            StreetPiece(name=name, line=self._plane.geometry_to_lon_lat(line), length_m=float(line.length))
            for name, line in named
        )

    def _pieces(self, area: Any, streets: StreetGraph) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
        lines = shapely.transform([shapely.LineString(edge.xy) for edge in streets.edges], streets.plane.to_lon_lat)
        near = shapely.intersects(shapely.box(*area.bounds), lines)
        for number in np.flatnonzero(near).tolist():
            inside = shapely.intersection(self._plane.geometry_to_xy(lines[number]), self._area)
            for part in shapely.get_parts(inside):
                if part.geom_type == "LineString" and part.length > 0:
                    yield from ((streets.edges[number].name, piece) for piece in _cut(part))

    def coverage(self, ways: Sequence[Way], rules: CoverageRules | None = None) -> Coverage:
        """What some people have seen together.

        Args:
            ways: of any number of people.
            rules: how far they see.
        """
        rules = rules or CoverageRules()
        swaths, until_ms = self._swaths(ways, rules)
        covered = shapely.intersection(shapely.union_all(swaths), self._area)
        area = self._plane.geometry_to_lon_lat(covered)
        seen_m, seen_ms = self._seen(swaths, until_ms)
        street_m, size_m2 = float(seen_m.sum()), area_m2(area)
        all_m = float(self._lengths_m.sum())
        return Coverage(
            area=area,
            area_m2=size_m2,
            area_share=min(1.0, size_m2 / self._area_m2),
            street_m=street_m,
            street_share=street_m / all_m if all_m else 0.0,
            seen_ms=seen_ms,
        )

    def seen(self, ways: Sequence[Way], rules: CoverageRules | None = None) -> tuple[Floats, Times]:
        """Metres seen of each piece of street, and when last (`NEVER_SEEN`): `coverage` without the area.

        Args:
            ways: of any number of people.
            rules: how far they see.
        """
        return self._seen(*self._swaths(ways, rules or CoverageRules()))

    def ages(self, seen_ms: Times, since_ms: int) -> list[StreetAge]:
        """Streets that were not seen, those that wait longest first; streets seen in full are left out.

        Args:
            seen_ms: as `Coverage` gives it, or the maximum of several.
            since_ms: pieces seen before this time count as not seen.
        """
        streets: dict[str, list[int]] = {}
        for number, piece in enumerate(self.pieces):
            streets.setdefault(piece.name, []).append(number)
        ages = []
        for name, numbers in streets.items():
            oldest = int(seen_ms[numbers].min())
            if oldest < since_ms:
                lengths_m, unseen = self._lengths_m[numbers], seen_ms[numbers] < since_ms
                seen = None if oldest == NEVER_SEEN else oldest
                ages.append(
                    StreetAge(
                        name=name,
                        length_m=float(lengths_m.sum()),
                        unseen_m=float(lengths_m[unseen].sum()),
                        seen_ms=seen,
                    )
                )
        return sorted(ages, key=lambda age: (age.seen_ms or NEVER_SEEN, -age.unseen_m))

    def _swaths(self, ways: Sequence[Way], rules: CoverageRules) -> tuple[npt.NDArray[np.object_], Times]:
        """Grown pieces of ways that come near the zone, and when each ends."""
        pieces = [piece for way in ways for piece in _moves(way, self._plane, rules)]
        lines = np.array([piece.line for piece in pieces], dtype=object)
        reach_m = np.array([rules.walk_m if piece.mode == "walk" else rules.ride_m for piece in pieces])
        until_ms = np.array([piece.until_ms for piece in pieces], dtype=np.int64)
        near = shapely.dwithin(lines, self._area, reach_m) if pieces else np.zeros(0, dtype=bool)
        return shapely.buffer(lines[near], reach_m[near]), until_ms[near]

    def _seen(self, swaths: npt.NDArray[np.object_], until_ms: Times) -> tuple[Floats, Times]:
        """Metres seen of each piece of street, and when last: by one swath enough of it, else by all that touch it."""
        seen_m = np.zeros(len(self._lines))
        seen_ms = np.full(len(self._lines), NEVER_SEEN, dtype=np.int64)
        swath, piece = self._tree.query(swaths, predicate="intersects")
        shapely.prepare(swaths)
        parts, parts_m = self._lines[piece], self._lengths_m[piece]
        (cut,) = np.nonzero(~shapely.covers(swaths[swath], parts))
        parts[cut] = shapely.intersection(parts[cut], swaths[swath[cut]])
        parts_m[cut] = shapely.length(parts[cut])
        np.maximum.at(seen_m, piece, parts_m)
        enough = parts_m >= SEEN_SHARE * self._lengths_m[piece]
        np.maximum.at(seen_ms, piece[enough], until_ms[swath[enough]])
        (partly,) = np.nonzero(seen_m[piece] < self._lengths_m[piece])
        order = partly[np.argsort(piece[partly], kind="stable")]
        touched, first = np.unique(piece[order], return_index=True)
        for number, which in zip(touched.tolist(), np.split(order, first)[1:], strict=True):
            seen_m[number] = shapely.union_all(parts[which]).length
            if seen_ms[number] == NEVER_SEEN and seen_m[number] >= SEEN_SHARE * self._lengths_m[number]:
                seen_ms[number] = until_ms[swath[which]].max()
        return np.minimum(seen_m, self._lengths_m), seen_ms


class _Move(NamedTuple):
    line: Any
    mode: Literal["walk", "ride"]
    until_ms: int


def _moves(way: Way, plane: Plane, rules: CoverageRules) -> Iterator[_Move]:
    """The moving pieces of a way: without stops, jumps and gaps."""
    xy = plane.to_xy(np.column_stack((way.lon, way.lat)))
    step_s = np.diff(way.time_ms) / 1000
    step_m = np.hypot(*np.diff(xy, axis=0).T)
    timed = (step_s > 0) & (step_s <= rules.gap_s)
    moving = timed & (step_m >= rules.still_mps * step_s) & (step_m <= rules.fastest_mps * step_s)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], moving, [False]))))
    for begin, end in edges.reshape(-1, 2).tolist():
        for first in range(begin, end, rules.piece_points - 1):
            last = min(first + rules.piece_points - 1, end)
            mean_mps = step_m[first:last].sum() / step_s[first:last].sum()
            mode: Literal["walk", "ride"] = "ride" if mean_mps >= rules.ride_mps else "walk"
            yield _Move(shapely.LineString(xy[first : last + 1]), mode, int(way.time_ms[last]))


def _cut(line: Any) -> Iterator[Any]:  # noqa: ANN401  a line of shapely
    """Equal pieces of at most `PIECE_M`."""
    many = ceil(line.length / PIECE_M)
    for number in range(many):
        yield shapely.ops.substring(line, number / many, (number + 1) / many, normalized=True)
