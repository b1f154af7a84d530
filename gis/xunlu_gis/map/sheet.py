"""A map sheet: features by layer, before they become tiles, streets, areas and places."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import shapely

from xunlu_gis.errors import MapError

Layer = Literal["areas", "roads", "rail", "labels", "pois"]

Geometry = Any
"""A geometry of shapely, which carries no types."""

ROAD_SPEED_KMH: Final = {
    "motorway": 80,
    "elevated": 80,
    "primary": 50,
    "secondary": 50,
    "tertiary": 40,
    "residential": 30,
    "service": 15,
    "path": 5,
}
"""Kinds of road with their usual speed, most important first."""

WALKABLE: Final = frozenset(ROAD_SPEED_KMH) - {"motorway", "elevated"}
"""Kinds of road that a patrol may use: everything but expressways."""

ROAD_MINZOOM: Final = {
    "motorway": 8,
    "elevated": 8,
    "primary": 9,
    "secondary": 11,
    "tertiary": 12,
    "residential": 13,
    "service": 14,
    "path": 14,
}
"""First zoom level whose tiles carry a kind of road."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Feature:
    """One thing on the map, WGS-84, longitude first.

    Attributes:
        layer: the tile layer.
        kind: what it is, within the layer; the vocabulary stands in docs/map.md.
        geometry: of shapely.
        name: Chinese name; empty when it has none.
        name_en: as English signs write it, or empty.
        pinyin: syllables separated by spaces, or empty when nobody could spell it.
        minzoom: first zoom level whose tiles carry it.
        bridge: carried over something.
        tunnel: below the ground.
    """

    layer: Layer
    kind: str
    geometry: Geometry
    name: str = ""
    name_en: str = ""
    pinyin: str = ""
    minzoom: int = 8
    bridge: bool = False
    tunnel: bool = False

    @property
    def rank(self) -> int:
        """Order of importance, 0 first: what is drawn last and labelled first."""
        kinds = list(ROAD_SPEED_KMH)
        return kinds.index(self.kind) if self.layer == "roads" else max(0, self.minzoom - 8)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """Features of a map with its name and whom it must name.

    Attributes:
        name: shown in the console.
        attribution: whom the licence of the data demands to name.
        features: in drawing order within their layer.
        bounds: west, south, east, north of what is worth showing first.
        demo: generated, not a place on earth.
    """

    name: str
    attribution: str
    features: tuple[Feature, ...]
    bounds: tuple[float, float, float, float]
    demo: bool = False


def street_bounds(features: Sequence[Feature], source: str) -> tuple[float, float, float, float]:
    """West, south, east, north of the streets, which is where a bureau works.

    Raises:
        MapError: there are no streets.
    """
    streets = [feature.geometry for feature in features if feature.layer == "roads" and feature.kind in WALKABLE]
    if not streets:
        raise MapError(f"{source} holds no streets; a map needs lines tagged `highway`, or a file named `streets…`.")
    west, south, east, north = (round(float(edge), 7) for edge in shapely.total_bounds(streets))
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise MapError(f"{source} is not in degrees of longitude and latitude; convert it to WGS-84 (EPSG:4326).")
    return west, south, east, north
