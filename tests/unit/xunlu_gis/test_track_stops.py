import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.xunlu_gis.real_data import geolife
from tests.unit.xunlu_gis.tracks import PLANE, START, columns_at, stay_points
from xunlu_gis.track import Stop, Track, TrackSettings, Trip, breaks, clean, length_m, pieces, stops, trips
from xunlu_gis.track.piece import step_lengths_m

START_MS = round(START.timestamp() * 1000)
Places = list[tuple[float, float]]


def walk(start_m: float, fixes: int) -> Places:
    return [(start_m + 6.0 * index, 0.0) for index in range(fixes)]


def stand(at_m: float, fixes: int, seed: int = 5) -> Places:
    noise = np.random.default_rng(seed).normal(0, 5, (fixes, 2))
    return [(at_m + float(x), float(y)) for x, y in noise]


def test_a_track_is_cut_where_three_reports_are_missing() -> None:
    track = columns_at(walk(0, 6), [0, 30, 120, 211, 241, 271])
    assert [(one.kind, one.before, one.to_ms - one.from_ms) for one in breaks(track)] == [("gap", 2, 91_000)]
    assert [(piece.first, piece.end) for piece in pieces(track)] == [(0, 3), (3, 6)]


def test_nothing_below_a_minute_is_a_gap() -> None:
    assert breaks(columns_at(walk(0, 4), [0, 1, 2, 62])) == []
    assert len(breaks(columns_at(walk(0, 4), [0, 1, 2, 63]))) == 1


def test_a_unit_may_say_how_often_it_reports() -> None:
    track = columns_at(walk(0, 4), [0, 1, 2, 200])
    assert breaks(track, TrackSettings(report_s=66)) == []


def test_no_length_crosses_a_gap_or_a_jump() -> None:
    track = columns_at(
        [(0, 0), (30, 0), (5000, 0), (5040, 0), (15_000, 0), (15_010, 0)], [0, 5, 1000, 1005, 1010, 1015]
    )
    assert [one.kind for one in breaks(track)] == ["gap", "jump"]
    assert [piece.length_m for piece in pieces(track)] == pytest.approx([30, 40, 10], abs=0.05)
    assert length_m(track) == pytest.approx(80, abs=0.1)


def test_an_empty_track_and_a_single_fix_have_no_length() -> None:
    empty, single = columns_at([]), columns_at([(0, 0)])
    assert (pieces(empty), breaks(empty), stops(empty), trips(empty, [])) == ([], [], [], [])
    assert [tuple(piece) for piece in pieces(single)] == [(0, 1, 0.0)]
    assert (breaks(single), stops(single), trips(single, [])) == ([], [], [])


def test_a_stay_is_found_with_its_place_and_times() -> None:
    track = columns_at([*walk(0, 50), *stand(300, 60), *walk(300, 50)])
    (stop,) = stops(track)
    assert stop.to_ms - stop.from_ms >= 295_000
    assert START_MS + 200_000 < stop.from_ms < START_MS + 255_000
    assert (stop.end - stop.start).total_seconds() * 1000 == stop.to_ms - stop.from_ms
    (middle,) = PLANE.to_xy(np.array([[stop.lon, stop.lat]]))
    assert np.hypot(*(middle - (300, 0))) < 15


def test_a_stay_just_too_short_or_of_two_fixes_is_none() -> None:
    assert stops(columns_at([(0, 0)] * 36)) == []
    assert len(stops(columns_at([(0, 0)] * 37))) == 1
    assert stops(columns_at([(0, 0)] * 2, [0, 600])) == []


def test_a_short_absence_does_not_end_a_stay_but_a_longer_one_does() -> None:
    there: Places = [(0, 0)] * 50
    (stop,) = stops(columns_at([*there, *[(80.0, 0.0)] * 4, *there]))
    assert stop.points == 104
    assert len(stops(columns_at([*there, *[(80.0, 0.0)] * 12, *there]))) == 2


def test_neighbouring_places_do_not_become_one_stay() -> None:
    assert len(stops(columns_at([*[(0.0, 0.0)] * 50, *[(80.0, 0.0)] * 50]))) == 2


def test_a_silence_inside_a_place_is_part_of_the_stay_and_one_that_leads_elsewhere_is_a_gap() -> None:
    seconds = [*range(0, 300, 5), *range(3900, 4200, 5)]
    here = columns_at([(0, 0)] * 120, seconds)
    (stop,) = stops(here)
    assert (stop.from_ms, stop.to_ms) == (START_MS, START_MS + 4_195_000)
    elsewhere = columns_at([(0, 0)] * 60 + [(400, 0)] * 60, seconds)
    assert len(stops(elsewhere)) == 2
    assert trips(elsewhere, stops(elsewhere)) == []
    assert len(breaks(elsewhere)) == 1


def test_trips_lie_between_stays_and_end_at_gaps() -> None:
    places = [*walk(0, 50), *stand(300, 60), *walk(300, 50), *walk(900, 50)]
    seconds = [5.0 * index + (600 if index >= 160 else 0) for index in range(210)]
    track = columns_at(places, seconds)
    stays = stops(track)
    first, second, third = trips(track, stays)
    assert (first.from_ms, first.to_ms) == (START_MS, stays[0].from_ms)
    assert second.from_ms == stays[0].to_ms
    assert second.first + second.points == third.first == 160
    assert third.length_m == pytest.approx(49 * 6, abs=0.1)


def test_who_never_stops_makes_one_trip() -> None:
    track = columns_at(walk(0, 100))
    (trip,) = trips(track, stops(track))
    assert (trip.first, trip.points) == (0, 100)
    assert trip.length_m == pytest.approx(length_m(track), abs=1e-6)


def test_a_stay_on_the_antimeridian_is_one_place() -> None:
    lon = np.where(np.arange(60) % 2, 179.9999, -179.9999)
    (stop,) = stops(Track.of(START_MS + 5000 * np.arange(60), lon, np.full(60, -16.8)))
    assert abs(stop.lon) == pytest.approx(180, abs=1e-4)


@given(st.lists(st.tuples(st.floats(-120, 120), st.floats(-120, 120), st.integers(1, 120)), max_size=60))
def test_stays_are_stays_and_trips_fill_what_is_left(rows: list[tuple[float, float, int]]) -> None:
    track = columns_at([row[:2] for row in rows], np.cumsum([row[2] for row in rows]))
    settings = TrackSettings(stop_merge_s=0)
    stays = stops(track, settings)
    xy = PLANE.to_xy(track.degrees)
    for stay in stays:
        inside = xy[stay.first : stay.first + stay.points]
        assert np.hypot(*(inside - inside[0]).T).max() <= 50.5
        assert stay.to_ms - stay.from_ms >= 180_000
    steps = np.zeros(max(len(track) - 1, 0))
    spans: list[Stop | Trip] = [*stays, *trips(track, stays, settings)]
    for one in spans:
        steps[one.first : one.first + one.points - 1] += 1
    steps[[one.before for one in breaks(track, settings)]] = 1
    assert (steps == 1).all()


@given(st.lists(st.tuples(st.floats(-40, 40), st.floats(-40, 40), st.integers(0, 60)), max_size=60))
def test_stays_are_those_of_the_printed_loop(rows: list[tuple[float, float, int]]) -> None:
    track = columns_at(
        np.cumsum(np.reshape([row[:2] for row in rows], (-1, 2)), axis=0), np.cumsum([row[2] for row in rows])
    )
    found = [(stay.first, stay.first + stay.points - 1) for stay in stops(track, TrackSettings(stop_merge_s=0))]
    assert found == stay_points(track, 50, 180)


def test_a_million_fixes_are_measured() -> None:
    count = 1_000_000
    turn = np.cumsum(np.random.default_rng(3).normal(0, 0.01, count))
    places = np.cumsum(np.column_stack((np.cos(turn), np.sin(turn))) * 1.3, axis=0)
    places[400_000:500_000] = places[400_000]
    places[500_000:] -= places[500_000] - places[400_000]
    track = clean(columns_at(places, np.arange(count))).cleaned
    assert len(track) == count
    (stop,) = [one for one in stops(track) if one.points > 50_000]
    assert stop.points >= 100_000
    assert length_m(track) == pytest.approx(1.3 * 900_000, rel=0.02)


def test_trips_and_stays_of_real_tracks_hold_the_whole_length() -> None:
    for points in geolife().values():
        track = clean(Track.of_points(points), TrackSettings(earliest_ms=0)).cleaned
        stays = stops(track)
        ways = trips(track, stays)
        assert sum(trip.length_m for trip in ways) <= length_m(track) + 1e-6
        for trip in ways:
            span = slice(trip.first, trip.first + trip.points)
            assert trip.length_m == pytest.approx(step_lengths_m(track[span].degrees).sum(), abs=1e-3)
