"""GPX 1.1 of a track: one `trkseg` for each segment, because the standard keeps spans without reception apart."""

from typing import Final
from xml.etree.ElementTree import Element

import gpxpy.gpx

from xunlu_gis.track.point import TrackPoint
from xunlu_gis.track.segment import SegmentedTrack

NAMESPACE: Final = "urn:xunlu:gpx:1"
"""Of the extensions below; GPX 1.1 has no elements for them."""

EXTENSIONS: Final = ("speed_mps", "course_deg", "accuracy_m", "bds", "sid", "seq")

QUALITY: Final = {"none": 0, "2d": 1, "3d": 1, "dgps": 2, "pps": 3}
"""The `fix` of GPX 1.1 as NMEA 0183 GGA quality."""

_FIX: Final = {0: "none", 2: "dgps", 3: "pps", 4: "dgps", 5: "dgps"}
"""The way back for what is not a plain fix; RTK is differential."""


def to_gpx(device: str, track: SegmentedTrack) -> str:
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
    if point.fix is not None:
        written.type_of_gpx_fix = _FIX.get(point.fix, "2d" if point.alt_m is None else "3d")
    for name in EXTENSIONS:
        if (value := getattr(point, name)) is not None:
            extension = Element(f"{{{NAMESPACE}}}{name}")
            extension.text = str(value)
            written.extensions.append(extension)
    return written
