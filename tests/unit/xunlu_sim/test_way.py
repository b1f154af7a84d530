"""Where simulated officers truly are: on the streets, or on a track that somebody brings."""

import math
import random
from itertools import pairwise
from pathlib import Path

import pytest
import shapely

from tests.unit.xunlu_gis.tracks import track_at
from xunlu_gis.errors import TrackError
from xunlu_gis.formats import read_track, to_gpx
from xunlu_gis.streets import StreetGraph
from xunlu_gis.track import segments
from xunlu_sim.way import DEGREE_M, PAVEMENT_M, WALK_MPS, Patrol, Place, Replay, Way

ORIGIN = Place(31.2, 121.4)
BLOCK_M = 150.0
LINES = 5


def grid() -> StreetGraph:
    """Streets between square blocks."""

    def street(corners: list[tuple[float, float]]) -> tuple[shapely.LineString, dict[str, str]]:
        places = [ORIGIN.moved(x * BLOCK_M, y * BLOCK_M) for x, y in corners]
        return shapely.LineString([(place.lon, place.lat) for place in places]), {"name": "路", "class": "tertiary"}

    ways = [[(x, y) for y in range(LINES)] for x in range(LINES)] + [
        [(x, y) for x in range(LINES)] for y in range(LINES)
    ]
    return StreetGraph.from_lines([street([(float(x), float(y)) for x, y in way]) for way in ways])


GRID = grid()


def walked(way: Way, seconds: int) -> list[Place]:
    return [way.second() for _ in range(seconds)]


def metres(one: Place, other: Place) -> tuple[float, float]:
    east = (other.lon - one.lon) * DEGREE_M * math.cos(math.radians(one.lat))
    return east, (other.lat - one.lat) * DEGREE_M


def apart_m(one: Place, other: Place) -> float:
    return math.hypot(*metres(one, other))


def test_the_same_seed_walks_the_same_way_and_another_seed_another() -> None:
    first, again, other = (walked(Patrol(GRID, random.Random(seed)), 600) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_patrol_walks_on_the_pavement_of_a_street() -> None:
    for place in walked(Patrol(GRID, random.Random(3)), 3600):
        east, north = metres(ORIGIN, place)
        to_street = min(abs(value / BLOCK_M - round(value / BLOCK_M)) * BLOCK_M for value in (east, north))
        assert to_street <= PAVEMENT_M + 0.5


def test_a_patrol_walks_at_walking_pace_and_stands_still_at_times() -> None:
    places = walked(Patrol(GRID, random.Random(4)), 7200)
    moving = [place.speed_mps for place in places if place.speed_mps]
    assert WALK_MPS[0] <= min(moving) <= max(moving) <= WALK_MPS[1]
    standing = 1 - len(moving) / len(places)
    assert 0.2 < standing < 0.7
    # At a corner the pavement is left for the one of the next street.
    assert max(apart_m(*pair) for pair in pairwise(places)) < WALK_MPS[1] + 2 * PAVEMENT_M + 1


def test_officers_do_not_all_begin_at_a_corner() -> None:
    starts = [Patrol(GRID, random.Random(seed)).second() for seed in range(20)]
    assert len({(place.lat, place.lon) for place in starts}) == 20


def test_a_track_of_a_file_is_walked_there_and_back(tmp_path: Path) -> None:
    points = track_at([(0, 0), (50, 0), (50, 100), (20, 100)], step_s=20)
    file = tmp_path / "day.gpx"
    file.write_text(to_gpx("R1", segments(points)), "utf-8")
    replay = Replay(read_track(file))
    places = walked(replay, 120)
    for index, point in ((19, points[1]), (39, points[2]), (59, points[3]), (79, points[2]), (119, points[0])):
        assert apart_m(places[index], Place(point.lat, point.lon)) < 0.2, index
    assert max(apart_m(*pair) for pair in pairwise(walked(replay, 600))) < 5.5
    assert places[0].speed_mps == pytest.approx(2.5, abs=0.05)
    assert places[0].course_deg == pytest.approx(90, abs=1)


def test_recorders_of_one_track_walk_it_at_different_times() -> None:
    points = track_at([(0, 0), (1000, 0)], step_s=1000)
    near, far = Replay(points, skip_s=10), Replay(points, skip_s=500)
    assert apart_m(near.second(), far.second()) > 100


def test_a_long_break_of_a_track_is_cut_short() -> None:
    replay = Replay(track_at([(0, 0), (10, 0), (20, 0)], seconds=[0, 10, 100_000]))
    places = walked(replay, 620)
    assert apart_m(places[309], places[0]) == pytest.approx(20, abs=1.5)


def test_fixes_of_one_time_do_not_stop_a_replay() -> None:
    places = walked(Replay(track_at([(0, 0), (3, 0), (6, 0)], seconds=[5, 5, 5])), 50)
    assert all(math.isfinite(place.lat) and place.speed_mps <= 60 for place in places)


def test_a_track_that_leads_nowhere_is_refused() -> None:
    with pytest.raises(TrackError, match="at least two"):
        Replay(track_at([(0, 0)]))
