"""What the map bundle says of zones: which datum a drawing fits, and the streets within. Cached until the map changes.

Everything here reads files and computes for seconds on a large map: call it off the loop.
"""

import json
import threading
from functools import lru_cache
from pathlib import Path

from xunlu_gis.coverage import Ground
from xunlu_gis.errors import MapError
from xunlu_gis.fence import Reference, read_drawing
from xunlu_gis.map.bundle import AREAS, STREETS
from xunlu_gis.streets import StreetGraph

GROUNDS_MAX = 16

Stamp = tuple[int, ...]

_making = threading.Lock()


def reference_of(bundle: Path | None) -> Reference | None:
    """What tells GCJ-02 by; None where no map is set, or the map has no streets: then nobody can tell."""
    if bundle is None:
        return None
    try:
        with _making:
            return _reference(bundle, _stamp(bundle))
    except MapError:
        return None


def ground_of(bundle: Path, shape: dict[str, object]) -> Ground:
    """A zone with the streets of the map.

    Args:
        bundle: of the map.
        shape: GeoJSON feature of a version, as it is stored.

    Raises:
        MapError: the map has no streets.
    """
    with _making:
        return _ground(bundle, _stamp(bundle), json.dumps(shape, sort_keys=True))


def _stamp(bundle: Path) -> Stamp:
    """When the files changed, so that a new map is seen without a restart."""
    files = [bundle / AREAS, bundle / STREETS]
    return tuple(path.stat().st_mtime_ns if path.is_file() else 0 for path in files)


@lru_cache(maxsize=1)
def _streets(bundle: Path, _changed: Stamp) -> StreetGraph:
    return StreetGraph.load(bundle)


@lru_cache(maxsize=1)
def _reference(bundle: Path, _changed: Stamp) -> Reference:
    return Reference.of_bundle(bundle)


@lru_cache(maxsize=GROUNDS_MAX)
def _ground(bundle: Path, changed: Stamp, shape: str) -> Ground:
    return Ground(read_drawing(json.loads(shape)).shape.area, _streets(bundle, changed))
