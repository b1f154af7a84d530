"""GPX 1.1 of patrol lines: a route each. GPX has no areas: they stay out. Tracks of strangers come in as lines too."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final
from xml.etree.ElementTree import Element

from xunlu_gis.formats.gpx import NAMESPACE
from xunlu_gis.formats.xml import elements, xml_text

Feature = dict[str, Any]

_HEAD: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<gpx version="1.1" creator="Xunlu" '
    f'xmlns="http://www.topografix.com/GPX/1/1" xmlns:xunlu="{NAMESPACE}">'
)

_WANTED: Final = frozenset({"rtept", "trkpt", "rte", "trkseg", "trk", "rte/name", "trk/name", "zone"})


def zones_to_gpx(features: Iterable[Mapping[str, Any]]) -> str:
    """A route for each line; a corridor of several lines comes back as several."""
    routes = (_route(feature["properties"], line) for feature in features for line in _lines(feature))
    return f"{_HEAD}{''.join(routes)}</gpx>"


def _lines(feature: Mapping[str, Any]) -> list[Any]:
    geometry = feature["geometry"]
    match geometry["type"]:
        case "LineString":
            return [geometry["coordinates"]]
        case "MultiLineString":
            return list(geometry["coordinates"])
        case _:
            return []


def _route(known: Mapping[str, Any], line: Iterable[Iterable[float]]) -> str:
    properties = dict(known)
    name = xml_text(str(properties.pop("name", "")))
    points = "".join(f'<rtept lat="{lat}" lon="{lon}"/>' for lon, lat, *_ in line)
    zone = xml_text(json.dumps(properties, ensure_ascii=False))
    return f"<rte><name>{name}</name><extensions><xunlu:zone>{zone}</xunlu:zone></extensions>{points}</rte>"


def read_gpx_zones(text: str) -> Iterator[Feature]:
    """A line for each route and for each unbroken piece of a track; a width only where we wrote one.

    Raises:
        TrackError: no XML that can be trusted.
    """
    name, properties, line = "", dict[str, Any](), list[list[float]]()
    for kind, element in elements(text, _WANTED):
        match kind:
            case "rtept" | "trkpt":
                line.append([_degrees(element, "lon"), _degrees(element, "lat")])
            case "zone":
                properties = _properties(element.text or "")
            case "rte" | "trkseg":
                if line:
                    geometry = {"type": "LineString", "coordinates": line}
                    yield {"type": "Feature", "properties": {**properties, "name": name}, "geometry": geometry}
                line = []
            case "rte/name" | "trk/name":
                name = element.text or ""
        if kind in {"rte", "trk"}:
            name, properties = "", {}


def _degrees(element: Element, name: str) -> float:
    with suppress(ValueError):
        return float(element.get(name, ""))
    return float("nan")


def _properties(text: str) -> dict[str, Any]:
    with suppress(ValueError, RecursionError):
        found = json.loads(text)
        return found if isinstance(found, dict) else {}
    return {}
