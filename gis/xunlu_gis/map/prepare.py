"""From whatever map a bureau has to a bundle: choose the reader, build beside the old bundle, then take its place."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from xunlu_gis.errors import MapError
from xunlu_gis.map import bundle, extract, geojson
from xunlu_gis.map.bundle import MapDescription, PmtilesSource, RasterLayer, RasterSource
from xunlu_gis.map.district import demo_district
from xunlu_gis.map.pmtiles import read_archive
from xunlu_gis.map.raster import RasterDescription, read_raster
from xunlu_gis.map.sheet import Sheet

STAMP: Final = "stamp.json"
SOURCE: Final = "source.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Labels:
    """What a bureau writes into the corner of its map; None keeps what the source says."""

    name: str | None = None
    attribution: str | None = None
    approval_number: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A bundle that is ready, and whether the one already there was kept."""

    description: MapDescription
    reused: bool


def prepare(map_source: Path | None, folder: Path, labels: Labels | None = None) -> Prepared:
    """Make a bundle in `folder`, or keep the one there when it was made from the same source.

    Args:
        map_source: nothing for the demo district; an OpenStreetMap extract; GeoJSON, or a folder of it; a PMTiles
            archive; a description of raster tiles (`.json`).
        folder: becomes the bundle. Readers see the old one or the new one, never a half.
        labels: name, attribution and approval number of the bureau.

    Raises:
        MapError: the source cannot be used, or the folder holds something that is not a bundle.
    """
    labels = labels or Labels()
    folder = folder.absolute()
    if map_source is not None and not map_source.exists():
        raise MapError(f"There is no map at {map_source}; give an existing file, or none for the demo district.")
    _refuse_strange(folder)
    stamp = _stamp(map_source, labels)
    if _stamped(folder) == stamp:
        return Prepared(description=bundle.read_map(folder), reused=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        new = Path(scratch) / "bundle"
        new.mkdir(mode=0o755)
        description = _build(map_source, new, labels)
        (new / STAMP).write_text(json.dumps(stamp), "utf-8")
        if folder.exists():
            folder.rename(Path(scratch) / "replaced")
        new.rename(folder)
    return Prepared(description=description, reused=False)


def _stamped(folder: Path) -> object:
    """What the bundle there was made from; nothing where there is none, or a power cut spoilt it."""
    try:
        return json.loads((folder / STAMP).read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def _refuse_strange(folder: Path) -> None:
    """Never replace a folder that somebody fills with something else."""
    if folder.exists() and not (folder / STAMP).exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise MapError(f"{folder} exists and is no map bundle; choose another folder, or empty it.")


def _build(source: Path | None, folder: Path, labels: Labels) -> MapDescription:
    """Fill an empty folder."""
    if source is not None and source.suffix == ".json":
        description = _from_raster(read_raster(source), folder)
    elif source is not None and source.suffix == ".pmtiles":
        description = _from_archive(source, folder)
    else:
        description = _from_sheet(demo_district() if source is None else read_sheet(source), folder)
    given = {
        key: value for key in ("name", "attribution", "approval_number") if (value := getattr(labels, key)) is not None
    }
    description = description.model_copy(update=given)
    bundle.write_map(folder, description)
    return description


def read_sheet(source: Path) -> Sheet:
    """Read a vector map.

    Raises:
        MapError: nothing here reads this kind of file.
    """
    if source.is_dir() or source.name.endswith(geojson.SUFFIXES):
        return geojson.read_geojson(source)
    if source.name.endswith(extract.SUFFIXES):
        return extract.read_extract(source)
    raise MapError(
        f"{source.name} is no map that can be read: give .osm.pbf, .osm, .geojson, a folder of .geojson, "
        ".pmtiles, or a .json that describes raster tiles."
    )


def _from_sheet(sheet: Sheet, folder: Path) -> MapDescription:
    bundle.write_lists(folder, sheet.features)
    bundle.write_tiles(folder, sheet)
    archive = read_archive(folder / bundle.BASEMAP)
    return MapDescription(
        name=sheet.name,
        attribution=sheet.attribution,
        bounds=sheet.bounds,
        center=bundle.middle(sheet.bounds),
        minzoom=archive.minzoom,
        maxzoom=archive.maxzoom,
        source=PmtilesSource(layers=archive.layers),
        demo=sheet.demo,
    )


def _from_archive(source: Path, folder: Path) -> MapDescription:
    """Tiles as they are. There is no way back from tiles to streets, so the lists stay empty."""
    archive = read_archive(source)
    shutil.copyfile(source, folder / bundle.BASEMAP)
    bundle.write_lists(folder, ())
    return MapDescription(
        name=archive.name,
        attribution=archive.attribution,
        bounds=archive.bounds,
        center=bundle.middle(archive.bounds),
        minzoom=archive.minzoom,
        maxzoom=archive.maxzoom,
        source=PmtilesSource(layers=archive.layers),
    )


def _from_raster(raster: RasterDescription, folder: Path) -> MapDescription:
    """Addresses and key stay in `source.json`, for the server; streets come from the vector map beside it, if any."""
    sheet = None if raster.vector is None else read_sheet(raster.vector)
    bundle.write_lists(folder, sheet.features if sheet else ())
    (folder / SOURCE).write_text(raster.model_dump_json(indent=2), "utf-8")
    bounds = raster.bounds if raster.bounds or sheet is None else sheet.bounds
    assert bounds is not None, "a description without bounds has a vector map"
    layers = tuple(RasterLayer(id=layer.id, path=f"raster/{layer.id}/{{z}}/{{x}}/{{y}}") for layer in raster.layers)
    return MapDescription(
        name=raster.name,
        attribution=raster.attribution,
        approval_number=raster.approval_number,
        datum="GCJ-02" if raster.datum == "gcj02" else "WGS-84",
        bounds=bounds,
        center=bundle.middle(bounds),
        minzoom=raster.minzoom,
        maxzoom=raster.maxzoom,
        source=RasterSource(layers=layers, tile_size=raster.tile_size),
    )


def _stamp(source: Path | None, labels: Labels) -> dict[str, str | None]:
    """What the bundle depends on: this code, the source's bytes, the labels."""
    code = sorted(Path(__file__).parent.glob("*.py"))
    files = [] if source is None else _files(source)
    return {
        "builder": _digest(code),
        "source": _digest(files),
        "name": labels.name,
        "attribution": labels.attribution,
        "approval_number": labels.approval_number,
    }


def _files(source: Path) -> list[Path]:
    if source.suffix != ".json":
        return geojson.files_of(source)
    vector = read_raster(source).vector
    return [source, *(geojson.files_of(vector) if vector else ())]


def _digest(files: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            total.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()
