"""GeoJSON (RFC 7946) of a track: in the shape of docs/api.md, "Track", for maps, and with every field for exchange."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from math import isfinite, isnan
from typing import Any, Final

import numpy as np

from xunlu_gis.errors import TrackError
from xunlu_gis.formats.rows import EXTRAS, Row, instant, row_of, text_of
from xunlu_gis.track.piece import Piece, breaks, pieces
from xunlu_gis.track.point import TrackPoint
from xunlu_gis.track.simplification import kept
from xunlu_gis.track.track import Track


def to_geojson(track: Track, tolerance_m: float = 0) -> dict[str, Any]:
    """One LineString for each piece, with times and speeds beside its coordinates, and one for each gap.

    Args:
        track: what was measured, in order of fix time.
        tolerance_m: leaves out points that lie no further from the line; counts and lengths stay the measured ones.
    """
    silent = {one.before + 1 for one in breaks(track) if one.kind == "gap"}
    features: list[dict[str, Any]] = []
    for piece in pieces(track):
        if piece.first in silent:
            features.append(_gap(track, piece.first))
        features.append(_segment(track, piece, tolerance_m))
    return {"type": "FeatureCollection", "features": features}


def _segment(track: Track, piece: Piece, tolerance_m: float) -> dict[str, Any]:
    first, end, length_m = piece
    shown = track[first:end]
    if tolerance_m > 0:
        shown = shown[np.array(kept(shown.degrees, tolerance_m))]
    properties = {
        "kind": "segment",
        "start": _instant(track, first),
        "end": _instant(track, end - 1),
        "points": end - first,
        "distance_m": round(length_m, 1),
        "times_ms": shown.time_ms.tolist(),
        "speeds_mps": [None if isnan(speed) else speed for speed in shown.speed_mps.tolist()],
    }
    return _feature(shown.degrees.tolist(), properties)


def _gap(track: Track, after: int) -> dict[str, Any]:
    before = after - 1
    properties = {
        "kind": "gap",
        "start": _instant(track, before),
        "end": _instant(track, after),
        "duration_s": int(track.time_ms[after] - track.time_ms[before]) / 1000,
    }
    return _feature(track[before : after + 1].degrees.tolist(), properties)


def _instant(track: Track, index: int) -> str:
    return datetime.fromtimestamp(int(track.time_ms[index]) / 1000, UTC).isoformat()


def _feature(coordinates: list[list[float]], properties: dict[str, Any]) -> dict[str, Any]:
    """A line needs two positions (RFC 7946 §3.1.4): a single fix is given twice."""
    line = coordinates if len(coordinates) > 1 else coordinates * 2
    return {"type": "Feature", "properties": properties, "geometry": {"type": "LineString", "coordinates": line}}


def write_geojson(device: str, pieces: Iterable[Sequence[TrackPoint]]) -> Iterator[str]:
    """A collection with one LineString for each unbroken piece and all fields of its points in columns beside it."""
    yield '{"type":"FeatureCollection","features":['
    for number, piece in enumerate(pieces):
        yield "," if number else ""
        yield f'{{"type":"Feature","properties":{{"kind":"segment","device":{json.dumps(device)}'
        for name in ("fix_time", *EXTRAS):
            yield f',"{name}":['
            yield from _commas(_value(getattr(point, name)) for point in piece)
            yield "]"
        yield '},"geometry":{"type":"LineString","coordinates":['
        yield from _commas(f"[{point.lon},{point.lat}]" for point in (piece if len(piece) > 1 else [*piece, *piece]))
        yield "]}}"
    yield "]}"


def _commas(texts: Iterable[str]) -> Iterator[str]:
    for index, text in enumerate(texts):
        yield f",{text}" if index else text


def _value(value: object) -> str:
    match value:
        case None:
            return "null"
        case datetime():
            return f'"{value.isoformat()}"'
        case _:
            return text_of(value)


_TIMES: Final = ("fix_time", "times_ms", "times", "coordTimes")
"""Our two forms, and what other converters write beside the coordinates."""


def read_geojson(text: str) -> Iterator[Row]:
    """Positions of all lines, and of points with a time; gaps of ours are no positions.

    Raises:
        TrackError: no GeoJSON.
    """
    try:
        document = json.loads(text)
        features = features_of(document)
        datum = datum_of(document)
        for piece, feature in enumerate(features):
            properties = feature.get("properties") or {}
            if properties.get("kind") != "gap":
                about = {"piece": piece, "name": str(properties.get("device") or properties.get("name") or "")}
                yield from ({**row, **about, "datum": datum} for row in _positions(feature.get("geometry"), properties))
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as error:
        raise TrackError(f"it is no GeoJSON of a track: {error}.") from error


def plain_json(text: str) -> Any:  # noqa: ANN401  JSON
    """JSON in which every number is finite; what is not becomes null, because RFC 8259 cannot say it again.

    Raises:
        ValueError: no JSON.
        RecursionError: nested too deep.
    """
    return json.loads(text, parse_constant=lambda _: None, parse_float=_finite)


def _finite(text: str) -> float | None:
    value = float(text)
    return value if isfinite(value) else None


def features_of(document: Any) -> list[dict[str, Any]]:  # noqa: ANN401  JSON
    """The features of a collection, or the only one; a bare geometry is one without properties.

    Raises:
        TrackError: none of these.
    """
    match document:
        case {"type": "FeatureCollection", "features": list(features)}:
            return [feature for feature in features if isinstance(feature, dict)]
        case {"type": "Feature"}:
            return [document]
        case {"type": str(), "coordinates": list()}:
            return [{"type": "Feature", "properties": {}, "geometry": document}]
        case _:
            raise TrackError("it is no GeoJSON; it needs a FeatureCollection, a Feature or a geometry.")


def datum_of(document: dict[str, Any]) -> str:
    """What a document says of its datum: the `crs` of GeoJSON before RFC 7946, or `datum`; empty for nothing."""
    match document:
        case {"crs": {"properties": {"name": str(name)}}} | {"datum": str(name)}:
            return name
        case _:
            return ""


def _positions(geometry: dict[str, Any] | None, properties: dict[str, Any]) -> Iterator[Row]:
    match geometry:
        case {"type": "LineString", "coordinates": list(coordinates)}:
            lines = [coordinates]
        case {"type": "MultiLineString", "coordinates": list(lines)}:
            pass
        case {"type": "Point", "coordinates": list(position)}:
            if any(properties.get(name) for name in ("time", "fix_time", "timestamp")):
                yield row_of({name.lower(): text_of(value) for name, value in properties.items()}) | _place(position)
            return
        case _:
            return
    places = [position for line in lines for position in line]
    columns = {name: values for name, values in properties.items() if isinstance(values, list)}
    times = next((columns[name] for name in _TIMES if name in columns), [])
    if "speeds_mps" in columns:
        columns["speed_mps"] = columns["speeds_mps"]
    fields = {name: columns[name] for name in EXTRAS if name in columns and len(columns[name]) == len(times)}
    # A line needs two positions: a single fix is given twice, but has one time.
    for index, position in enumerate(places[: len(times)] if times else places):
        texts = {name: text_of(values[index]) for name, values in fields.items()}
        when = {"fix_time": instant(text_of(times[index]))} if times else {}
        yield _place(position) | row_of(texts) | when


def _place(position: Sequence[Any]) -> Row:
    return row_of(dict(zip(("lon", "lat", "alt_m"), map(text_of, position), strict=False)))
