"""Tracks: positions of one device in order of fix time, cleaned, cut at gaps, measured, simplified, explained."""

from xunlu_gis.track.cleaning import Cleaning, Reason, clean
from xunlu_gis.track.gap import STATES, Availability, Evidence, Span, State, Telemetry, explain
from xunlu_gis.track.level import LEVELS_M, Level, bound_for, levels, metres_per_pixel
from xunlu_gis.track.piece import Break, Piece, breaks, gap_limit_s, length_m, pieces
from xunlu_gis.track.point import TrackPoint
from xunlu_gis.track.segment import Gap, Segment, SegmentedTrack, segments
from xunlu_gis.track.settings import DEFAULT, ON_FOOT, TrackSettings
from xunlu_gis.track.simplification import kept_in_time, simplify
from xunlu_gis.track.stop import Stop, Trip, stops, trips
from xunlu_gis.track.track import UNKNOWN, Track

__all__ = [
    "DEFAULT",
    "LEVELS_M",
    "ON_FOOT",
    "STATES",
    "UNKNOWN",
    "Availability",
    "Break",
    "Cleaning",
    "Evidence",
    "Gap",
    "Level",
    "Piece",
    "Reason",
    "Segment",
    "SegmentedTrack",
    "Span",
    "State",
    "Stop",
    "Telemetry",
    "Track",
    "TrackPoint",
    "TrackSettings",
    "Trip",
    "bound_for",
    "breaks",
    "clean",
    "explain",
    "gap_limit_s",
    "kept_in_time",
    "length_m",
    "levels",
    "metres_per_pixel",
    "pieces",
    "segments",
    "simplify",
    "stops",
    "trips",
]
