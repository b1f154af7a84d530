"""GeoJSON (RFC 7946) of a track, in the shape of docs/api.md, "Track"."""

from typing import Any

from xunlu_gis.track.segment import Gap, Segment, Track


def to_geojson(track: Track) -> dict[str, Any]:
    """One LineString for each segment, with times and speeds beside its coordinates, and one for each gap."""
    features = [_segment(segment) for segment in track.segments]
    for index, gap in reversed(list(enumerate(track.gaps, 1))):
        features.insert(index, _gap(gap))
    return {"type": "FeatureCollection", "features": features}


def _segment(segment: Segment) -> dict[str, Any]:
    points = segment.points
    properties = {
        "kind": "segment",
        "start": points[0].fix_time.isoformat(),
        "end": points[-1].fix_time.isoformat(),
        "points": segment.measured,
        "distance_m": round(segment.distance_m, 1),
        "times_ms": [round(point.fix_time.timestamp() * 1000) for point in points],
        "speeds_mps": [point.speed_mps for point in points],
    }
    return _line([(point.lon, point.lat) for point in points], properties)


def _gap(gap: Gap) -> dict[str, Any]:
    properties = {
        "kind": "gap",
        "start": gap.before.fix_time.isoformat(),
        "end": gap.after.fix_time.isoformat(),
        "duration_s": gap.duration_s,
    }
    return _line([(point.lon, point.lat) for point in (gap.before, gap.after)], properties)


def _line(coordinates: list[tuple[float, float]], properties: dict[str, Any]) -> dict[str, Any]:
    """A line needs two positions (RFC 7946 §3.1.4): a single fix is given twice."""
    line = coordinates if len(coordinates) > 1 else coordinates * 2
    return {"type": "Feature", "properties": properties, "geometry": {"type": "LineString", "coordinates": line}}
