"""The street graph of a map bundle: nearest corner, shortest way, and patrols that walk it.

Edges are walked both ways: officers on foot know no one-way streets. Distances are metres on a plane that touches the
ellipsoid in the middle of the map (`xunlu_gis.plane`).
"""

import heapq
import json
import random
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import atan2, degrees
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import shapely
import shapely.geometry

from xunlu_gis.errors import MapError
from xunlu_gis.plane import Floats, Plane, metres_per_degree

LEG_M: Final = (250.0, 1200.0)
"""How far, as the crow flies, the next destination of a patrol lies from the last."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Edge:
    """A street between two corners.

    Attributes:
        start: index of the corner where `xy` begins.
        end: index of the corner where `xy` ends.
        name: of the street, or empty.
        kind: class of the road (`primary` … `path`).
        xy: course in metres on the graph's plane, (n, 2).
        length_m: along the course.
    """

    start: int
    end: int
    name: str
    kind: str
    xy: Floats
    length_m: float


class Route:
    """A way on foot, walked by distance."""

    def __init__(self, plane: Plane, xy: Floats) -> None:
        steps = np.hypot(*np.diff(xy, axis=0).T)
        keep = np.concatenate(([True], steps > 1e-6))
        self._xy: list[tuple[float, float]] = [(float(x), float(y)) for x, y in xy[keep]]
        self._along: list[float] = np.concatenate(([0.0], np.cumsum(steps[steps > 1e-6]))).tolist()
        self._plane = plane
        self._per_lat, self._per_lon = metres_per_degree(plane.lat)

    @property
    def length_m(self) -> float:
        """From beginning to end."""
        return self._along[-1]

    def at(self, distance_m: float) -> tuple[float, float, float]:
        """Latitude, longitude and course (degrees from north) after a distance; the route's end is the end."""
        if len(self._xy) == 1:
            return (*self._degrees(*self._xy[0]), 0.0)
        distance_m = min(max(distance_m, 0.0), self.length_m)
        leg = min(bisect_right(self._along, distance_m), len(self._along) - 1) - 1
        (x0, y0), (x1, y1) = self._xy[leg], self._xy[leg + 1]
        part = (distance_m - self._along[leg]) / (self._along[leg + 1] - self._along[leg])
        course = degrees(atan2(x1 - x0, y1 - y0)) % 360
        return (*self._degrees(x0 + (x1 - x0) * part, y0 + (y1 - y0) * part), course)

    def _degrees(self, x: float, y: float) -> tuple[float, float]:
        return round(self._plane.lat + y / self._per_lat, 7), round(self._plane.lon + x / self._per_lon, 7)


class StreetGraph:
    """Corners and the streets between them; only the largest connected part, so that every corner can be reached."""

    def __init__(self, plane: Plane, corners: Floats, edges: Sequence[Edge]) -> None:
        self.plane = plane
        self.corners = corners
        self.edges = tuple(edges)
        self._at: list[list[int]] = [[] for _ in corners]
        for index, edge in enumerate(self.edges):
            self._at[edge.start].append(index)
            self._at[edge.end].append(index)
        self._tree = shapely.STRtree(shapely.points(corners))

    @classmethod
    def load(cls, bundle: Path) -> Self:
        """Read `streets.geojson` of a bundle.

        Raises:
            MapError: the bundle has no streets; tiles alone (PMTiles, raster) do not bring any.
        """
        path = bundle / "streets.geojson"
        try:
            features = json.loads(path.read_bytes())["features"]
        except (OSError, ValueError, KeyError) as error:
            raise MapError(f"{path} is no street list; run `xunlu-map prepare` again.") from error
        if not features:
            raise MapError(
                f"{bundle} has no streets: build it from an extract, or give its description a `vector` map."
            )
        return cls.from_lines([(shapely.geometry.shape(f["geometry"]), f["properties"]) for f in features])

    @classmethod
    def from_lines(cls, lines: Sequence[tuple[Any, dict[str, Any]]]) -> Self:
        """Make a graph of lines in degrees with `name` and `class`; they meet where their coordinates are equal."""
        west, south, east, north = shapely.total_bounds([line for line, _ in lines])
        plane = Plane((south + north) / 2, (west + east) / 2)
        courses = [np.round(shapely.get_coordinates(line), 7) for line, _ in lines]
        every, which = np.unique(np.concatenate(courses), axis=0, return_inverse=True)
        xy = plane.to_xy(every)
        ends = np.cumsum([len(course) for course in courses])
        runs = np.split(which.ravel(), ends[:-1])
        corner = _corners(runs, len(every))
        edges = [
            (part, properties) for run, (_, properties) in zip(runs, lines, strict=True) for part in _split(run, corner)
        ]
        return cls._connected(plane, xy, edges)

    @classmethod
    def _connected(cls, plane: Plane, xy: Floats, parts: Sequence[tuple[npt.NDArray[np.intp], dict[str, Any]]]) -> Self:
        """Keep the largest component and number its corners."""
        group = _components([(int(run[0]), int(run[-1])) for run, _ in parts])
        sizes: dict[int, int] = {}
        for run, _ in parts:
            root = group[int(run[0])]
            sizes[root] = sizes.get(root, 0) + 1
        largest = max(sizes, key=lambda root: sizes[root])
        number: dict[int, int] = {}
        edges = []
        for run, properties in parts:
            if group[int(run[0])] != largest:
                continue
            course = xy[run]
            edges.append(
                Edge(
                    start=number.setdefault(int(run[0]), len(number)),
                    end=number.setdefault(int(run[-1]), len(number)),
                    name=str(properties.get("name") or ""),
                    kind=str(properties.get("class") or ""),
                    xy=course,
                    length_m=float(np.hypot(*np.diff(course, axis=0).T).sum()),
                )
            )
        return cls(plane, xy[list(number)], edges)

    def nearest(self, lat: float, lon: float) -> int:
        """The corner nearest to a place."""
        return int(self._tree.nearest(shapely.Point(self.plane.to_xy(np.array([[lon, lat]]))[0])))

    def place(self, corner: int) -> tuple[float, float]:
        """Latitude and longitude of a corner."""
        lon, lat = self.plane.to_lon_lat(self.corners[corner : corner + 1])[0]
        return float(lat), float(lon)

    def inside(self, area: Any) -> list[int]:  # noqa: ANN401  a polygon of shapely
        """Corners within an area given in degrees."""
        return sorted(int(i) for i in self._tree.query(self.plane.geometry_to_xy(area), predicate="contains"))

    def path(self, start: int, end: int) -> list[tuple[int, bool]]:
        """Shortest way (A*; Hart, Nilsson, Raphael 1968) as edges, each with whether it is walked backward."""
        goal = self.corners[end]
        ahead = np.hypot(*(self.corners - goal).T).tolist()
        best = {start: 0.0}
        came: dict[int, int] = {}
        waiting = [(ahead[start], start)]
        while waiting:
            _, here = heapq.heappop(waiting)
            if here == end:
                break
            for index in self._at[here]:
                edge = self.edges[index]
                there = edge.end if edge.start == here else edge.start
                cost = best[here] + edge.length_m
                if cost < best.get(there, float("inf")):
                    best[there] = cost
                    came[there] = index
                    heapq.heappush(waiting, (cost + ahead[there], there))
        return self._traced(start, end, came)

    def _traced(self, start: int, end: int, came: dict[int, int]) -> list[tuple[int, bool]]:
        steps: list[tuple[int, bool]] = []
        here = end
        while here != start:
            edge = self.edges[came[here]]
            backward = edge.start == here
            steps.append((came[here], backward))
            here = edge.end if backward else edge.start
        return steps[::-1]

    def route(self, start: int, end: int) -> Route:
        """The shortest way between two corners, ready to be walked."""
        parts = [self.edges[i].xy[::-1] if backward else self.edges[i].xy for i, backward in self.path(start, end)]
        return Route(self.plane, np.concatenate(parts) if parts else self.corners[start : start + 1])

    def walk(
        self,
        rng: random.Random,
        area: Any = None,  # noqa: ANN401  a polygon of shapely
        start: int | None = None,
    ) -> Iterator[Route]:
        """A patrol without end: routes from corner to corner, each beginning where the last ended.

        Args:
            rng: the only source of chance.
            area: polygon in degrees that holds all destinations; None lets the patrol wander. A way between two
                destinations may leave the area, as streets demand.
            start: corner to begin at; None chooses one.

        Raises:
            MapError: the area holds fewer than two corners.
        """
        choice = list(range(len(self.corners))) if area is None else self.inside(area)
        if len(choice) < 2:
            raise MapError("No streets lie in this area; draw it larger, or use a map that covers it.")
        places = self.corners[choice]
        here = rng.choice(choice) if start is None else start
        while True:
            distance = np.hypot(*(places - self.corners[here]).T)
            near = np.flatnonzero((distance >= LEG_M[0]) & (distance <= LEG_M[1]))
            there = choice[int(rng.choice(near.tolist()))] if len(near) else rng.choice(choice)
            if there != here:
                yield self.route(here, there)
                here = there


def _corners(runs: Sequence[npt.NDArray[np.intp]], count: int) -> npt.NDArray[np.bool_]:
    """Which coordinates are corners: ends of lines, and coordinates that are passed more than once."""
    passed = np.bincount(np.concatenate(runs), minlength=count)
    corner = passed > 1
    for run in runs:
        corner[run[[0, -1]]] = True
    return corner


def _split(run: npt.NDArray[np.intp], corner: npt.NDArray[np.bool_]) -> Iterator[npt.NDArray[np.intp]]:
    """A line cut at its corners; stretches of no length are left out."""
    at = np.flatnonzero(corner[run])
    for low, high in pairwise(at):
        part = run[low : high + 1]
        if len(np.unique(part)) > 1:
            yield part


def _components(pairs: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Root of the connected component of every corner (union-find with path halving)."""
    parent: dict[int, int] = {}

    def root(node: int) -> int:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for one, other in pairs:
        parent[root(one)] = root(other)
    return {node: root(node) for node in list(parent)}
