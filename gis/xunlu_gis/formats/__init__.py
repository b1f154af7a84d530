"""Tracks as files: GeoJSON, GPX, CSV and a stand-alone HTML map go out; GPX and CSV come in.

`formats.page.to_html` is imported by its module, because folium takes a second to load.
"""

from xunlu_gis.formats.csv import COLUMNS, to_csv
from xunlu_gis.formats.geojson import to_geojson
from xunlu_gis.formats.gpx import to_gpx
from xunlu_gis.formats.read import read_track

__all__ = ["COLUMNS", "read_track", "to_csv", "to_geojson", "to_gpx"]
