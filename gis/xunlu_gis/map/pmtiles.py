"""The header of a PMTiles archive (PMTiles 3, "Header"): enough to describe a file that somebody brings."""

import gzip
import json
import struct
from dataclasses import dataclass
from pathlib import Path

from xunlu_gis.errors import MapError

_HEADER = struct.Struct("<7sB11QBBBBBBiiii")
_MVT = 1
_UNCOMPRESSED, _GZIP = 1, 2
METADATA_BYTES_MAX = 10_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Archive:
    """What an archive says about itself: zoom levels, box in degrees, names of its layers."""

    minzoom: int
    maxzoom: int
    bounds: tuple[float, float, float, float]
    name: str
    attribution: str
    layers: tuple[str, ...]


def read_archive(path: Path) -> Archive:
    """Read the header and the metadata.

    Raises:
        MapError: not PMTiles 3, not vector tiles, or cut short.
    """
    with path.open("rb") as file:
        head = file.read(_HEADER.size)
        if len(head) < _HEADER.size or not head.startswith(b"PMTiles"):
            raise MapError(f"{path.name} is not a PMTiles archive; download or build it again.")
        _, version, *numbers, _clustered, internal, _tile, kind, low, high, w, s, e, n = _HEADER.unpack(head)
        if version != 3 or kind != _MVT:
            raise MapError(f"{path.name} must be PMTiles version 3 with vector tiles (MVT); convert it.")
        file.seek(numbers[2])
        metadata = _metadata(file.read(min(numbers[3], METADATA_BYTES_MAX)), internal, path)
    return Archive(
        minzoom=low,
        maxzoom=high,
        bounds=(w / 1e7, s / 1e7, e / 1e7, n / 1e7),
        name=str(metadata.get("name") or path.stem),
        attribution=str(metadata.get("attribution") or ""),
        layers=tuple(str(layer["id"]) for layer in metadata.get("vector_layers", ())),
    )


def _metadata(data: bytes, compression: int, path: Path) -> dict[str, list[dict[str, object]]]:
    try:
        if compression not in {_UNCOMPRESSED, _GZIP}:
            return {}
        value = json.loads(gzip.decompress(data) if compression == _GZIP else data)
    except (ValueError, OSError, EOFError) as error:
        raise MapError(f"{path.name} is damaged: its metadata cannot be read; copy it again.") from error
    return value if isinstance(value, dict) else {}
