"""Which zones a place lies in, and which are in force: what `Fences` asks, in arrays."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import shapely

from xunlu_gis.errors import ZoneError
from xunlu_gis.fence.fixes import Flags, Numbers, Times
from xunlu_gis.fence.ordered import located
from xunlu_gis.fence.schedule import CLOSED
from xunlu_gis.fence.states import NEVER_MS
from xunlu_gis.fence.zone import Zone
from xunlu_gis.plane import Floats, Plane

_FOREVER_MS: Final = 1 << 60
_FOREVER_S: Final = float(1 << 50)


class ZoneIndex:
    """Zones numbered in order of their ids, on a plane in metres.

    The plane stretches both axes by constants, so "inside" is exactly what it is in degrees; distances are right to
    0.3 % up to 30 km from the middle of all zones, and the band of 15 m to half a metre even 300 km away.
    """

    def __init__(self, zones: Sequence[Zone]) -> None:
        self.zones = tuple(sorted(zones, key=lambda zone: zone.id))
        self.ids = np.array([zone.id for zone in self.zones], dtype=np.int64)
        if len(np.unique(self.ids)) != len(self.ids):
            raise ZoneError("Two zones have the same id; each version needs one of its own.")
        areas = np.array([zone.shape.area for zone in self.zones], dtype=object)
        west, south, east, north = shapely.total_bounds(areas) if len(areas) else (0.0, 0.0, 0.0, 0.0)
        self.plane = Plane(float(south + north) / 2, float(west + east) / 2)
        self._areas = self.plane.geometry_to_xy(areas)
        shapely.prepare(self._areas)
        self._tree = shapely.STRtree(self._areas)
        self._bounds = shapely.bounds(self._areas).reshape(-1, 4)
        # The row at the end, number -1, is in force never: a zone that is no longer there.
        self._valid_from = np.array([*(zone.valid_from_ms for zone in self.zones), _FOREVER_MS], dtype=np.int64)
        self._valid_to = np.array(
            [*(_FOREVER_MS if zone.valid_to_ms is None else zone.valid_to_ms for zone in self.zones), 0], dtype=np.int64
        )
        self.dwell_ms = np.array(
            [*(round((zone.dwell_s_max or _FOREVER_S) * 1000) for zone in self.zones), _FOREVER_MS], dtype=np.int64
        )
        schedules = [zone.schedule for zone in self.zones]
        self._schedules = tuple({schedule for schedule in schedules if schedule is not None})
        numbers = {schedule: number for number, schedule in enumerate(self._schedules)}
        self._schedule = np.array(
            [*(-1 if schedule is None else numbers[schedule] for schedule in schedules), -1], dtype=np.intp
        )

    def __len__(self) -> int:
        return len(self.zones)

    def numbers(self, ids: Times) -> Numbers:
        """Numbers of zones; -1 where there is none of that id."""
        at, found = located(self.ids, ids)
        return np.where(found, at, -1)

    def named(self, numbers: Numbers) -> list[Zone | None]:
        """Zones by number; None for -1."""
        return [self.zones[number] if number >= 0 else None for number in numbers.tolist()]

    def hits(self, xy: Floats) -> tuple[Numbers, Numbers]:
        """Pairs of a place and a zone that it lies in or on the border of, in order of place.

        Boxes by the tree, the rest by prepared areas: twice as fast as a predicate of the tree, which prepares points.
        """
        place, zone = self._tree.query(shapely.points(xy))
        inside = shapely.intersects_xy(self._areas[zone], xy[place, 0], xy[place, 1])
        return place[inside], zone[inside]

    def near(self, zone: Numbers, xy: Floats, distance_m: Floats) -> Flags:
        """Whether each place lies within its distance of its zone."""
        west, south, east, north = self._bounds[zone].T
        x, y = xy.T
        found: Flags = (x >= west - distance_m) & (x <= east + distance_m)
        found &= (y >= south - distance_m) & (y <= north + distance_m)
        (at,) = np.nonzero(found)
        found[at] = shapely.dwithin(self._areas[zone[at]], shapely.points(xy[at]), distance_m[at])
        return found

    def openings(self, zone: Numbers, time_ms: Times) -> Times:
        """The number of the opening of each zone at each time, `CLOSED` where it is not in force or not known."""
        opening = np.zeros(len(zone), dtype=np.int64)
        if self._schedules:
            schedule = self._schedule[zone]
            for number in np.unique(schedule[schedule >= 0]).tolist():
                (at,) = np.nonzero((schedule == number) & (time_ms != NEVER_MS))
                opening[at] = self._schedules[number].openings(time_ms[at])
        valid = (self._valid_from[zone] <= time_ms) & (time_ms < self._valid_to[zone])
        return np.where(valid, opening, CLOSED)
