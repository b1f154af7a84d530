"""GPX 1.1 of a track: one `trkseg` for each segment, because the standard keeps spans without reception apart."""

from typing import Final
from xml.etree.ElementTree import Element

import gpxpy.gpx

from xunlu_gis.track.point import TrackPoint
from xunlu_gis.track.segment import Track

NAMESPACE: Final = "urn:xunlu:gpx:1"
"""Of the extensions below; GPX 1.1 has no elements for them."""

EXTENSIONS: Final = ("speed_mps", "course_deg", "accuracy_m", "bds", "sid", "seq")

_FIX: Final = {0: "none", 1: "3d", 2: "dgps", 4: "dgps", 5: "dgps"}
"""NMEA 0183 GGA quality as GPX says it; RTK is differential."""


def to_gpx(device: str, track: Track) -> str:
    """A GPX document with one track named after the device."""
    document = gpxpy.gpx.GPX()
    document.creator = "Xunlu"
    document.nsmap["xunlu"] = NAMESPACE
    trace = gpxpy.gpx.GPXTrack(name=device)
    trace.segments = [
        gpxpy.gpx.GPXTrackSegment([_point(point) for point in segment.points]) for segment in track.segments
    ]
    document.tracks.append(trace)
    text: str = document.to_xml(version="1.1")
    return text


def _point(point: TrackPoint) -> gpxpy.gpx.GPXTrackPoint:
    written = gpxpy.gpx.GPXTrackPoint(
        latitude=point.lat,
        longitude=point.lon,
        elevation=point.alt_m,
        time=point.fix_time,
        horizontal_dilution=point.hdop,
    )
    written.satellites = point.sat
    written.type_of_gpx_fix = _FIX.get(point.fix) if point.fix is not None else None
    for name in EXTENSIONS:
        if (value := getattr(point, name)) is not None:
            extension = Element(f"{{{NAMESPACE}}}{name}")
            extension.text = str(value)
            written.extensions.append(extension)
    return written
