"""Where a simulated officer truly is: on patrol along the streets of a map, or on a track that was recorded."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Protocol

from xunlu_gis.errors import TrackError
from xunlu_gis.streets import Route, StreetGraph
from xunlu_gis.track.point import TrackPoint

DEGREE_M = 111_194.93
WALK_MPS = (0.9, 1.5)
STOP_CHANCE = 1 / 90
STOP_S = (10.0, 120.0)
PAVEMENT_M = 4.0
GAP_S_MAX = 300.0
# Two fixes of one time still follow each other.
STEP_S_MIN = 0.001


@dataclass(frozen=True, slots=True)
class Place:
    """A true position.

    Attributes:
        lat: degrees, WGS-84.
        lon: degrees, WGS-84.
        speed_mps: over ground.
        course_deg: from north.
        alt_m: above mean sea level.
    """

    lat: float
    lon: float
    speed_mps: float = 0.0
    course_deg: float = 0.0
    alt_m: float = 8.0

    def moved(self, east_m: float, north_m: float) -> "Place":
        """A place some metres away."""
        lat = self.lat + north_m / DEGREE_M
        return replace(self, lat=lat, lon=self.lon + east_m / (DEGREE_M * math.cos(math.radians(lat))))


class Way(Protocol):
    """A movement in steps of one second."""

    def second(self) -> Place:
        """Where the officer is one second later."""
        ...


class Patrol:
    """A walk without end along the streets, on the pavement, with stops."""

    def __init__(self, streets: StreetGraph, rng: random.Random, area: Any = None) -> None:  # noqa: ANN401  a polygon
        self._rng = rng
        self._routes = streets.walk(rng, area)
        self._route: Route = next(self._routes)
        # Everybody begins somewhere on the way, not all at a corner.
        self._walked_m = rng.random() * self._route.length_m
        self._speed_mps = rng.uniform(*WALK_MPS)
        self._side_m = rng.choice((-PAVEMENT_M, PAVEMENT_M))
        self._stopped_s = 0.0

    def second(self) -> Place:
        """One step, or standing still to look at something."""
        speed_mps = self._step()
        lat, lon, course = self._route.at(self._walked_m)
        right = math.radians(course + 90)
        place = Place(lat, lon, speed_mps, course)
        return place.moved(self._side_m * math.sin(right), self._side_m * math.cos(right))

    def _step(self) -> float:
        if self._stopped_s > 0:
            self._stopped_s -= 1
            return 0.0
        if self._rng.random() < STOP_CHANCE:
            self._stopped_s = self._rng.uniform(*STOP_S)
            return 0.0
        self._walked_m += self._speed_mps
        if self._walked_m >= self._route.length_m:
            self._walked_m -= self._route.length_m
            self._route = next(self._routes)
            self._speed_mps = self._rng.uniform(*WALK_MPS)
        return self._speed_mps


class Replay:
    """A recorded track, walked there and back without end; long breaks are cut short.

    Args:
        points: at least two, in order of time.
        skip_s: seconds into the track to begin at.

    Raises:
        TrackError: a track of one point leads nowhere.
    """

    def __init__(self, points: Sequence[TrackPoint], skip_s: float = 0.0) -> None:
        if len(points) < 2:
            raise TrackError("A track of one point leads nowhere; record at least two.")
        # Back on the same way: whoever jumped to the beginning would be faster than any recorder.
        self._points = [*points, *points[-2::-1]]
        self._offsets = [0.0]
        for before, after in pairwise(self._points):
            step_s = abs((after.fix_time - before.fix_time).total_seconds())
            self._offsets.append(self._offsets[-1] + min(max(step_s, STEP_S_MIN), GAP_S_MAX))
        self._at_s = skip_s % max(1.0, self._offsets[-1])
        self._index = 0

    def second(self) -> Place:
        """The place one second later, between two recorded fixes."""
        self._at_s += 1
        if self._at_s >= self._offsets[-1]:
            self._at_s, self._index = 0.0, 0
        while self._offsets[self._index + 1] <= self._at_s:
            self._index += 1
        before, after = self._points[self._index], self._points[self._index + 1]
        span_s = self._offsets[self._index + 1] - self._offsets[self._index]
        part = (self._at_s - self._offsets[self._index]) / span_s if span_s else 0.0
        north_m = (after.lat - before.lat) * DEGREE_M
        east_m = (after.lon - before.lon) * DEGREE_M * math.cos(math.radians(before.lat))
        speed_mps = math.hypot(east_m, north_m) / span_s if span_s else 0.0
        course = math.degrees(math.atan2(east_m, north_m)) % 360
        start = Place(before.lat, before.lon, min(speed_mps, 60.0), course, before.alt_m or 8.0)
        return start.moved(east_m * part, north_m * part)
