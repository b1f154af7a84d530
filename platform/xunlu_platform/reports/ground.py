"""What the people of a sheet have seen of their zones, and the map that shows it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import shapely
import shapely.geometry

from xunlu_gis.coverage import NEVER_SEEN, Ground, Way
from xunlu_gis.errors import MapError
from xunlu_gis.fence import ZoneKind, read_drawing
from xunlu_gis.report import Coverage, Patch
from xunlu_platform.reports.days import Member, OfficerDay
from xunlu_platform.store.reports import Zones

ZONES_MAX: Final = 40
"""Of one sheet; a larger district is reported squad by squad."""

PATROLLED: Final[frozenset[ZoneKind]] = frozenset({"responsibility", "patrol", "post"})
"""Where somebody is expected to look at streets; a watched or forbidden zone is nobody's beat."""

DRAWN_DEG: Final = 0.0001
"""About 10 m: less than a line of the map is wide."""

GroundOf = Callable[[dict[str, Any]], Ground]
"""A zone's feature, with the streets of the map; raises MapError where the map has none."""


class Beat(NamedTuple):
    """A zone and what was seen of its streets.

    Attributes:
        zone: id.
        area: polygons of shapely, degrees.
        street_m: within the zone; None where the map has no streets.
        seen_m: of these.
        lines: pieces of street with whether they were seen.
    """

    zone: int
    area: Any
    street_m: float | None
    seen_m: float | None
    lines: tuple[tuple[Any, bool], ...] = ()


def beats_of(zones: Zones, days: Sequence[OfficerDay], ground_of: GroundOf | None) -> list[Beat]:
    """The zones that concern anybody of the sheet, at most `ZONES_MAX`, with what all of them have seen together.

    Args:
        zones: of the time of the sheet.
        days: of everybody.
        ground_of: None where there is no map.
    """
    concerned: dict[int, set[Member]] = {}
    for member in {day.member for day in days}:
        for version, zone in zones.watched.zones.items():
            if zones.names[zone]["kind"] in PATROLLED and zones.watched.concerns(version, member.holder):
                concerned.setdefault(zone, set()).add(member)
    wanted = sorted(concerned)[:ZONES_MAX]
    return [
        _beat(zone, zones.shapes[zone], [day for day in days if day.member in concerned[zone]], ground_of)
        for zone in wanted
    ]


def _beat(zone: int, shape: dict[str, Any], days: Iterable[OfficerDay], ground_of: GroundOf | None) -> Beat:
    area = read_drawing(shape).shape.area
    try:
        ground = ground_of(shape) if ground_of else None
    except MapError:
        ground = None
    street_m = sum(piece.length_m for piece in ground.pieces) if ground else 0.0
    if ground is None or not street_m:
        return Beat(zone, area, None, None)
    seen_m, seen_ms = ground.seen(_ways(days))
    seen = (seen_ms != NEVER_SEEN).tolist()
    lines = tuple((piece.line, was) for piece, was in zip(ground.pieces, seen, strict=True))
    return Beat(zone, area, street_m, float(seen_m.sum()), lines)


def _ways(days: Iterable[OfficerDay]) -> list[Way]:
    pieces = [piece for day in days for worn in day.worn for piece in worn.shape.pieces]
    return [Way(one.time_ms, one.lon, one.lat) for one in pieces if len(one.time_ms) > 1]


def map_of(title: str, beats: Sequence[Beat], days: Iterable[OfficerDay]) -> Coverage:
    """Zones, streets seen and not seen, and the ways, each kind as one patch."""
    lines = [line for beat in beats for line in beat.lines]
    tracks = [shapely.LineString(np.column_stack((way.lon, way.lat))) for way in _ways(days)]
    patches = [
        *(Patch(kind="zone", geometry=shapely.geometry.mapping(beat.area)) for beat in beats if not beat.area.is_empty),
        *_joined("seen", [line for line, was_seen in lines if was_seen]),
        *_joined("unseen", [line for line, was_seen in lines if not was_seen]),
        *_joined("track", list(shapely.simplify(np.array(tracks, dtype=object), DRAWN_DEG)) if tracks else []),
    ]
    return Coverage(title=title, patches=tuple(patches))


def _joined(kind: Any, lines: Sequence[Any]) -> list[Patch]:  # noqa: ANN401  `Kind` of the report
    """One patch of many lines; those that meet become one."""
    if not lines:
        return []
    return [
        Patch(kind=kind, geometry=shapely.geometry.mapping(shapely.line_merge(shapely.MultiLineString(list(lines)))))
    ]
