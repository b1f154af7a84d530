"""What a patrol has seen of its zone: by area, and by street, which is the better number.

Whatever lies within a few metres of where somebody moved counts as seen. Ways are unbroken, as `track.piece` cuts them:
joined across gaps, ten real hours would have seen twice the area. They are cut into short pieces before they are grown.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely
import shapely.ops

from xunlu_gis.fence.fixes import Flags, Numbers, Times
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
        piece_points: so many fixes at most are grown at once; long lines would cost ten times as much.
    """

    walk_m: float = 30.0
    ride_m: float = 15.0
    ride_mps: float = 3.5
    still_mps: float = 0.3
    piece_points: int = 50


class Way(NamedTuple):
    """Fixes of one device in order of time, cleaned, without a gap or a jump between two.

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
        moves = _moves(ways, self._plane, rules)
        near = moves.touch(self._area.bounds, max(rules.walk_m, rules.ride_m))
        lines, mean_mps, until_ms = moves.lines(near), moves.mean_mps[near], moves.until_ms[near]
        reach_m = np.where(mean_mps >= rules.ride_mps, rules.ride_m, rules.walk_m)
        close = shapely.dwithin(lines, self._area, reach_m)
        return shapely.buffer(lines[close], reach_m[close]), until_ms[close]

    def _seen(self, swaths: npt.NDArray[np.object_], until_ms: Times) -> tuple[Floats, Times]:
        """Metres seen of each piece of street, and when last: by one swath enough of it, else by all that touch it."""
        seen_m = np.zeros(len(self._lines))
        seen_ms = np.full(len(self._lines), NEVER_SEEN, dtype=np.int64)
        swath, piece = self._tree.query(swaths, predicate="intersects")
        shapely.prepare(swaths)
        whole = shapely.covers(swaths[swath], self._lines[piece])
        seen_m[piece[whole]] = self._lengths_m[piece[whole]]
        np.maximum.at(seen_ms, piece[whole], until_ms[swath[whole]])
        # What one swath has seen in full, another only matters to when it came later.
        cut = ~whole & ((seen_ms[piece] == NEVER_SEEN) | (until_ms[swath] > seen_ms[piece]))
        swath, piece = swath[cut], piece[cut]
        parts = shapely.intersection(self._lines[piece], swaths[swath])
        parts_m = shapely.length(parts)
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


class _Moves(NamedTuple):
    """Moving pieces of ways: without stops.

    Attributes:
        xy: places of all pieces, one after the other, metres, (p, 2).
        first: number of the first place of each piece, (n,).
        mean_mps: over each piece, (n,).
        until_ms: when each ends, UTC, (n,).
    """

    xy: Floats
    first: Numbers
    mean_mps: Floats
    until_ms: Times

    def touch(self, box: Sequence[float], margin_m: float) -> Flags:
        """Which pieces may come so near to a box of least x and y, greatest x and y, (n,)."""
        if not len(self.first):
            return np.zeros(0, dtype=bool)
        low, high = np.minimum.reduceat(self.xy, self.first), np.maximum.reduceat(self.xy, self.first)
        near = (high >= np.array(box[:2]) - margin_m) & (low <= np.array(box[2:]) + margin_m)
        return np.asarray(near.all(axis=1), dtype=bool)

    def lines(self, which: Flags) -> npt.NDArray[np.object_]:
        """Some pieces as lines of shapely."""
        piece = np.repeat(np.arange(len(self.first)), np.diff(np.append(self.first, len(self.xy))))
        wanted = which[piece]
        lines: npt.NDArray[np.object_] = np.empty(0, dtype=object)
        if wanted.any():
            lines = shapely.linestrings(self.xy[wanted], indices=(np.cumsum(which) - 1)[piece[wanted]])
        return lines


def _moves(ways: Sequence[Way], plane: Plane, rules: CoverageRules) -> _Moves:
    """The moving pieces of some ways, of at most `piece_points` each."""
    if not ways:
        nothing = np.zeros(0)
        return _Moves(np.zeros((0, 2)), nothing.astype(np.intp), nothing, nothing.astype(np.int64))
    time_ms, lon, lat = (np.concatenate(column) for column in zip(*ways, strict=True))
    xy = plane.to_xy(np.column_stack((lon, lat)))
    step_s = np.diff(time_ms) / 1000
    step_m = np.hypot(*np.diff(xy, axis=0).T)
    moving = (step_s > 0) & (step_m >= rules.still_mps * step_s)
    moving[np.cumsum([len(way.time_ms) for way in ways])[:-1] - 1] = False
    begin, end = np.flatnonzero(np.diff(np.concatenate(([False], moving, [False])))).reshape(-1, 2).T
    many = -(-(end - begin) // (rules.piece_points - 1))
    nth = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    first = np.repeat(begin, many) + nth * (rules.piece_points - 1)
    last = np.minimum(first + rules.piece_points - 1, np.repeat(end, many))
    gone_s, gone_m = (np.concatenate(([0.0], np.cumsum(np.where(moving, step, 0)))) for step in (step_s, step_m))
    places = last - first + 1
    start = np.cumsum(places) - places
    which = np.arange(places.sum()) + np.repeat(first - start, places)
    mean_mps = (gone_m[last] - gone_m[first]) / (gone_s[last] - gone_s[first])
    return _Moves(xy=xy[which], first=start, mean_mps=mean_mps, until_ms=time_ms[last])


def _cut(line: Any) -> Iterator[Any]:  # noqa: ANN401  a line of shapely
    """Equal pieces of at most `PIECE_M`."""
    many = ceil(line.length / PIECE_M)
    for number in range(many):
        yield shapely.ops.substring(line, number / many, (number + 1) / many, normalized=True)
