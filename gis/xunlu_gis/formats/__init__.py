"""Tracks and zones as files, out and in: GeoJSON, GPX, KML and CSV; a page that plays by itself goes out.

`formats.page` is imported by its module, because folium takes a second to load.
"""

from xunlu_gis.formats.csv import COLUMNS, disarmed, to_csv, write_csv
from xunlu_gis.formats.geojson import to_geojson, write_geojson
from xunlu_gis.formats.gpx import to_gpx, write_gpx
from xunlu_gis.formats.imported import Datum, TrackFile, ZoneFile, datum_named
from xunlu_gis.formats.kml import write_kml
from xunlu_gis.formats.read import parse_tracks, read_track
from xunlu_gis.formats.zones import parse_zones, zones_to_geojson
from xunlu_gis.formats.zones_gpx import zones_to_gpx
from xunlu_gis.formats.zones_kml import zones_to_kml

__all__ = [
    "COLUMNS",
    "Datum",
    "TrackFile",
    "ZoneFile",
    "datum_named",
    "disarmed",
    "parse_tracks",
    "parse_zones",
    "read_track",
    "to_csv",
    "to_geojson",
    "to_gpx",
    "write_csv",
    "write_geojson",
    "write_gpx",
    "write_kml",
    "zones_to_geojson",
    "zones_to_gpx",
    "zones_to_kml",
]
