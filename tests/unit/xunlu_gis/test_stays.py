"""Stays at a place: fixes inside, ways through, gaps, edges."""

import numpy as np
import pytest
import shapely

from xunlu_gis.fence import Shape
from xunlu_gis.plane import Plane
from xunlu_gis.stays import Place, Stay
from xunlu_gis.track import Track

PLANE = Plane(31.23, 121.48)
CIRCLE = Shape.circle(121.48, 31.23, 100)


def track(times_s: list[float], east_m: list[float], north_m: float = 0) -> Track:
    degrees = PLANE.to_lon_lat(np.column_stack((east_m, np.full(len(east_m), north_m))))
    return Track.of((np.array(times_s) * 1000).astype(int), *degrees.T)


def spans(found: list[Stay]) -> list[tuple[float, float, int, str]]:
    return [(one.entered_ms / 1000, one.left_ms / 1000, one.fixes, one.confidence) for one in found]


def test_a_stay_reaches_from_the_first_fix_inside_to_the_last() -> None:
    found = Place.of(CIRCLE).stays(track([0, 10, 20, 30, 40], [-200, -50, 0, 50, 200]))
    assert spans(found) == [(10, 30, 3, "inside")]
    assert found[0].closest_m == 0


def test_a_way_through_between_two_fixes_is_a_passing() -> None:
    assert spans(Place.of(CIRCLE).stays(track([0, 10], [-200, 200]))) == [(0, 10, 0, "passing")]


def test_nothing_is_concluded_from_what_lies_across_a_gap_or_a_jump() -> None:
    place = Place.of(CIRCLE)
    assert place.stays(track([0, 10, 20, 700, 710], [-220, -210, -200, 200, 210])) == []
    assert place.stays(track([0, 1], [-2000, 2000])) == []
    assert spans(place.stays(track([0, 10, 700, 710], [0, 10, 0, 10]))) == [
        (0, 10, 2, "inside"),
        (700, 710, 2, "inside"),
    ]


def test_jitter_at_the_edge_is_one_stay_and_coming_back_later_another() -> None:
    assert len(Place.of(CIRCLE).stays(track([0, 10, 20, 30], [95, 105, 95, 105]))) == 1
    times = [float(one) for one in range(0, 210, 10)]
    away = [90.0, *[150.0] * 19, 90.0]
    assert spans(Place.of(CIRCLE).stays(track(times, away))) == [(0, 0, 1, "inside"), (200, 200, 1, "inside")]


@pytest.mark.parametrize(("within_m", "stays"), [(0, 0), (49, 0), (51, 1)])
def test_who_was_near_counts_as_far_as_asked(within_m: float, stays: int) -> None:
    found = Place.of(CIRCLE, within_m).stays(track([0, 10, 20], [-5, 0, 5], north_m=150))
    assert len(found) == stays
    assert all(one.closest_m == pytest.approx(50, abs=0.5) for one in found)


def test_an_empty_track_and_a_lone_fix_are_answered() -> None:
    place = Place.of(CIRCLE)
    assert place.stays(track([], [])) == []
    assert spans(place.stays(track([5], [0]))) == [(5, 5, 1, "inside")]


def test_the_box_of_a_place_holds_it_and_what_is_near() -> None:
    west, south, east, north = Place.of(CIRCLE, 50).bounds
    assert shapely.box(west, south, east, north).contains(CIRCLE.area)
    assert (east - west) * 95_450 == pytest.approx(300, abs=2)
    assert (north - south) * 110_870 == pytest.approx(300, abs=2)
