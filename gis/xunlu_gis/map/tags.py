"""What OpenStreetMap tags mean on our map: the one table for extracts and for GeoJSON with such properties.

Tags as in the OpenStreetMap wiki, "Map features".
"""

from collections.abc import Iterator, Mapping
from typing import Final, TypedDict

from xunlu_gis.map.pinyin import spell
from xunlu_gis.map.sheet import ROAD_MINZOOM, Feature, Geometry

Tags = Mapping[str, str]


class Names(TypedDict):
    """The fields of a `Feature` that hold its names."""

    name: str
    name_en: str
    pinyin: str


KEYS: Final = (
    "highway",
    "railway",
    "natural",
    "waterway",
    "landuse",
    "leisure",
    "building",
    "boundary",
    "amenity",
    "shop",
    "tourism",
    "office",
)
"""An object with none of these keys is never drawn."""

_ROADS: Final = {
    "motorway": "motorway",
    "trunk": "motorway",
    "primary": "primary",
    "secondary": "secondary",
    "tertiary": "tertiary",
    "unclassified": "residential",
    "residential": "residential",
    "living_street": "residential",
    "road": "residential",
    "service": "service",
    "pedestrian": "path",
    "footway": "path",
    "path": "path",
    "steps": "path",
    "cycleway": "path",
    "track": "path",
}

_RAILS: Final = {"rail": "railway", "subway": "metro", "light_rail": "metro", "tram": "metro", "monorail": "metro"}

_AREAS: Final = {
    ("natural", "water"): ("water", 8),
    ("natural", "wood"): ("green", 11),
    ("waterway", "riverbank"): ("water", 8),
    ("landuse", "reservoir"): ("water", 9),
    ("landuse", "basin"): ("water", 12),
    ("landuse", "forest"): ("green", 11),
    ("landuse", "grass"): ("green", 13),
    ("landuse", "recreation_ground"): ("green", 12),
    ("leisure", "park"): ("park", 11),
    ("leisure", "garden"): ("park", 13),
}

_PLACES: Final = {
    ("amenity", "police"): ("police", 13),
    ("amenity", "hospital"): ("hospital", 13),
    ("amenity", "school"): ("school", 14),
    ("amenity", "university"): ("school", 13),
    ("amenity", "marketplace"): ("market", 14),
    ("amenity", "townhall"): ("government", 13),
    ("amenity", "bus_station"): ("bus", 14),
    ("office", "government"): ("government", 14),
    ("railway", "station"): ("station", 12),
    ("railway", "halt"): ("station", 13),
    ("highway", "bus_stop"): ("bus", 16),
    ("shop", "mall"): ("mall", 14),
    ("shop", "supermarket"): ("mall", 16),
    ("tourism", "attraction"): ("sight", 14),
    ("tourism", "museum"): ("sight", 14),
}

ZONE_LEVELS: Final = ("8", "9", "10")
"""`admin_level` of sub-districts (街道, 镇) and of what may stand in for them."""


def line_features(tags: Tags, line: Geometry) -> Iterator[Feature]:
    """What a line with these tags is: a road or a railway."""
    road = _ROADS.get(tags.get("highway", "").removesuffix("_link"))
    bridge, tunnel = (tags.get(key, "no") != "no" for key in ("bridge", "tunnel"))
    if road and tags.get("area") != "yes":
        yield Feature(
            layer="roads",
            kind=road,
            geometry=line,
            minzoom=ROAD_MINZOOM[road],
            bridge=bridge,
            tunnel=tunnel,
            **names(tags),
        )
    elif rail := _RAILS.get(tags.get("railway", "")):
        yield Feature(layer="rail", kind=rail, geometry=line, minzoom=10, bridge=bridge, tunnel=tunnel, **names(tags))


def area_features(tags: Tags, area: Geometry, zone_level: str = "8") -> Iterator[Feature]:
    """What a polygon with these tags is; what deserves one gets a label, because tiles cut polygons."""
    kind, minzoom = _area_kind(tags, zone_level)
    if kind:
        feature = Feature(layer="areas", kind=kind, geometry=area, minzoom=minzoom, **names(tags))
        yield feature
        if feature.name and kind in {"zone", "park", "water"}:
            yield Feature(
                layer="labels",
                kind=kind,
                geometry=area.representative_point(),
                minzoom=minzoom + 1,
                **names(tags),
            )
    yield from point_features(tags, area.representative_point())


def point_features(tags: Tags, point: Geometry) -> Iterator[Feature]:
    """What a named point with these tags is: a place."""
    for pair in tags.items():
        if pair in _PLACES and tags.get("name"):
            kind, minzoom = _PLACES[pair]
            yield Feature(layer="pois", kind=kind, geometry=point, minzoom=minzoom, **names(tags))
            return


def names(tags: Tags) -> Names:
    """What an object is called; pinyin is looked up when the source has none."""
    name = tags.get("name:zh") or tags.get("name") or ""
    english = tags.get("name:en") or tags.get("name_en") or ""
    return {"name": name, "name_en": english, "pinyin": tags.get("pinyin") or spell(name)}


def _area_kind(tags: Tags, zone_level: str) -> tuple[str, int]:
    if tags.get("boundary") == "administrative":
        return ("zone", 10) if tags.get("admin_level") == zone_level and tags.get("name") else ("", 0)
    if tags.get("building", "no") != "no":
        return "building", 15
    return next((_AREAS[pair] for pair in tags.items() if pair in _AREAS), ("", 0))
