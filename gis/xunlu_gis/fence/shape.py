"""Where a zone is: a polygon, a circle, or a corridor along a line; GeoJSON (RFC 7946) in and out."""

from dataclasses import dataclass
from typing import Any, Final, Self

import shapely
import shapely.geometry
from pyproj import Geod

from xunlu_gis.plane import Plane

_GEOD: Final = Geod(ellps="WGS84")

_QUARTER_POINTS: Final = 32
"""Points of a quarter of a circle: the polygon lies within 0.03 % of the radius of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """What was drawn, and the area that it means.

    Attributes:
        drawn: polygon (or several), point, or line of shapely; WGS-84 degrees, longitude first.
        area: valid polygon, or several; the same degrees.
        radius_m: of a circle, around the point.
        width_m: of a corridor, from side to side, half of it on each.
    """

    drawn: Any
    area: Any
    radius_m: float | None = None
    width_m: float | None = None

    @classmethod
    def polygon(cls, drawn: Any) -> Self:  # noqa: ANN401  shapely carries no types
        """A polygon or several; a self-crossing one keeps what its line encloses."""
        return cls(drawn=drawn, area=_polygons(drawn))

    @classmethod
    def circle(cls, lon: float, lat: float, radius_m: float) -> Self:
        """All places within `radius_m` of a point."""
        drawn = shapely.Point(lon, lat)
        return cls(drawn=drawn, area=_grown(drawn, radius_m), radius_m=radius_m)

    @classmethod
    def corridor(cls, drawn: Any, width_m: float) -> Self:  # noqa: ANN401  a line of shapely
        """All places within half of `width_m` of a line, its ends rounded."""
        return cls(drawn=drawn, area=_grown(drawn, width_m / 2), width_m=width_m)

    @property
    def area_m2(self) -> float:
        """On the ellipsoid."""
        return area_m2(self.area)

    def as_geojson(self) -> dict[str, Any]:
        """The drawing as a Feature, with `radius_m` or `width_m` where it has one."""
        sizes = {"radius_m": self.radius_m, "width_m": self.width_m}
        return {
            "type": "Feature",
            "properties": {name: size for name, size in sizes.items() if size is not None},
            "geometry": shapely.geometry.mapping(self.drawn),
        }


def area_m2(area: Any) -> float:  # noqa: ANN401  shapely carries no types
    """Area of a polygon, or several, in degrees; on the ellipsoid, holes taken off."""
    parts = shapely.get_parts(area)
    return float(sum(abs(_GEOD.geometry_area_perimeter(shapely.orient_polygons(part))[0]) for part in parts))


def _grown(drawn: Any, distance_m: float) -> Any:  # noqa: ANN401  shapely carries no types
    """Grown on a plane of its own, so that a circle is round wherever it lies."""
    middle = drawn.envelope.centroid
    plane = Plane(middle.y, middle.x)
    grown = shapely.buffer(plane.geometry_to_xy(drawn), distance_m, quad_segs=_QUARTER_POINTS)
    return _polygons(plane.geometry_to_lon_lat(grown))


def _polygons(geometry: Any) -> Any:  # noqa: ANN401  shapely carries no types
    """The valid polygons that a geometry encloses; lines and points that repair leaves over have no area."""
    valid = geometry if geometry.is_valid else shapely.make_valid(geometry, method="linework")
    parts = [part for part in shapely.get_parts(valid) if part.geom_type in {"Polygon", "MultiPolygon"}]
    return shapely.union_all(parts)
