"""OpenStreetMap extracts (`.osm.pbf`, `.osm`, also compressed) become a map sheet, offline."""

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import shapely

from xunlu_gis.errors import MapError
from xunlu_gis.map.sheet import Feature, Sheet, street_bounds
from xunlu_gis.map.tags import KEYS, ZONE_LEVELS, area_features, line_features, point_features

SUFFIXES: Final = (".osm.pbf", ".osm", ".osm.gz", ".osm.bz2")

ATTRIBUTION: Final = "© OpenStreetMap contributors"
"""Demanded by the licence of the data (ODbL 1.0, section 4.3)."""


def read_extract(path: Path) -> Sheet:
    """Read roads, railways, water, green, buildings, sub-districts and named places.

    Holds the features in memory: about 1 kB for each of them.

    Raises:
        MapError: the file is not an extract, or holds no streets.
    """
    if find_spec("osmium") is None:
        raise MapError("Reading OpenStreetMap extracts needs osmium: install `xunlu[map]`.")
    try:
        level = _zone_level(path)
        features = tuple(_features(path, level))
    except RuntimeError as error:
        raise MapError(f"{path.name} cannot be read as an OpenStreetMap extract: {error}") from error
    name = path.name.split(".")[0]
    return Sheet(name=name, attribution=ATTRIBUTION, features=features, bounds=street_bounds(features, path.name))


def _objects(path: Path, *keys: str) -> Iterator[Any]:
    """Nodes, ways and areas that carry one of the keys."""
    osmium = import_module("osmium")
    yield from osmium.FileProcessor(str(path)).with_areas().with_filter(osmium.filter.KeyFilter(*keys))


def _zone_level(path: Path) -> str:
    """The `admin_level` of sub-districts here: 8, or the next finer one that the extract has."""
    levels = {area.tags.get("admin_level") for area in _objects(path, "boundary") if area.is_area()}
    return next((level for level in ZONE_LEVELS if level in levels), ZONE_LEVELS[0])


def _features(path: Path, zone_level: str) -> Iterator[Feature]:
    factory = import_module("osmium").geom.WKBFactory()
    for item in _objects(path, *KEYS):
        tags = dict(item.tags)
        if item.is_node():
            yield from point_features(tags, shapely.Point(item.lon, item.lat))
        elif item.is_way() and _is_line(item):
            yield from line_features(tags, shapely.from_wkb(factory.create_linestring(item)))
        elif item.is_area():
            yield from area_features(tags, shapely.from_wkb(factory.create_multipolygon(item)), zone_level)


def _is_line(way: Any) -> bool:  # noqa: ANN401  osmium carries no types
    """At least two different places; an extract's edge cuts nodes off."""
    places = {(node.lon, node.lat) for node in way.nodes if node.location.valid()}
    return len(places) > 1 and all(node.location.valid() for node in way.nodes)
