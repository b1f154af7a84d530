"""GeoJSON (RFC 7946), one file or a folder of them, becomes a map sheet.

Features may carry OpenStreetMap tags as properties (`highway`, `natural` …). Where they do not, the name of the file
tells what they are: `streets_center.geojson` holds streets, `subdistricts.geojson` sub-districts.
"""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import shapely
import shapely.geometry
from shapely.errors import ShapelyError

from xunlu_gis.errors import MapError
from xunlu_gis.map.sheet import Feature, Sheet, street_bounds
from xunlu_gis.map.tags import KEYS, Tags, area_features, line_features, point_features

SUFFIXES: Final = (".geojson", ".geojson.gz")

_BY_FILE_NAME: Final[tuple[tuple[str, Tags], ...]] = (
    ("subdistrict", {"boundary": "administrative", "admin_level": "8"}),
    ("zone", {"boundary": "administrative", "admin_level": "8"}),
    ("district", {"boundary": "administrative", "admin_level": "6"}),
    ("elevated", {"highway": "motorway", "bridge": "yes"}),
    ("metro", {"railway": "subway"}),
    ("rail", {"railway": "rail"}),
    ("street", {"highway": "residential"}),
    ("road", {"highway": "residential"}),
    ("water", {"natural": "water"}),
    ("park", {"leisure": "park"}),
    ("building", {"building": "yes"}),
)
"""What the features of a file are, by a part of its name; the first that fits."""

_BY_KIND: Final[dict[str, Tags]] = {
    "metro_station": {"railway": "station"},
    "station": {"railway": "station"},
    "bus_stop": {"highway": "bus_stop"},
    "police": {"amenity": "police"},
    "hospital": {"amenity": "hospital"},
    "school": {"amenity": "school"},
    "market": {"amenity": "marketplace"},
    "government": {"amenity": "townhall"},
}
"""Points that say what they are in a property `kind`."""


def files_of(path: Path) -> list[Path]:
    """The GeoJSON files that a source means."""
    return [path] if path.is_file() else sorted(file for file in path.iterdir() if file.name.endswith(SUFFIXES))


def read_geojson(path: Path) -> Sheet:
    """Read a file, or all `.geojson` and `.geojson.gz` files of a folder.

    Raises:
        MapError: a file is not GeoJSON, or nothing in it is a street.
    """
    features: list[Feature] = []
    attributions: dict[str, None] = {}
    for file in files_of(path):
        collection = _load(file)
        if attribution := collection.get("attribution"):
            attributions[str(attribution)] = None
        features.extend(_features(file, collection))
    bounds = street_bounds(features, path.name)
    name = path.name.split(".")[0]
    return Sheet(name=name, attribution=" · ".join(attributions), features=tuple(features), bounds=bounds)


def _load(file: Path) -> dict[str, Any]:
    data = file.read_bytes()
    try:
        collection = json.loads(gzip.decompress(data) if file.suffix == ".gz" else data)
    except (ValueError, gzip.BadGzipFile) as error:
        raise MapError(f"{file.name} is not GeoJSON: {error}") from error
    if not isinstance(collection, dict) or not isinstance(collection.get("features"), list):
        raise MapError(f"{file.name} is not a GeoJSON FeatureCollection; export it as one (RFC 7946 §3.3).")
    return collection


def _features(file: Path, collection: dict[str, Any]) -> Iterator[Feature]:
    assumed = next((tags for part, tags in _BY_FILE_NAME if part in file.name.lower()), {})
    for number, item in enumerate(collection["features"]):
        try:
            properties = item.get("properties") or {}
            geometry = shapely.geometry.shape(item["geometry"])
            tags = {key: str(value) for key, value in properties.items() if isinstance(value, str | int | float)}
        except (AttributeError, KeyError, TypeError, ValueError, ShapelyError) as error:
            raise MapError(f"{file.name}: feature {number} is not GeoJSON: {error}") from error
        if not any(key in tags for key in KEYS):
            tags = {**tags, **assumed, **_BY_KIND.get(tags.get("kind", ""), {})}
        yield from _classified(tags, geometry)


def _classified(tags: Tags, geometry: Any) -> Iterator[Feature]:  # noqa: ANN401  of shapely
    if "Polygon" in geometry.geom_type:
        yield from area_features(tags, geometry if geometry.is_valid else shapely.make_valid(geometry))
    for part in shapely.get_parts(geometry):
        if part.geom_type == "LineString":
            yield from line_features(tags, part)
        elif part.geom_type == "Point":
            yield from point_features(tags, part)
