import csv
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.xunlu_gis.real_data import geolife, real
from tests.unit.xunlu_gis.tracks import START, track_at
from xunlu_gis.track import clean, length_m, segments, simplify, stops
from xunlu_gis.track.point import metres

place = st.tuples(st.floats(-3000, 3000), st.floats(-3000, 3000))


def test_a_track_is_cut_where_the_device_was_silent() -> None:
    points = track_at([(0, 0), (10, 0), (20, 0), (500, 0), (510, 0)], seconds=[0, 5, 10, 311, 316])
    track = segments(points, gap_s=300)
    assert [segment.measured for segment in track.segments] == [3, 2]
    assert [gap.duration_s for gap in track.gaps] == [301]
    assert track.points == points


def test_no_length_crosses_a_gap() -> None:
    points = track_at([(0, 0), (30, 0), (5000, 0), (5040, 0)], seconds=[0, 5, 1000, 1005])
    assert length_m(points, gap_s=300) == pytest.approx(70, abs=0.05)
    assert length_m(points) == pytest.approx(5040, abs=2)


def test_an_empty_track_has_no_segments() -> None:
    assert segments([]).points == []
    assert length_m([]) == 0
    assert simplify([], 5) == []
    assert stops([]) == []
    assert clean([]).kept == ()


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


def test_a_jump_and_a_spike_are_set_aside() -> None:
    walk: list[tuple[float, float]] = [(6.0 * i, 0) for i in range(20)]
    walk[7] = (walk[7][0], 900)
    walk[13] = (walk[13][0], 120)
    cleaned = clean(track_at(walk, accuracy_m=5.0))
    assert cleaned.dropped == {7: "spike", 13: "spike"}
    assert len(cleaned.kept) == 18


def test_a_real_move_is_believed_after_three_rejections() -> None:
    points = track_at([(0, 0), (5, 0), *((9000 + 6.0 * i, 0) for i in range(6))])
    cleaned = clean(points)
    assert cleaned.dropped == {2: "speed", 3: "speed", 4: "speed"}
    assert cleaned.kept[2:] == tuple(points[5:])


def test_fixes_out_of_order_twice_and_without_reception_are_set_aside() -> None:
    points = track_at([(0, 0), (50, 0), (40, 0), (60, 0), (100, 0)], seconds=[0, 20, 20, 10, 60])
    points[4] = points[4]._replace(fix=0)
    assert clean(points).dropped == {2: "duplicate", 3: "order", 4: "no_fix"}


def test_jitter_of_somebody_who_stands_is_held() -> None:
    noise = np.random.default_rng(4).normal(0, 2, (60, 2))
    points = track_at([(float(x), float(y)) for x, y in noise], accuracy_m=6.0, speed_mps=0.1)
    assert clean(points).kept == (points[0],)


def test_a_stay_is_found_with_its_place_and_times() -> None:
    noise = np.random.default_rng(5).normal(0, 5, (60, 2))
    way: list[tuple[float, float]] = [(6.0 * i, 0) for i in range(50)]
    stay = [(300 + float(x), float(y)) for x, y in noise]
    points = track_at([*way, *stay, *((300 + 6.0 * i, 0) for i in range(50))])
    (stop,) = stops(points)
    assert stop.end - stop.start >= timedelta(seconds=295)
    assert START + timedelta(seconds=200) < stop.start < START + timedelta(seconds=255)
    east = metres([points[0]._replace(lat=stop.lat, lon=stop.lon), points[50]])
    assert np.hypot(*(east[0] - east[1])) < 15


def test_a_short_absence_does_not_end_a_stay() -> None:
    stay: list[tuple[float, float]] = [(0, 0)] * 50
    points = track_at([*stay, *((80.0, 0) for _ in range(4)), *stay])
    (stop,) = stops(points)
    assert stop.points == len(points)


def test_lengths_and_gaps_of_real_tracks_agree_with_an_independent_count() -> None:
    tracks = geolife()
    with real("tracks/geolife/tracks.csv").open(encoding="utf-8") as file:
        expected = list(csv.DictReader(file))
    assert len(expected) == len(tracks)
    for row in expected:
        points = tracks[row["user"], row["track"]]
        assert length_m(points) == pytest.approx(float(row["length_m_geodesic_raw"]), abs=0.1)
        assert len(segments(points, gap_s=300).gaps) == int(row["gaps_over_300s"])


def test_cleaned_real_tracks_have_no_impossible_speed_but_where_a_new_place_was_believed() -> None:
    for points in geolife().values():
        cleaned = clean(points)
        rejected = sum(verdict == "speed" for verdict in cleaned.dropped.values())
        fast = 0
        for one, other in pairwise(cleaned.kept):
            elapsed = (other.fix_time - one.fix_time).total_seconds()
            assert elapsed > 0
            fast += length_m([one, other]) / elapsed > 60.5
        assert fast <= rejected / 3
