"""A shape as somebody drew or imported it: read, repaired, and doubted before it is saved."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import shapely
import shapely.geometry
from shapely.errors import ShapelyError

from xunlu_gis.errors import ZoneError
from xunlu_gis.fence.reference import Reference
from xunlu_gis.fence.shape import Shape

VERTICES_MAX: Final = 10_000
AREA_M2_MAX: Final = 2e10
"""Three times Shanghai."""
TINY_M2: Final = 700.0
"""A circle of 15 m: no larger than the error of a fix between houses."""
RADIUS_M: Final = (5.0, 50_000.0)
WIDTH_M: Final = (5.0, 5_000.0)

CHINA: Final = (72.004, 0.8293, 137.8347, 55.8271)
"""West, south, east, north of the box in which GCJ-02 shifts. A shape must lie within: across the border of the box one
part of it would be shifted on a map of that datum, and the other not."""

DoubtCode = Literal["repaired", "holes", "tiny", "gcj02"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """What somebody should look at before the shape is saved.

    Attributes:
        code: what it is about; a console has its own words for each.
        text: the same in words.
    """

    code: DoubtCode
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawing:
    """A shape that can be used.

    Attributes:
        shape: repaired where the drawing crossed itself: show it before it is saved.
        doubts: empty when all is well.
    """

    shape: Shape
    doubts: tuple[Doubt, ...]

    def as_geojson(self) -> dict[str, Any]:
        """The shape as a Feature, with what it means: `area`, `area_m2`, and the doubts."""
        feature = self.shape.as_geojson()
        feature["properties"] |= {
            "area": shapely.geometry.mapping(self.shape.area),
            "area_m2": round(self.shape.area_m2, 1),
            "doubts": [{"code": doubt.code, "text": doubt.text} for doubt in self.doubts],
        }
        return feature


def read_drawing(feature: Mapping[str, Any], reference: Reference | None = None) -> Drawing:
    """Read a GeoJSON Feature: a polygon, a point with `radius_m`, or a line with `width_m`; WGS-84.

    Args:
        feature: as parsed; other properties are left alone.
        reference: what the map holds, to tell GCJ-02 by; without it nobody can.

    Raises:
        ZoneError: it cannot be a zone; the message says why, and what to do.
    """
    drawn = _geometry(feature)
    shape = _shape(drawn, feature.get("properties") or {})
    _bounded(shape)
    if drawn.geom_type in {"Polygon", "MultiPolygon"} and not drawn.is_valid:
        shape = Shape.polygon(shape.area)
    return Drawing(shape=shape, doubts=tuple(_doubts(drawn, shape, reference)))


def _geometry(feature: Mapping[str, Any]) -> Any:  # noqa: ANN401  shapely carries no types
    try:
        with np.errstate(invalid="ignore"):
            drawn = shapely.force_2d(shapely.geometry.shape(feature["geometry"]))
        coordinates = shapely.get_coordinates(drawn)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError, IndexError, ShapelyError) as error:
        raise ZoneError("This is no GeoJSON Feature with a geometry; see RFC 7946.", "no-feature") from error
    if not len(coordinates):
        raise ZoneError("The drawing is empty; draw at least one point.", "empty")
    if len(coordinates) > VERTICES_MAX:
        message = f"The drawing has {len(coordinates)} points; simplify it to at most {VERTICES_MAX}."
        raise ZoneError(message, "points", points=len(coordinates), most=VERTICES_MAX)
    west, south, east, north = CHINA
    lon, lat = coordinates.T
    if not np.all((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)):
        raise ZoneError(
            f"The drawing leaves longitude {west}–{east}, latitude {south}–{north}; "
            "longitude comes first, in degrees, WGS-84.",
            "outside",
        )
    return drawn


def _shape(drawn: Any, properties: Mapping[str, Any]) -> Shape:  # noqa: ANN401  shapely carries no types
    match drawn.geom_type:
        case "Polygon" | "MultiPolygon":
            return Shape.polygon(drawn)
        case "Point":
            return Shape.circle(drawn.x, drawn.y, _metres(properties, "radius", RADIUS_M))
        case "LineString" | "MultiLineString":
            return Shape.corridor(drawn, _metres(properties, "width", WIDTH_M))
        case kind:
            message = f"A zone is a polygon, a point with radius_m or a line with width_m, not a {kind}."
            raise ZoneError(message, "geometry", kind=kind)


def _metres(properties: Mapping[str, Any], size: Literal["radius", "width"], bounds: tuple[float, float]) -> float:
    least, most = bounds
    value = properties.get(f"{size}_m") if isinstance(properties, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        message = f"Give {size}_m, a number of metres from {least:g} to {most:g}."
        raise ZoneError(message, size, least=least, most=most)
    return float(value)


def _bounded(shape: Shape) -> None:
    size_m2 = shape.area_m2
    if size_m2 < 1:
        raise ZoneError("The drawing encloses nothing; its corners lie on one line.", "flat")
    if size_m2 > AREA_M2_MAX:
        message = f"The drawing covers {size_m2 / 1e6:.0f} km²; a zone may have {AREA_M2_MAX / 1e6:.0f}."
        raise ZoneError(message, "large", km2=round(size_m2 / 1e6), most=round(AREA_M2_MAX / 1e6))


def _doubts(drawn: Any, shape: Shape, reference: Reference | None) -> Iterator[Doubt]:  # noqa: ANN401
    parts = shapely.get_parts(shape.area)
    if drawn.geom_type in {"Polygon", "MultiPolygon"} and not drawn.is_valid:
        yield Doubt(code="repaired", text=f"The outline crosses itself; {len(parts)} part(s) were made of it.")
    holes = int(sum(shapely.get_num_interior_rings(parts)))
    if holes and shape.width_m is None:
        yield Doubt(code="holes", text=f"{holes} hole(s): whoever is in one is outside of the zone.")
    if shape.area_m2 < TINY_M2:
        yield Doubt(code="tiny", text=f"{shape.area_m2:.0f} m² is less than the error of a fix: visits will be missed.")
    if reference is not None and reference.looks_like_gcj02(drawn):
        yield Doubt(code="gcj02", text="Looks like GCJ-02, 300–700 m off: converted, it fits the map. Import it so.")
