import numpy as np
import numpy.typing as npt
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from tests.unit.xunlu_gis.real_data import geolife
from tests.unit.xunlu_gis.tracks import START, columns_at
from xunlu_gis.plane import to_utm, unwrapped
from xunlu_gis.track import LEVELS_M, Track, TrackSettings, bound_for, clean, kept_in_time, levels, metres_per_pixel
from xunlu_gis.track.piece import step_lengths_m
from xunlu_gis.track.simplification import kept

START_MS = round(START.timestamp() * 1000)
moves = st.lists(st.tuples(st.floats(-400, 400), st.floats(-400, 400), st.integers(0, 40)), min_size=1, max_size=80)


def off_move_m(track: Track, stay: npt.NDArray[np.int64]) -> float:
    """Farthest that a steady move between the fixes that stay is from any fix at its time, geodesic."""
    lon = unwrapped(track.lon)
    drawn = np.column_stack([np.interp(track.time_s, track.time_s[stay], column[stay]) for column in (lon, track.lat)])
    pairs = np.stack((drawn, np.column_stack((lon, track.lat))), axis=1)
    return max((float(step_lengths_m(pair)[0]) for pair in pairs), default=0.0)


@given(moves, st.floats(0.5, 300))
def test_a_steady_move_between_the_fixes_that_stay_is_within_the_bound_at_every_time(
    rows: list[tuple[float, float, int]], bound_m: float
) -> None:
    seconds = np.cumsum([row[2] + 1 for row in rows])
    track = columns_at([row[:2] for row in rows], seconds)
    stay = kept_in_time(track, bound_m)
    assert (stay[0], stay[-1]) == (0, len(track) - 1)
    assert (np.diff(stay) > 0).all()
    assert off_move_m(track, stay) <= bound_m * 1.001 + 0.01


def test_equal_times_do_not_break_the_bound_of_the_line() -> None:
    track = columns_at([(0, 0), (300, 0), (300, 300), (0, 300), (0, 0)], [0, 0, 0, 0, 0])
    assert len(kept_in_time(track, 5)) == 5


def test_a_steady_walk_needs_two_fixes_and_a_rest_on_the_way_is_kept() -> None:
    steady = columns_at([(6.0 * i, 0) for i in range(900)])
    assert kept_in_time(steady, 1).tolist() == [0, 899]
    rest = columns_at(
        [*((6.0 * i, 0) for i in range(100)), *[(600.0, 0.0)] * 200, *((600 + 6.0 * i, 0) for i in range(100))]
    )
    assert len(kept(rest.degrees, 1)) == 2
    in_time = kept_in_time(rest, 1)
    assert len(in_time) > 2
    assert off_move_m(rest, in_time) <= 1


@pytest.mark.parametrize("places", [[], [(0, 0)], [(0, 0), (50, 0)]])
def test_what_is_short_stays_whole(places: list[tuple[float, float]]) -> None:
    track = columns_at(places)
    assert kept_in_time(track, 5).tolist() == kept(track.degrees, 5) == list(range(len(places)))


@pytest.mark.parametrize("lon", [-180 + 1e-4, -123.1, 0.0, 121.47, 179.9999])
@pytest.mark.parametrize("lat", [-54.8, 0.0, 31.23, 68.9])
def test_the_bound_of_a_line_holds_in_metres_wherever_it_is(lon: float, lat: float) -> None:
    wander = np.cumsum(np.random.default_rng(7).normal(0, 8e-5, (2500, 2)), axis=0)
    degrees = np.column_stack(((lon + wander[:, 0] + 180) % 360 - 180, lat + wander[:, 1]))
    stay = kept(degrees, 20)
    assert len(stay) < 1000
    xy = to_utm(degrees[:, 0], degrees[:, 1])
    line = shapely.LineString(xy[stay])
    assert shapely.distance(line, shapely.points(xy)).max() <= 20 * 0.9997
    assert step_lengths_m(degrees).sum() == pytest.approx(np.hypot(*np.diff(xy, axis=0).T).sum(), rel=0.0011)


def test_shanghai_lies_in_zone_51_and_fiji_across_the_antimeridian_in_one_zone() -> None:
    into_51 = Transformer.from_crs("EPSG:4326", "EPSG:32651", always_xy=True)
    assert to_utm(np.array([121.47]), np.array([31.23]))[0] == pytest.approx(into_51.transform(121.47, 31.23))
    fiji = to_utm(np.array([179.99, -179.99, 179.98]), np.array([-17.0, -17.0, -17.0]))
    assert np.hypot(*(fiji[1] - fiji[0])) == pytest.approx(2130, abs=3)


def test_places_that_no_zone_holds_all_stay() -> None:
    degrees = np.array([(0.0, 0.0), (90.0, 0.0), (180.0, 0.0), (-90.0, 0.0)])
    assert kept(degrees, 1000) == [0, 1, 2, 3]


def test_every_level_keeps_its_bound_and_both_ends_of_every_piece() -> None:
    wander = np.cumsum(np.random.default_rng(8).normal(0, 5, (3000, 2)), axis=0)
    seconds = 5.0 * np.arange(3000) + np.where(np.arange(3000) >= 1500, 900, 0)
    track = columns_at(wander, seconds)
    found = levels(track)
    assert [level.bound_m for level in found] == list(LEVELS_M)
    counts = []
    for level in found:
        first, second = level.pieces
        assert (first[0], first[-1], second[0], second[-1]) == (0, 1499, 1500, 2999)
        for piece in level.pieces:
            span = slice(int(piece[0]), int(piece[-1]) + 1)
            assert off_move_m(track[span], piece - piece[0]) <= level.bound_m * 1.001
        counts.append(len(first) + len(second))
    assert counts == sorted(counts, reverse=True)


def test_a_level_of_no_track_has_no_pieces_and_a_lone_fix_is_one() -> None:
    assert [level.pieces for level in levels(columns_at([]))] == [()] * 4
    (level,) = levels(columns_at([(0, 0)]), bounds_m=[80])
    assert [piece.tolist() for piece in level.pieces] == [[0]]


def test_a_zoom_gets_the_level_whose_error_a_pixel_hides() -> None:
    assert metres_per_pixel(0, 0) == pytest.approx(156_543.034, abs=0.001)
    assert metres_per_pixel(14, 31.23) == pytest.approx(8.17, abs=0.01)
    assert [bound_for(zoom, 31.23) for zoom in (18, 15, 14, 12, 10, 8, 3)] == [0, 0, 5, 20, 80, 320, 320]


def test_a_track_made_to_defeat_the_search_is_searched_all_the_same() -> None:
    number = np.arange(300_000)
    zigzag = columns_at(np.column_stack((number, np.where(number % 2, 1, -1) * (number % 30_000))), number)
    assert len(kept_in_time(zigzag, 0.5)) > 290_000
    assert len(kept(zigzag.degrees, 0.5)) > 290_000


def test_a_million_fixes_have_levels() -> None:
    turn = np.cumsum(np.random.default_rng(3).normal(0, 0.01, 1_000_000))
    track = columns_at(np.cumsum(np.column_stack((np.cos(turn), np.sin(turn))) * 1.3, axis=0), np.arange(1_000_000))
    (level,) = levels(track, bounds_m=[80])
    (piece,) = level.pieces
    assert len(piece) < 20_000


def test_levels_of_real_tracks_keep_their_bound() -> None:
    for points in list(geolife().values())[:12]:
        track = clean(Track.of_points(points), TrackSettings(earliest_ms=0)).cleaned
        for level in levels(track, bounds_m=[20]):
            for piece in level.pieces:
                span = slice(int(piece[0]), int(piece[-1]) + 1)
                assert off_move_m(track[span], piece - piece[0]) <= level.bound_m * 1.001
