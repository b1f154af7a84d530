"""Levels of detail: what a map needs of a track at each zoom, and no more."""

from collections.abc import Sequence
from math import cos, pi, radians
from typing import Final, NamedTuple

from xunlu_gis.plane import SEMI_MAJOR_AXIS_M
from xunlu_gis.track.piece import unbroken
from xunlu_gis.track.settings import DEFAULT, TrackSettings
from xunlu_gis.track.simplification import kept_in_time
from xunlu_gis.track.track import Ints, Track

LEVELS_M: Final = (5.0, 20.0, 80.0, 320.0)
"""Bounds of error; each is about a pixel at zoom 14, 12, 10 and 8 over Shanghai."""

TILE_PIXELS: Final = 256


class Level(NamedTuple):
    """One level of detail.

    Attributes:
        bound_m: at no time is a steady move between the fixes that stay farther from a fix that was left out.
        pieces: for each unbroken piece of the track the indices of the fixes that stay.
    """

    bound_m: float
    pieces: tuple[Ints, ...]


def levels(track: Track, settings: TrackSettings = DEFAULT, bounds_m: Sequence[float] = LEVELS_M) -> list[Level]:
    """Simplify the pieces of a cleaned track once for each bound; both ends of every piece stay at every level.

    Args:
        track: in order of fix time.
        settings: limits of the pieces.
        bounds_m: in metres, at least 0; 0 keeps all.
    """
    spans = unbroken(track, settings)
    return [
        Level(bound_m, tuple(first + kept_in_time(track[first:end], bound_m) for first, end in spans))
        for bound_m in bounds_m
    ]


def metres_per_pixel(zoom: float, lat: float) -> float:
    """Metres on the ground that a pixel of a web map (EPSG:3857) covers at a latitude."""
    return float(2 * pi * SEMI_MAJOR_AXIS_M * cos(radians(lat)) / (TILE_PIXELS * 2.0**zoom))


def bound_for(zoom: float, lat: float, bounds_m: Sequence[float] = LEVELS_M) -> float:
    """The largest bound that a pixel hides; 0 where only the whole track will do."""
    pixel_m = metres_per_pixel(zoom, lat)
    return max((bound_m for bound_m in bounds_m if bound_m <= pixel_m), default=0.0)
