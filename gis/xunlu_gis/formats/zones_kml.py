"""KML 2.2 of zones: polygons, lines, and points with a radius; other properties as ExtendedData."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final
from xml.etree.ElementTree import Element

from xunlu_gis.formats.geojson import plain_json
from xunlu_gis.formats.kml import FOOT, HEAD
from xunlu_gis.formats.xml import elements, xml_attribute, xml_text

Feature = dict[str, Any]


def zones_to_kml(features: Iterable[Mapping[str, Any]]) -> str:
    """A placemark for each zone."""
    return f"{HEAD}{''.join(map(_placemark, features))}{FOOT}"


def _placemark(feature: Mapping[str, Any]) -> str:
    properties = dict(feature["properties"])
    name = xml_text(str(properties.pop("name", "")))
    data = "".join(
        f"<Data name={xml_attribute(key)}><value>{xml_text(_written(value))}</value></Data>"
        for key, value in properties.items()
    )
    geometry = _WRITERS[feature["geometry"]["type"]](feature["geometry"]["coordinates"])
    return f"<Placemark><name>{name}</name><ExtendedData>{data}</ExtendedData>{geometry}</Placemark>"


def _written(value: object) -> str:
    """JSON, but words as they are, unless those would be read as JSON."""
    return value if isinstance(value, str) and _read(value) == value else json.dumps(value, ensure_ascii=False)


def _read(text: str) -> Any:  # noqa: ANN401  JSON
    with suppress(ValueError, RecursionError):
        return plain_json(text)
    return text


def _coordinates(line: Iterable[Iterable[float]]) -> str:
    return f"<coordinates>{' '.join(','.join(map(str, position)) for position in line)}</coordinates>"


def _line_string(line: Iterable[Iterable[float]]) -> str:
    return f"<LineString>{_coordinates(line)}</LineString>"


def _polygon(rings: list[list[list[float]]]) -> str:
    parts = [
        f"<{edge}><LinearRing>{_coordinates(ring)}</LinearRing></{edge}>"
        for ring, edge in zip(rings, ["outerBoundaryIs", *["innerBoundaryIs"] * len(rings)], strict=False)
    ]
    return f"<Polygon>{''.join(parts)}</Polygon>"


_WRITERS: Final[Mapping[str, Callable[[Any], str]]] = {
    "Point": lambda position: f"<Point>{_coordinates([position])}</Point>",
    "LineString": _line_string,
    "MultiLineString": lambda lines: f"<MultiGeometry>{''.join(map(_line_string, lines))}</MultiGeometry>",
    "Polygon": _polygon,
    "MultiPolygon": lambda parts: f"<MultiGeometry>{''.join(map(_polygon, parts))}</MultiGeometry>",
}


def read_kml_zones(text: str) -> Iterator[Feature]:
    """The shapes of all placemarks; the polygons of one placemark are one zone.

    Raises:
        TrackError: no XML that can be trusted.
    """
    for _, placemark in elements(text, frozenset({"Placemark"})):
        properties = {
            data.get("name", ""): _read(value.text or "")
            for data in placemark.iter("Data")
            if (value := data.find("value")) is not None
        }
        properties |= {data.get("name", ""): _read(data.text or "") for data in placemark.iter("SimpleData")}
        properties["name"] = placemark.findtext("name") or ""
        for geometry in _geometries(placemark):
            yield {"type": "Feature", "properties": dict(properties), "geometry": geometry}


def _geometries(placemark: Element) -> Iterator[dict[str, Any]]:
    polygons = [_rings(polygon) for polygon in placemark.iter("Polygon")]
    if len(polygons) == 1 and placemark.find("MultiGeometry") is None:
        yield {"type": "Polygon", "coordinates": polygons[0]}
    elif polygons:
        yield {"type": "MultiPolygon", "coordinates": polygons}
    for line in placemark.iter("LineString"):
        yield {"type": "LineString", "coordinates": _line(line)}
    for point in placemark.iter("Point"):
        yield {"type": "Point", "coordinates": next(iter(_line(point)), [])}


def _rings(polygon: Element) -> list[list[list[float]]]:
    """The outer ring first, wherever it stands."""
    return [
        _line(ring)
        for edge in ("outerBoundaryIs", "innerBoundaryIs")
        for ring in polygon.iterfind(f"{edge}/LinearRing")
    ]


def _line(element: Element) -> list[list[float]]:
    """Positions; what is no number becomes NaN, which is no place."""
    return [[_number(part) for part in words.split(",")] for words in (element.findtext("coordinates") or "").split()]


def _number(text: str) -> float:
    with suppress(ValueError):
        return float(text)
    return float("nan")
