"""Whether a drawing lies where GCJ-02 would put it: told by what the map already holds."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import shapely

from xunlu_gis.areas import read_areas
from xunlu_gis.datum import gcj02_to_wgs84
from xunlu_gis.plane import Floats, Plane
from xunlu_gis.streets import StreetGraph

STREET_M: Final = 20.0
"""A patrol line lies on a street when it is no further from its middle."""

_AREA_FITS: Final = 0.9
_AREA_GAINS: Final = 0.1
"""Sub-districts of Shanghai whose outlines were GCJ-02 without saying so: overlap 0.754 as given, 0.986 converted."""

_LINE_FITS: Final = 0.8
_LINE_GAINS: Final = 0.4


class Reference:
    """Areas and streets of a map, whose datum is known to be WGS-84."""

    def __init__(self, areas: Sequence[Any] = (), streets: Sequence[Any] = ()) -> None:
        """Index polygons and lines of shapely, in degrees, longitude first."""
        self._areas = shapely.STRtree(list(areas))
        self._streets = shapely.STRtree(list(streets))

    @classmethod
    def of_bundle(cls, bundle: Path) -> Self:
        """Of the sub-districts and streets of a map bundle.

        Raises:
            MapError: the bundle is damaged, or has no streets.
        """
        graph = StreetGraph.load(bundle)
        streets = [graph.plane.geometry_to_lon_lat(shapely.LineString(edge.xy)) for edge in graph.edges]
        return cls(areas=[area.polygon for area in read_areas(bundle)], streets=streets)

    def looks_like_gcj02(self, drawn: Any) -> bool:  # noqa: ANN401  shapely carries no types
        """Whether a polygon or a line fits the map well once converted from GCJ-02, and badly as it is.

        False also where nobody can tell: a point, a shape that follows nothing on the map, a map without either.
        """
        if drawn.geom_type in {"Polygon", "MultiPolygon"}:
            return self._converted_fits(self._overlap, drawn, _AREA_FITS, _AREA_GAINS)
        if drawn.geom_type in {"LineString", "MultiLineString"}:
            return self._converted_fits(self._on_streets, drawn, _LINE_FITS, _LINE_GAINS)
        return False

    @staticmethod
    def _converted_fits(score: Callable[[Any], float], drawn: Any, fits: float, gains: float) -> bool:  # noqa: ANN401
        after = score(shapely.transform(drawn, _to_wgs84))
        return after >= fits and after - score(drawn) >= gains

    def _overlap(self, area: Any) -> float:  # noqa: ANN401  shapely carries no types
        """Intersection by union with the area of the map that fits best, 0 to 1."""
        valid = shapely.make_valid(area)
        areas = self._areas.geometries[self._areas.query(valid)]
        if not len(areas):
            return 0.0
        common = shapely.area(shapely.intersection(areas, valid))
        return float(np.max(common / (shapely.area(areas) + shapely.area(valid) - common)))

    def _on_streets(self, line: Any) -> float:  # noqa: ANN401  shapely carries no types
        """Share of the line's length that lies on streets, 0 to 1."""
        middle = line.envelope.centroid
        plane = Plane(middle.y, middle.x)
        margin = shapely.box(*line.bounds).buffer(0.001)
        streets = self._streets.geometries[self._streets.query(margin)]
        course = plane.geometry_to_xy(line)
        if not len(streets) or not course.length:
            return 0.0
        ways = shapely.union_all(shapely.buffer(plane.geometry_to_xy(streets), STREET_M))
        return float(shapely.intersection(course, ways).length / course.length)


def _to_wgs84(lon_lat: Floats) -> Floats:
    lat, lon = gcj02_to_wgs84(lon_lat[:, 1], lon_lat[:, 0])
    return np.column_stack((lon, lat))
