"""Fewer points for the same line: Ramer–Douglas–Peucker (Douglas, Peucker 1973), in metres, by GEOS."""

from collections.abc import Sequence

import numpy as np
import shapely

from xunlu_gis.plane import Floats
from xunlu_gis.track.point import TrackPoint, from_middle, lon_lat


def simplify(points: Sequence[TrackPoint], tolerance_m: float) -> list[TrackPoint]:
    """Leave out points that lie within `tolerance_m` of the line through those that stay; both ends stay.

    The points that stay are those that were given, unchanged. Time plays no part: cut the track at its gaps first
    (`segments`), so that somebody who stood still does not become a gap.
    """
    return [points[index] for index in kept(lon_lat(points), tolerance_m)]


def kept(degrees: Floats, tolerance_m: float) -> list[int]:
    """Which of some places stay, in their order; `degrees` are longitudes and latitudes, (n, 2)."""
    if len(degrees) < 3 or tolerance_m <= 0:
        return list(range(len(degrees)))
    # GEOS returns coordinates; the height carries the index of each point through.
    line = shapely.linestrings(np.column_stack((from_middle(degrees), np.arange(len(degrees)))))
    simple = shapely.simplify(line, tolerance_m, preserve_topology=False)
    indices: list[int] = shapely.get_coordinates(simple, include_z=True)[:, 2].astype(int).tolist()
    return indices
