"""Sub-districts of a map bundle: where a squad patrols, and in whose area something happened."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely.geometry
from shapely.errors import ShapelyError

from xunlu_gis.errors import MapError


@dataclass(frozen=True, kw_only=True, slots=True)
class Area:
    """A sub-district.

    Attributes:
        name: Chinese name.
        pinyin: syllables separated by spaces, or empty.
        polygon: of shapely, WGS-84 degrees, longitude first.
    """

    name: str
    pinyin: str
    polygon: Any


def read_areas(bundle: Path) -> list[Area]:
    """Read `areas.geojson` of a bundle, in its order; empty where the map brings no sub-districts.

    Raises:
        MapError: the file is missing or damaged.
    """
    path = bundle / "areas.geojson"
    try:
        features = json.loads(path.read_bytes())["features"]
        return [
            Area(
                name=str(feature["properties"]["name"]),
                pinyin=str(feature["properties"].get("pinyin", "")),
                polygon=shapely.geometry.shape(feature["geometry"]),
            )
            for feature in features
        ]
    except (OSError, ValueError, KeyError, TypeError, ShapelyError) as error:
        raise MapError(f"{path} is no list of areas; run `xunlu-map prepare` again.") from error
