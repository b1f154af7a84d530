from pathlib import Path
from random import Random

import numpy as np
import pytest
import shapely

from tests.unit.xunlu_gis.tracks import PLANE
from tests.unit.xunlu_gis.zones import degrees
from xunlu_gis.areas import read_areas
from xunlu_gis.coverage import NEVER_SEEN, PIECE_M, CoverageRules, Ground, Way
from xunlu_gis.streets import StreetGraph

AREA = degrees(shapely.box(0, 0, 1000, 1000))
STREETS = StreetGraph.from_lines(
    [
        (degrees(shapely.LineString(line)), {"name": name, "class": "residential"})
        for name, line in {
            "东西路": [(-500, 500), (500, 500), (1500, 500)],
            "南北路": [(500, 0), (500, 500), (500, 1000)],
            "外路": [(1500, 500), (1500, 5000)],
        }.items()
    ]
)
GROUND = Ground(AREA, STREETS)


def way(places: list[tuple[float, float]], step_s: float = 5, start_s: float = 0) -> Way:
    """A fix for each place in metres."""
    lon, lat = PLANE.to_lon_lat(np.array(places, dtype=float)).T
    times = 1000 * (start_s + step_s * np.arange(len(places)))
    return Way(times.astype(np.int64), lon, lat)


def west_to_east(begin: int = 0, end: int = 1000, y: float = 500, stride: int = 5) -> list[tuple[float, float]]:
    return [(x, y) for x in range(begin, end + 1, stride)]


def test_streets_are_cut_at_the_border_and_into_pieces() -> None:
    lengths_m: dict[str, float] = {}
    for piece in GROUND.pieces:
        lengths_m[piece.name] = lengths_m.get(piece.name, 0) + piece.length_m
        assert piece.length_m <= PIECE_M + 1e-6
        assert AREA.buffer(1e-6).contains(piece.line)
    assert lengths_m == {"东西路": pytest.approx(1000, rel=1e-3), "南北路": pytest.approx(1000, rel=1e-3)}


def test_a_walk_sees_thirty_metres_to_either_side() -> None:
    coverage = GROUND.coverage([way(west_to_east())])
    assert coverage.area_m2 == pytest.approx(60 * 1000, rel=0.01)
    assert coverage.area_share == pytest.approx(0.06, rel=0.01)
    assert coverage.street_m == pytest.approx(1000 + 60, rel=0.01)
    assert coverage.street_share == pytest.approx(0.53, rel=0.01)
    assert AREA.buffer(1e-6).contains(coverage.area)


def test_a_ride_sees_fifteen() -> None:
    coverage = GROUND.coverage([way(west_to_east(stride=25))])
    assert coverage.area_m2 == pytest.approx(30 * 1000, rel=0.01)


def test_nothing_is_seen_between_two_ways() -> None:
    before, after = way(west_to_east(0, 300)), way(west_to_east(700, 1000), start_s=2000)
    assert GROUND.coverage([before, after]).area_m2 < 40_000


def test_whoever_reports_every_two_minutes_has_walked_all_the_same() -> None:
    seen = GROUND.coverage([way(west_to_east(stride=125), step_s=120)])
    assert seen.area_m2 == pytest.approx(60 * 1000, rel=0.01)


def test_whoever_stands_still_covers_nothing_more() -> None:
    assert GROUND.coverage([way([(500 + 0.2 * (i % 2), 500) for i in range(1000)])]).area_m2 == 0


def test_two_people_see_more_than_one_and_overlaps_count_once() -> None:
    one, other = way(west_to_east()), way(west_to_east(y=700))
    both = GROUND.coverage([one, other, one])
    assert both.area_m2 == pytest.approx(2 * 60 * 1000, rel=0.01)


def test_short_pieces_see_what_a_long_line_sees() -> None:
    short, long = (GROUND.coverage([way(west_to_east())], CoverageRules(piece_points=n)) for n in (10, 10_000))
    assert short.area_m2 == pytest.approx(long.area_m2, rel=1e-3)
    assert short.street_m == pytest.approx(long.street_m, rel=1e-3)


def test_streets_that_were_not_seen_are_named_with_the_time_since() -> None:
    monday = GROUND.coverage([way([(500, y) for y in range(0, 1001, 5)])])
    tuesday = GROUND.coverage([way(west_to_east(0, 600), start_s=86_400)])
    assert [age.name for age in GROUND.ages(monday.seen_ms, 0)] == ["东西路"]
    seen_ms = np.maximum(monday.seen_ms, tuesday.seen_ms)
    never, stale = GROUND.ages(seen_ms, 86_400_000)
    assert (never.name, never.seen_ms) == ("东西路", None)
    assert never.unseen_m == pytest.approx(350, abs=60)
    assert stale.name == "南北路"
    assert stale.seen_ms is not None
    assert 0 < stale.seen_ms < 1_100_000
    assert GROUND.ages(np.full(len(GROUND.pieces), 99), 99) == []


def test_nobody_sees_nothing() -> None:
    far = way(west_to_east(5000, 6000))
    for ways in ([], [far], [way([(1, 1)])], [Way(np.array([], dtype=np.int64), np.array([]), np.array([]))]):
        coverage = GROUND.coverage(ways)
        assert (coverage.area_m2, coverage.street_m, coverage.area_share) == (0, 0, 0)
        assert (coverage.seen_ms == NEVER_SEEN).all()


def test_a_zone_without_streets_is_covered_by_area_alone() -> None:
    ground = Ground(degrees(shapely.box(3000, 3000, 3400, 3400)), STREETS)
    coverage = ground.coverage([way(west_to_east(2900, 3500, y=3200))])
    assert ground.pieces == ()
    assert coverage.street_share == 0
    assert coverage.area_share == pytest.approx(60 / 400, rel=0.01)


def test_a_patrol_of_the_demo_district_sees_more_streets_than_ground(demo_bundle: Path) -> None:
    streets = StreetGraph.load(demo_bundle)
    area = read_areas(demo_bundle)[0].polygon
    walk = streets.walk(Random(1), area)
    places = [
        route.at(float(metre))[:2]
        for route in (next(walk) for _ in range(8))
        for metre in range(0, int(route.length_m), 6)
    ]
    lat, lon = np.array(places).T
    coverage = Ground(area, streets).coverage([Way(np.arange(len(lat)) * 5000, lon, lat)])
    assert 0 < coverage.area_share < coverage.street_share < 1
