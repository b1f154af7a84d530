import json
import random
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
import shapely.geometry

from tests.unit.xunlu_gis.tracks import PLANE
from xunlu_gis.areas import read_areas
from xunlu_gis.errors import MapError
from xunlu_gis.plane import Plane
from xunlu_gis.streets import Route, StreetGraph


def graph(*lines: list[tuple[float, float]]) -> StreetGraph:
    """Streets given in metres."""
    return StreetGraph.from_lines(
        [(shapely.LineString(PLANE.to_lon_lat(np.array(line, dtype=float))), {"name": f"{i}路", "class": "tertiary"})
         for i, line in enumerate(lines)]
    )  # fmt: skip


def corner(streets: StreetGraph, x: float, y: float) -> int:
    lon, lat = PLANE.to_lon_lat(np.array([[x, y]]))[0]
    return streets.nearest(float(lat), float(lon))


SQUARE = graph(
    [(0, 0), (100, 0), (200, 0)],
    [(0, 0), (0, 300), (200, 300), (200, 0)],
    [(100, 0), (100, -50)],
    [(5000, 5000), (5100, 5000)],
)


def test_streets_meet_where_they_share_a_coordinate() -> None:
    assert len(SQUARE.corners) == 4
    assert sorted(round(edge.length_m) for edge in SQUARE.edges) == [50, 100, 100, 800]


def test_an_island_that_cannot_be_reached_is_left_out() -> None:
    assert all(abs(y) < 1000 for y in PLANE.to_xy(SQUARE.plane.to_lon_lat(SQUARE.corners))[:, 1])


def test_the_shortest_way_is_found() -> None:
    start, end = corner(SQUARE, 0, 0), corner(SQUARE, 200, 0)
    route = SQUARE.route(start, end)
    assert route.length_m == pytest.approx(200, abs=0.1)
    assert SQUARE.route(start, start).length_m == 0


def test_a_route_tells_place_and_course_after_a_distance() -> None:
    route = SQUARE.route(corner(SQUARE, 100, -50), corner(SQUARE, 200, 0))
    lat, lon, course = route.at(25)
    assert PLANE.to_xy(np.array([[lon, lat]]))[0] == pytest.approx((100, -25), abs=0.1)
    assert course == pytest.approx(0, abs=0.1) or course == pytest.approx(360, abs=0.1)
    assert route.at(100)[2] == pytest.approx(90, abs=0.1)
    assert route.at(-5) == route.at(0)
    assert route.at(1e9)[:2] == pytest.approx(SQUARE.place(corner(SQUARE, 200, 0)), abs=1e-6)


def test_a_route_that_goes_nowhere_stays() -> None:
    here = Route(Plane(31.23, 121.48), np.array([[0.0, 0.0]]))
    assert here.at(10) == (31.23, 121.48, 0.0)


def test_the_way_is_as_short_as_an_exhaustive_search_finds(demo_bundle: Path) -> None:
    streets = StreetGraph.load(demo_bundle)
    rng = random.Random(8)
    start = rng.randrange(len(streets.corners))
    best = _all_distances(streets, start)
    for end in rng.sample(range(len(streets.corners)), 40):
        assert streets.route(start, end).length_m == pytest.approx(best[end], rel=1e-6)


def _all_distances(streets: StreetGraph, start: int) -> list[float]:
    """Bellman and Ford, to check A* by another idea."""
    best = np.full(len(streets.corners), np.inf)
    best[start] = 0
    one = np.array([edge.start for edge in streets.edges])
    other = np.array([edge.end for edge in streets.edges])
    length = np.array([edge.length_m for edge in streets.edges])
    while True:
        before = best.copy()
        np.minimum.at(best, other, best[one] + length)
        np.minimum.at(best, one, best[other] + length)
        if np.array_equal(before, best):
            return [float(value) for value in best]


def test_the_demo_district_hangs_together(demo_bundle: Path) -> None:
    streets = StreetGraph.load(demo_bundle)
    features = json.loads((demo_bundle / "streets.geojson").read_bytes())["features"]
    total = sum(shapely.geometry.shape(feature["geometry"]).length for feature in features)
    in_graph = sum(shapely.LineString(streets.plane.to_lon_lat(edge.xy)).length for edge in streets.edges)
    assert in_graph / total > 0.95
    assert len(streets.corners) > 3000


def test_a_patrol_walks_on_without_a_jump_and_mostly_inside_its_area(demo_bundle: Path) -> None:
    streets = StreetGraph.load(demo_bundle)
    for area in read_areas(demo_bundle):
        routes = list(islice(streets.walk(random.Random(1), area.polygon), 12))
        for one, other in pairwise(routes):
            assert one.at(one.length_m)[:2] == pytest.approx(other.at(0)[:2], abs=1e-6)
        places = [route.at(metre) for route in routes for metre in range(0, int(route.length_m), 20)]
        inside = shapely.contains_xy(area.polygon, [lon for _, lon, _ in places], [lat for lat, _, _ in places])
        assert inside.mean() > 0.8, area.name


def test_the_same_seed_walks_the_same_patrol(demo_bundle: Path) -> None:
    streets = StreetGraph.load(demo_bundle)
    one, other = (list(islice(streets.walk(random.Random(3)), 5)) for _ in range(2))
    assert [route.at(99) for route in one] == [route.at(99) for route in other]


def test_an_area_without_streets_is_refused(demo_bundle: Path) -> None:
    with pytest.raises(MapError, match="larger"):
        next(StreetGraph.load(demo_bundle).walk(random.Random(1), shapely.Point(0, 0).buffer(0.1)))


def test_a_folder_without_streets_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(MapError, match="xunlu-map prepare"):
        StreetGraph.load(tmp_path)
    (tmp_path / "streets.geojson").write_text('{"type": "FeatureCollection", "features": []}', "utf-8")
    with pytest.raises(MapError, match="no streets"):
        StreetGraph.load(tmp_path)


def test_areas_are_read_with_their_names(demo_bundle: Path, tmp_path: Path) -> None:
    areas = {area.name: area for area in read_areas(demo_bundle)}
    assert areas["东岸街道"].pinyin == "dong an jie dao"
    assert areas["东岸街道"].polygon.contains(shapely.Point(121.5036, 31.2385))
    with pytest.raises(MapError, match=r"areas\.geojson"):
        read_areas(tmp_path)
