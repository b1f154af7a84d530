import csv
from itertools import pairwise

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.xunlu_gis.real_data import geolife, real
from tests.unit.xunlu_gis.tracks import track_at
from xunlu_gis.track import Track, TrackSettings, length_m, segments, simplify
from xunlu_gis.track.piece import step_lengths_m
from xunlu_gis.track.point import lon_lat, metres

place = st.tuples(st.floats(-3000, 3000), st.floats(-3000, 3000))


FIVE_MINUTES = TrackSettings(gap_reports=0, gap_min_s=300)


def test_a_track_is_cut_where_the_device_was_silent() -> None:
    points = track_at([(0, 0), (10, 0), (20, 0), (500, 0), (510, 0)], seconds=[0, 5, 10, 71, 76])
    track = segments(points)
    assert [segment.measured for segment in track.segments] == [3, 2]
    assert [gap.duration_s for gap in track.gaps] == [61]
    assert track.points == points
    assert segments(points, FIVE_MINUTES).gaps == ()


def test_a_track_is_cut_where_the_place_leapt_and_that_is_no_gap() -> None:
    points = track_at([(0, 0), (10, 0), (90_000, 0), (90_010, 0)], seconds=[0, 5, 10, 15])
    track = segments(points)
    assert [segment.measured for segment in track.segments] == [2, 2]
    assert track.gaps == ()
    assert sum(segment.distance_m for segment in track.segments) == pytest.approx(20, abs=0.05)


def test_no_length_crosses_a_gap() -> None:
    points = track_at([(0, 0), (30, 0), (5000, 0), (5040, 0)], seconds=[0, 5, 1000, 1005])
    assert sum(segment.distance_m for segment in segments(points).segments) == pytest.approx(70, abs=0.05)
    assert length_m(Track.of_points(points)) == pytest.approx(70, abs=0.05)


def test_an_empty_track_has_no_segments() -> None:
    assert segments([]).points == []
    assert simplify([], 5) == []


def test_a_single_fix_is_a_segment_of_no_length() -> None:
    (segment,) = segments(track_at([(0, 0)])).segments
    assert (segment.measured, segment.distance_m) == (1, 0)


@given(st.lists(place, min_size=2, max_size=60), st.floats(0.5, 200))
def test_simplifying_keeps_the_ends_and_stays_within_the_tolerance(
    places: list[tuple[float, float]], tolerance_m: float
) -> None:
    points = track_at(places)
    kept = simplify(points, tolerance_m)
    assert kept[0] == points[0]
    assert kept[-1] == points[-1]
    numbers = [point.seq for point in kept]
    assert numbers == sorted(set(numbers))
    xy = dict(zip((point.seq for point in points), metres(points), strict=True))
    for one, other in pairwise(numbers):
        chord = shapely.LineString((xy[one], xy[other]))
        assert all(chord.distance(shapely.Point(xy[number])) <= tolerance_m + 1e-6 for number in range(one, other))


def test_a_straight_walk_needs_two_points() -> None:
    points = track_at([(4 * i, 3 * i) for i in range(500)])
    assert [point.seq for point in simplify(points, 1)] == [1, 500]


def test_a_simplified_track_keeps_its_counts_lengths_and_gaps() -> None:
    points = track_at(
        [(6.0 * i, 0) for i in range(100)], seconds=[5.0 * i + (1000 if i > 50 else 0) for i in range(100)]
    )
    track = segments(points)
    simple = track.simplified(5)
    assert [len(segment.points) for segment in simple.segments] == [2, 2]
    assert [(s.measured, s.distance_m) for s in simple.segments] == [(s.measured, s.distance_m) for s in track.segments]
    assert simple.gaps == track.gaps
    assert track.simplified(0) is track


def test_somebody_who_stands_still_is_no_gap() -> None:
    standing = track_at([(0, 0)] * 400 + [(10.0 * i, 0) for i in range(1, 50)])
    track = segments(standing).simplified(5)
    assert len(track.points) == 2
    assert not track.gaps


def test_lengths_and_gaps_of_real_tracks_agree_with_an_independent_count() -> None:
    tracks = geolife()
    with real("tracks/geolife/tracks.csv").open(encoding="utf-8") as file:
        expected = list(csv.DictReader(file))
    assert len(expected) == len(tracks)
    for row in expected:
        points = tracks[row["user"], row["track"]]
        assert step_lengths_m(lon_lat(points)).sum() == pytest.approx(float(row["length_m_geodesic_raw"]), abs=0.1)
        assert len(segments(points, FIVE_MINUTES).gaps) == int(row["gaps_over_300s"])
