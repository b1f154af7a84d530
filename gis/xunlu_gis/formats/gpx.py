"""GPX 1.1 of a track: one `trkseg` for each unbroken piece, because the standard keeps spans without reception apart.

gpxpy makes the frame of the document; the points are written and read here, because a million of them as objects
of gpxpy take a minute and 1.6 GB.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from xml.etree.ElementTree import Element

import gpxpy.gpx

from xunlu_gis.formats.rows import Row, row_of, text_of
from xunlu_gis.formats.xml import elements, xml_text
from xunlu_gis.track.point import TrackPoint
from xunlu_gis.track.segment import SegmentedTrack

NAMESPACE: Final = "urn:xunlu:gpx:1"
"""Of the extensions below; GPX 1.1 has no elements for them."""

EXTENSIONS: Final = ("speed_mps", "course_deg", "accuracy_m", "bds", "sid", "seq", "fix", "received_at", "late")

QUALITY: Final = {"none": 0, "2d": 1, "3d": 1, "dgps": 2, "pps": 3}
"""The `fix` of GPX 1.1 as NMEA 0183 GGA quality."""

_FIX: Final = {0: "none", 2: "dgps", 3: "pps", 4: "dgps", 5: "dgps"}
"""The way back for what is not a plain fix; RTK is differential."""


_WANTED: Final = frozenset({"trkpt", "rtept", "trkseg", "rte", "trk/name", "rte/name"})


def to_gpx(device: str, track: SegmentedTrack) -> str:
    """A GPX document with one track named after the device."""
    return "".join(write_gpx(device, (segment.points for segment in track.segments)))


def write_gpx(device: str, pieces: Iterable[Sequence[TrackPoint]]) -> Iterator[str]:
    """The same point by point, so that a long track never stands in memory; `pieces` are unbroken stretches."""
    document = gpxpy.gpx.GPX()
    document.creator = "Xunlu"
    document.nsmap["xunlu"] = NAMESPACE
    document.tracks.append(gpxpy.gpx.GPXTrack(name="NAME"))
    head, _, foot = document.to_xml(version="1.1").partition("NAME</name>")
    yield f"{head}{xml_text(device)}</name>"
    for piece in pieces:
        yield "<trkseg>"
        for point in piece:
            yield _written(point)
        yield "</trkseg>"
    yield foot


def _written(point: TrackPoint) -> str:
    """The elements in the order that the schema demands."""
    fix = None if point.fix is None else _FIX.get(point.fix, "2d" if point.alt_m is None else "3d")
    standard = {
        "ele": point.alt_m,
        "time": point.fix_time.isoformat().replace("+00:00", "Z"),
        "fix": fix,
        "sat": point.sat,
        "hdop": point.hdop,
    }
    body = "".join(f"<{name}>{value}</{name}>" for name, value in standard.items() if value is not None)
    extras = "".join(
        f"<xunlu:{name}>{text_of(value)}</xunlu:{name}>"
        for name in EXTENSIONS
        if (value := getattr(point, name)) is not None and value is not False
    )
    return f'<trkpt lat="{point.lat}" lon="{point.lon}">{body}<extensions>{extras}</extensions></trkpt>'


def read_gpx(text: str) -> Iterator[Row]:
    """Points of all tracks; of all routes where there is no track.

    Raises:
        TrackError: no XML that can be trusted.
        ValueError: a latitude or longitude is no number.
    """
    name, piece, tracked, routed = "", 0, False, list[Row]()
    for kind, element in elements(text, _WANTED):
        match kind:
            case "trkpt":
                tracked = True
                yield {**_row(element), "piece": piece, "name": name}
            case "rtept":
                routed.append({**_row(element), "piece": piece, "name": name})
            case "trkseg" | "rte":
                piece += 1
            case _:
                name = name or (element.text or "")
    if not tracked:
        yield from routed


def _row(element: Element) -> Row:
    """A point of GPX 1.0 or 1.1, with whatever its extensions say."""
    texts = {leaf.tag.lower(): leaf.text for leaf in element.iter() if len(leaf) == 0}
    quality = QUALITY.get(texts.get("fix") or "")
    place = {"lat": float(element.get("lat", "nan")), "lon": float(element.get("lon", "nan"))}
    return row_of(texts) | place | ({} if quality is None else {"fix": quality})
