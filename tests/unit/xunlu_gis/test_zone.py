import json
from datetime import UTC, datetime, time
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import shapely
import shapely.geometry
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.xunlu_gis.real_data import real
from tests.unit.xunlu_gis.tracks import PLANE
from tests.unit.xunlu_gis.zones import degrees, square
from xunlu_gis.areas import read_areas
from xunlu_gis.datum import wgs84_to_gcj02
from xunlu_gis.errors import ZoneError
from xunlu_gis.fence import Drawing, Reference, Schedule, Shape, Zone, read_drawing
from xunlu_gis.fence.drawing import VERTICES_MAX
from xunlu_gis.fence.schedule import CLOSED
from xunlu_gis.streets import StreetGraph


def drawn(geometry: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": shapely.geometry.mapping(geometry)}


def codes(drawing: Drawing) -> list[str]:
    return [doubt.code for doubt in drawing.doubts]


def shifted(geometry: Any) -> Any:
    """As a map in GCJ-02 shows it."""
    return shapely.transform(geometry, lambda xy: np.column_stack(wgs84_to_gcj02(xy[:, 1], xy[:, 0])[::-1]))


def test_a_polygon_is_what_was_drawn() -> None:
    drawing = read_drawing(drawn(square(), name="外滩"))
    assert drawing.doubts == ()
    assert drawing.shape.area.equals(square())
    assert drawing.shape.area_m2 == pytest.approx(10_000, rel=1e-3)


@pytest.mark.parametrize(("lat", "lon"), [(31.23, 121.48), (22.0, 100.1), (52.9, 122.0)])
def test_a_circle_is_round_wherever_it_lies(lat: float, lon: float) -> None:
    shape = read_drawing(drawn(shapely.Point(lon, lat), radius_m=200)).shape
    assert shape.area_m2 == pytest.approx(np.pi * 200**2, rel=3e-3)
    assert shape.as_geojson() == drawn(shapely.Point(lon, lat), radius_m=200)


def test_a_corridor_is_as_wide_as_it_says() -> None:
    line = degrees(shapely.LineString([(0, 0), (1000, 0)]))
    shape = read_drawing(drawn(line, width_m=40)).shape
    assert shape.area_m2 == pytest.approx(40 * 1000 + np.pi * 20**2, rel=5e-3)


@settings(deadline=None)
@given(
    st.one_of(
        st.builds(Shape.circle, st.floats(100, 125), st.floats(20, 45), st.floats(5, 50_000)),
        st.builds(
            lambda places, width: Shape.corridor(degrees(shapely.LineString(places)), width),
            st.lists(st.tuples(st.integers(-900, 900), st.integers(-900, 900)), min_size=2, max_size=9, unique=True),
            st.floats(5, 200),
        ),
        st.builds(lambda side, x: Shape.polygon(square(side, x)), st.floats(30, 9000), st.floats(-900, 900)),
    )
)
def test_a_shape_goes_through_geojson(shape: Shape) -> None:
    read = read_drawing(json.loads(json.dumps(shape.as_geojson()))).shape
    assert read.as_geojson() == shape.as_geojson()
    assert read.area.equals(shape.area)
    assert read.area.is_valid


def test_an_outline_that_crosses_itself_is_repaired_and_shown() -> None:
    bow = degrees(shapely.Polygon([(0, 0), (100, 100), (100, 0), (0, 100)]))
    drawing = read_drawing(drawn(bow))
    assert codes(drawing) == ["repaired"]
    assert drawing.shape.area_m2 == pytest.approx(5000, rel=1e-2)
    shown = drawing.as_geojson()
    assert shown["geometry"]["type"] == "MultiPolygon"
    assert shown["properties"]["area_m2"] == pytest.approx(5000, rel=1e-2)
    assert shown["properties"]["doubts"][0]["code"] == "repaired"
    assert read_drawing(shown).doubts == ()


def test_holes_and_small_zones_are_doubted() -> None:
    ring = degrees(shapely.box(0, 0, 100, 100) - shapely.box(30, 30, 70, 70))
    assert codes(read_drawing(drawn(ring))) == ["holes"]
    assert codes(read_drawing(drawn(square(10)))) == ["tiny"]


@pytest.mark.parametrize(
    ("feature", "says"),
    [
        ({}, "RFC 7946"),
        ({"geometry": None}, "RFC 7946"),
        ({"geometry": {"type": "Polygon", "coordinates": "x"}}, "RFC 7946"),
        ({"geometry": {"type": "Polygon", "coordinates": [[["a", 1]] * 4]}}, "RFC 7946"),
        ({"geometry": {"type": "Polygon", "coordinates": [[[10**400, 1], [1, 1], [1, 2], [10**400, 1]]]}}, "RFC 7946"),
        ({"geometry": {"type": "Polygon", "coordinates": []}}, "empty"),
        (drawn(shapely.Point(121, 31)), "radius_m"),
        (drawn(shapely.Point(121, 31), radius_m="9"), "radius_m"),
        (drawn(shapely.Point(121, 31), radius_m=True), "radius_m"),
        (drawn(shapely.Point(121, 31), radius_m=float("nan")), "radius_m"),
        (drawn(shapely.Point(121, 31), radius_m=1e9), "radius_m"),
        ({"geometry": {"type": "Point", "coordinates": [121, 31]}, "properties": [1]}, "radius_m"),
        (drawn(shapely.LineString([(121, 31), (121.1, 31)])), "width_m"),
        (drawn(shapely.MultiPoint([(121, 31), (121.1, 31)])), "MultiPoint"),
        (drawn(shapely.box(31, 121, 31.1, 121.1)), "longitude comes first"),
        (drawn(shapely.box(137.8, 31, 137.9, 31.1)), "leaves longitude"),
        (
            {"geometry": {"type": "Polygon", "coordinates": [[[121, 31], [float("nan"), 31], [121, 32], [121, 31]]]}},
            "leaves",
        ),
        (drawn(shapely.box(110, 28, 120, 38)), "km²"),
        (drawn(shapely.Polygon([(121, 31), (121.1, 31), (121.2, 31)])), "encloses nothing"),
        (drawn(shapely.Point(121, 31).buffer(0.1, quad_segs=VERTICES_MAX // 2)), "simplify"),
    ],
)
def test_what_cannot_be_a_zone_says_why(feature: dict[str, Any], says: str) -> None:
    with pytest.raises(ZoneError, match=says):
        read_drawing(feature)


def test_an_outline_in_gcj02_is_told_by_the_areas_of_the_map() -> None:
    areas = [square(1500, x, y) for x in (0, 1500, 3000) for y in (0, 1500)]
    reference = Reference(areas=areas)
    assert codes(read_drawing(drawn(shifted(areas[2])), reference)) == ["gcj02"]
    assert codes(read_drawing(drawn(areas[2]), reference)) == []
    assert codes(read_drawing(drawn(square(400, 700, 900)), reference)) == []
    assert codes(read_drawing(drawn(shifted(areas[2])), Reference())) == []


def test_a_patrol_line_in_gcj02_is_told_by_the_streets_of_the_map() -> None:
    streets = [degrees(shapely.LineString(line)) for line in ([(0, 0), (0, 4000)], [(0, 2000), (3000, 2000)])]
    reference = Reference(streets=streets)
    line = degrees(shapely.LineString([(0, 500), (0, 2000), (2500, 2000)]))
    assert codes(read_drawing(drawn(shifted(line), width_m=30), reference)) == ["gcj02"]
    assert codes(read_drawing(drawn(line, width_m=30), reference)) == []
    assert codes(read_drawing(drawn(shapely.Point(121.48, 31.23), radius_m=50), reference)) == []


def test_the_map_of_the_demo_tells_gcj02(demo_bundle: Path) -> None:
    reference = Reference.of_bundle(demo_bundle)
    areas = [area.polygon for area in read_areas(demo_bundle)]
    assert all(reference.looks_like_gcj02(shifted(area)) for area in areas)
    assert not any(reference.looks_like_gcj02(area) for area in areas)
    route = next(StreetGraph.load(demo_bundle).walk(Random(4), areas[0]))
    line = shapely.LineString([route.at(metre)[1::-1] for metre in np.arange(0, route.length_m, 20)])
    assert reference.looks_like_gcj02(shifted(line))
    assert not reference.looks_like_gcj02(line)


def test_real_outlines_in_gcj02_are_told_by_real_ones_in_wgs84() -> None:
    features = json.loads(real("shanghai/subdistricts.geojson").read_bytes())["features"]
    areas = [shapely.geometry.shape(feature["geometry"]) for feature in features]
    reference = Reference(areas=areas)
    small = sorted(areas, key=lambda area: float(area.area))[10:40]
    assert all(reference.looks_like_gcj02(shifted(area)) for area in small)
    assert not any(reference.looks_like_gcj02(area) for area in small)


def test_a_stay_without_a_limit_cannot_be_written_as_a_number() -> None:
    with pytest.raises(ZoneError, match="positive"):
        Zone(id=1, kind="post", shape=Shape.polygon(square()), valid_from_ms=0, dwell_s_max=0)


def opening(schedule: Schedule, *at: datetime) -> list[int]:
    numbers: list[int] = schedule.openings(np.array([round(instant.timestamp() * 1000) for instant in at])).tolist()
    return numbers


def shanghai(day: int, hour: int, minute: int = 0) -> datetime:
    """Of March 2026; the 1st and the 8th are Sundays."""
    return datetime.fromtimestamp(datetime(2026, 3, day, hour, minute, tzinfo=UTC).timestamp() - 8 * 3600, UTC)


def test_a_window_opens_and_shuts_by_local_time() -> None:
    day = Schedule(start=time(8), end=time(17, 30), weekdays=frozenset({1, 2, 3, 4, 5}))
    shut, first, still, over, next_day, sunday = opening(
        day,
        shanghai(2, 7, 59),
        shanghai(2, 8),
        shanghai(2, 17, 29),
        shanghai(2, 17, 30),
        shanghai(3, 8),
        shanghai(8, 12),
    )
    assert shut == over == sunday == CLOSED
    assert first == still < next_day


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    sunday_night = Schedule(start=time(22), end=time(6), weekdays=frozenset({7}))
    evening, morning, next_night = opening(sunday_night, shanghai(1, 23), shanghai(2, 5, 59), shanghai(2, 23))
    assert evening == morning != CLOSED
    assert next_night == CLOSED


def test_windows_that_touch_are_one_opening() -> None:
    always = Schedule(start=time(0), end=time(0))
    assert len(set(opening(always, *(shanghai(day, 0) for day in range(1, 20))))) == 1
    weekend = Schedule(start=time(8), end=time(8), weekdays=frozenset({6, 7}))
    inside = opening(weekend, shanghai(7, 8), shanghai(8, 3), shanghai(8, 12), shanghai(9, 7, 59))
    assert len(set(inside)) == 1
    assert opening(weekend, shanghai(9, 8)) == [CLOSED]
    wraps = Schedule(start=time(12), end=time(12), weekdays=frozenset({7, 1}))
    inside = opening(wraps, shanghai(1, 12), shanghai(2, 11), shanghai(2, 13), shanghai(3, 11, 59))
    assert len(set(inside)) == 1
    assert inside[0] < opening(wraps, shanghai(8, 12))[0]
    assert opening(wraps, shanghai(3, 12)) == [CLOSED]


@settings(deadline=None)
@given(
    st.times(), st.times(), st.frozensets(st.integers(1, 7), min_size=1),
    st.lists(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)), min_size=1, max_size=50),  # noqa: DTZ001
)  # fmt: skip
def test_openings_are_those_of_a_calendar_read_by_hand(
    start: time, end: time, weekdays: frozenset[int], instants: list[datetime]
) -> None:
    schedule = Schedule(start=start.replace(microsecond=0), end=end.replace(microsecond=0), weekdays=weekdays)
    second = [(clock.hour * 60 + clock.minute) * 60 + clock.second for clock in (schedule.start, schedule.end)]
    length = second[1] - second[0] if second[1] > second[0] else second[1] - second[0] + 86_400
    instants = [instant.replace(microsecond=0, tzinfo=UTC) for instant in instants]
    for instant, number in zip(instants, opening(schedule, *instants), strict=True):
        local = int(instant.timestamp()) + 8 * 3600
        today = local // 86_400
        begins = [(day, day * 86_400 + second[0]) for day in (today - 1, today)]
        is_open = any((day + 3) % 7 + 1 in weekdays and begin <= local < begin + length for day, begin in begins)
        assert (number != CLOSED) == is_open
    ordered = sorted(instants)
    numbers = [number for number in opening(schedule, *ordered) if number != CLOSED]
    assert numbers == sorted(numbers)


def test_summer_time_moves_a_window() -> None:
    paris = Schedule(start=time(8), end=time(9), timezone="Europe/Paris")
    winter, summer = datetime(2026, 3, 1, 7, 30, tzinfo=UTC), datetime(2026, 7, 1, 6, 30, tzinfo=UTC)
    assert CLOSED not in opening(paris, winter, summer)


@pytest.mark.parametrize(
    "wrong",
    [
        {"weekdays": frozenset()},
        {"weekdays": frozenset({0})},
        {"timezone": "Nowhere/City"},
        {"timezone": "../etc/passwd"},
        {"start": time(8, tzinfo=UTC)},
    ],
)
def test_a_calendar_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ZoneError):
        Schedule(**{"start": time(8), "end": time(9), **wrong})


def test_the_shape_of_a_plane_does_not_depend_on_where_it_was_drawn() -> None:
    here, there = (read_drawing(drawn(PLANE.geometry_to_lon_lat(shapely.Point(x, 0)), radius_m=100)) for x in (0, 9000))
    assert here.shape.area_m2 == pytest.approx(there.shape.area_m2, rel=1e-4)
