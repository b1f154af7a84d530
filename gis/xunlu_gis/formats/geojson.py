"""GeoJSON (RFC 7946) of a track, in the shape of docs/api.md, "Track"."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from xunlu_gis.track.line import Line
from xunlu_gis.track.segment import Stretch, stretches
from xunlu_gis.track.simplification import kept


def to_geojson(line: Line, tolerance_m: float = 0) -> dict[str, Any]:
    """One LineString for each stretch, with times and speeds beside its coordinates, and one for each gap.

    Args:
        line: what was measured.
        tolerance_m: leaves out points that lie no further from the line; counts and lengths stay the measured ones.
    """
    features: list[dict[str, Any]] = []
    for stretch in stretches(line.times, line.degrees):
        if features:
            features.append(_gap(line, stretch.first))
        features.append(_segment(line, stretch, tolerance_m))
    return {"type": "FeatureCollection", "features": features}


def _segment(line: Line, stretch: Stretch, tolerance_m: float) -> dict[str, Any]:
    first, end, distance_m = stretch
    times, degrees, speeds = line.times[first:end], line.degrees[first:end], line.speeds_mps[first:end]
    if tolerance_m > 0:
        stay = kept(degrees, tolerance_m)
        times, degrees, speeds = times[stay], degrees[stay], [speeds[index] for index in stay]
    properties = {
        "kind": "segment",
        "start": _instant(line, first),
        "end": _instant(line, end - 1),
        "points": end - first,
        "distance_m": round(distance_m, 1),
        "times_ms": np.rint(times * 1000).astype(int).tolist(),
        "speeds_mps": list(speeds),
    }
    return _feature(degrees.tolist(), properties)


def _gap(line: Line, after: int) -> dict[str, Any]:
    before = after - 1
    properties = {
        "kind": "gap",
        "start": _instant(line, before),
        "end": _instant(line, after),
        "duration_s": round(float(line.times[after] - line.times[before]), 6),
    }
    return _feature(line.degrees[before : after + 1].tolist(), properties)


def _instant(line: Line, index: int) -> str:
    return datetime.fromtimestamp(line.times[index], UTC).isoformat()


def _feature(coordinates: list[list[float]], properties: dict[str, Any]) -> dict[str, Any]:
    """A line needs two positions (RFC 7946 §3.1.4): a single fix is given twice."""
    line = coordinates if len(coordinates) > 1 else coordinates * 2
    return {"type": "Feature", "properties": properties, "geometry": {"type": "LineString", "coordinates": line}}
