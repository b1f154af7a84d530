"""Fewer points for the same line: Ramer–Douglas–Peucker (Douglas, Peucker 1973), in metres, by GEOS."""

from collections.abc import Sequence

import numpy as np
import shapely

from xunlu_gis.track.point import TrackPoint, metres


def simplify(points: Sequence[TrackPoint], tolerance_m: float) -> list[TrackPoint]:
    """Leave out points that lie within `tolerance_m` of the line through those that stay; both ends stay.

    The points that stay are those that were given, unchanged. Time plays no part: cut the track at its gaps first
    (`segments`), so that somebody who stood still does not become a gap.
    """
    if len(points) < 3 or tolerance_m <= 0:
        return list(points)
    # GEOS returns coordinates; the height carries the index of each point through.
    line = shapely.linestrings(np.column_stack((metres(points), np.arange(len(points)))))
    kept = shapely.get_coordinates(shapely.simplify(line, tolerance_m, preserve_topology=False), include_z=True)[:, 2]
    return [points[int(index)] for index in kept]
