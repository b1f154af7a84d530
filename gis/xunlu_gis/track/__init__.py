"""Tracks: positions of one device in order of fix time, cut at gaps, simplified, cleaned, measured."""

from xunlu_gis.track.cleaning import Cleaning, Verdict, clean
from xunlu_gis.track.line import Line
from xunlu_gis.track.point import TrackPoint
from xunlu_gis.track.segment import GAP_S, Gap, Segment, Track, length_m, segments
from xunlu_gis.track.simplification import simplify
from xunlu_gis.track.stop import Stop, stops

__all__ = [
    "GAP_S",
    "Cleaning",
    "Gap",
    "Line",
    "Segment",
    "Stop",
    "Track",
    "TrackPoint",
    "Verdict",
    "clean",
    "length_m",
    "segments",
    "simplify",
    "stops",
]
