from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.xunlu_gis.real_data import geolife
from tests.unit.xunlu_gis.tracks import columns_at, track_at
from xunlu_gis.datum import wgs84_to_gcj02
from xunlu_gis.track import DEFAULT, ON_FOOT, Reason, Track, TrackSettings, breaks, clean, length_m
from xunlu_gis.track.piece import step_lengths_m

DAY_MS = 86_400_000
FIVE: list[tuple[float, float]] = [(30.0 * number, 0.0) for number in range(5)]


def names(track: Track, settings: TrackSettings = DEFAULT) -> list[str | None]:
    return clean(track, settings).names()


def changed(track: Track, column: str, values: npt.ArrayLike) -> Track:
    columns = {name: getattr(track, name) for name in Track.__slots__}
    return Track.of(**{**columns, column: values})


def test_a_walk_is_good_and_stays_as_it_is() -> None:
    track = columns_at(FIVE)
    cleaning = clean(track)
    assert cleaning.names() == [None] * 5
    assert cleaning.cleaned.lon.tolist() == track.lon.tolist()


def test_an_empty_track_and_a_single_fix_are_clean() -> None:
    assert len(clean(columns_at([])).cleaned) == 0
    assert names(columns_at([(0, 0)])) == [None]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("fix", 0, "no_fix"),
        ("lat", np.nan, "not_a_number"),
        ("lon", np.inf, "not_a_number"),
        ("lat", 90.5, "outside"),
        ("lon", -180.5, "outside"),
        ("fix", 6, "estimated"),
        ("fix", 7, "manual"),
        ("fix", 8, "simulated"),
        ("hdop", 5.1, "low_confidence"),
        ("sat", 3, "low_confidence"),
    ],
)
def test_what_a_fix_says_of_itself_is_its_reason(column: str, value: float, reason: str) -> None:
    track = columns_at(FIVE, fix=[1] * 5, sat=[9] * 5, hdop=[0.9] * 5)
    values = getattr(track, column).copy()
    values[2] = value
    cleaning = clean(changed(track, column, values))
    assert cleaning.names() == [None, None, reason, None, None]
    assert bool(cleaning.believed[2]) == (Reason[reason.upper()] < Reason.NO_FIX)


def test_an_empty_memory_is_no_place() -> None:
    track = columns_at(FIVE)
    lon, lat = track.lon.copy(), track.lat.copy()
    lon[3] = lat[3] = 0
    assert names(changed(changed(track, "lon", lon), "lat", lat)) == [None, None, None, "zero", None]


def test_the_box_of_the_service_may_cross_the_antimeridian() -> None:
    track = Track.of(np.arange(4) * 60_000 + 1_772_352_000_000, [179.99, -179.99, 178, 0], [1, 1, 1, 1])
    settings = TrackSettings(box=(179, -5, -179, 5))
    assert names(track, settings) == [None, None, "outside", "outside"]


def test_a_date_before_the_service_a_week_rollover_and_a_time_to_come_are_told_apart() -> None:
    track = columns_at(FIVE, speed_mps=[2] * 5)
    times = track.time_ms.copy()
    times[1] -= 1024 * 7 * DAY_MS
    times[2] = round(datetime(1980, 1, 6, tzinfo=UTC).timestamp() * 1000)
    times[4] += 61_000
    received = track.time_ms + 1000
    early = changed(changed(track, "received_ms", received), "time_ms", times)
    assert names(early) == [None, "week_rollover", "too_early", None, None]
    times[4] += 1
    assert names(changed(early, "time_ms", times))[4] == "future"


def test_a_clock_that_leapt_costs_its_own_fixes_only() -> None:
    seconds = [0, 5, 3600, 15, 20, 18, 25, 25]
    assert names(columns_at([(2.0 * s, 0) for s in range(0, 40, 5)], seconds)) == [
        None, None, "order", None, "order", None, None, "duplicate",
    ]  # fmt: skip


def test_a_track_in_reverse_keeps_one_fix_and_reasons_for_all_others() -> None:
    reasons = names(columns_at(FIVE, [40, 30, 20, 10, 0]))
    assert reasons.count("order") == 4
    assert reasons.count(None) == 1


def test_equal_times_keep_the_first_fix() -> None:
    assert names(columns_at(FIVE, [0] * 5)) == [None, *["duplicate"] * 4]


@pytest.mark.parametrize("width", [1, 2])
def test_out_and_back_within_three_fixes_is_a_spike(width: int) -> None:
    walk = [(6.0 * i, 0.0) for i in range(12)]
    for index in range(6, 6 + width):
        walk[index] = (walk[index][0], 120)
    track = columns_at(walk, 4.0 * np.arange(12), accuracy_m=[5] * 12)
    assert [index for index, reason in enumerate(names(track)) if reason == "spike"] == [*range(6, 6 + width)]


def test_a_walk_across_the_street_and_back_is_no_spike() -> None:
    there_and_back = columns_at(
        [(0, 0), (40, 0), (40, 70), (80, 0), (120, 0)], [0, 60, 120, 180, 240], accuracy_m=[5] * 5
    )
    assert names(there_and_back) == [None] * 5


def test_two_places_in_turn_are_one_place_and_its_spikes() -> None:
    assert names(columns_at([(0, 0), (0, 200)] * 3, accuracy_m=[5] * 6, speed_mps=[2] * 6)) == [
        None,
        "spike",
        None,
        "spike",
        None,
        None,
    ]


def test_a_leap_across_the_city_is_rejected_and_the_way_back_is_believed() -> None:
    walk = [(6.0 * i, 0.0) for i in range(12)]
    walk[5:8] = [(9000, 0), (0, 9000), (-9000, 0)]
    assert names(columns_at(walk)) == [None] * 5 + ["speed"] * 3 + [None] * 4


def test_after_three_rejections_the_new_place_is_believed_and_so_are_fixes_that_agree_with_it() -> None:
    track = columns_at([(0, 0), (5, 0), *((9000 + 6.0 * i, 0) for i in range(6))])
    cleaning = clean(track)
    assert cleaning.names() == [None, None, "jump", "jump", "jump", None, None, None]
    (leap,) = breaks(cleaning.cleaned)
    assert (leap.kind, leap.before) == ("jump", 1)
    assert length_m(cleaning.cleaned) == pytest.approx(5 + 30, abs=0.1)


def test_after_three_rejections_that_disagree_only_the_new_place_is_believed() -> None:
    track = columns_at([(0, 0), (5, 0), (90_000, 0), (0, 90_000), (-90_000, 0), (0, -9000), (6, -9000)])
    assert names(track) == [None, None, "speed", "speed", "speed", None, None]


def test_a_patrol_on_foot_does_not_ride() -> None:
    ride = columns_at([(20.0 * 5 * i, 0) for i in range(5)])
    assert names(ride) == [None] * 5
    assert names(ride, ON_FOOT) == [None, "speed", "speed", "speed", None]


def test_a_track_that_changes_its_datum_is_broken_there() -> None:
    track = columns_at([(6.0 * i, 0) for i in range(20)], accuracy_m=[5] * 20)
    lat, lon = wgs84_to_gcj02(track.lat, track.lon)
    half = np.arange(20) < 10
    mixed = changed(changed(track, "lat", np.where(half, track.lat, lat)), "lon", np.where(half, track.lon, lon))
    cleaned = clean(mixed).cleaned
    assert len(cleaned) == 20
    assert [(one.kind, one.before) for one in breaks(cleaned)] == [("jump", 9)]
    assert length_m(cleaned) == pytest.approx(18 * 6, abs=0.5)


def test_who_stands_is_held_in_place_and_loses_no_time() -> None:
    noise = np.random.default_rng(4).normal(0, 2, (60, 2))
    track = columns_at(noise, accuracy_m=[6] * 60, speed_mps=[0.1] * 60)
    cleaning = clean(track)
    assert cleaning.names() == [None, *["still"] * 59]
    assert cleaning.cleaned.time_ms.tolist() == track.time_ms.tolist()
    assert set(cleaning.cleaned.lon.tolist()) == {track.lon[0]}
    assert length_m(cleaning.cleaned) == 0


def test_without_a_speed_the_way_tells_who_stands() -> None:
    stand = columns_at([(0, 0), *([(0.5, 0.5)] * 20), (31, 0), (37, 0)])
    assert names(stand) == [None, *["still"] * 20, None, None]


def test_a_bad_receiver_holds_nobody_who_walks() -> None:
    walk = columns_at(FIVE, accuracy_m=[np.inf, -1, np.nan, 1e9, 5], speed_mps=[1.2] * 5)
    assert names(walk) == [None] * 5


def test_the_antimeridian_is_no_leap() -> None:
    lon = np.array([179.9998, 179.9999, -180.0, -179.9999, -179.9998])
    track = Track.of(1_772_352_000_000 + 10_000 * np.arange(5), lon, np.zeros(5))
    assert names(track) == [None] * 5
    assert length_m(track) == pytest.approx(4 * 11.13, abs=0.01)


degree = st.floats(-200, 200) | st.sampled_from([0.0, np.nan, np.inf, -np.inf, 180.0, -180.0, 121.4, 31.2])
hostile_fix = st.tuples(
    st.integers(-(10**13), 10**13) | st.integers(1_772_352_000_000, 1_772_352_060_000),
    degree,
    degree,
    st.integers(-1, 9),
    st.floats(),
    st.floats(),
)


@example([(1_577_836_800_000, 0.0, 1.0, 1, 4.5e307, 0.0)])
@given(st.lists(hostile_fix, max_size=40))
def test_every_fix_of_any_track_gets_a_reason_and_what_is_believed_is_sound(
    rows: list[tuple[int, float, float, int, float, float]],
) -> None:
    time_ms, lon, lat, fix, accuracy_m, speed_mps = zip(*rows, strict=True) if rows else ((),) * 6
    track = Track.of(time_ms, lon, lat, fix=fix, accuracy_m=accuracy_m, speed_mps=speed_mps)
    cleaning = clean(track)
    assert len(cleaning.names()) == len(track)
    cleaned = cleaning.cleaned
    assert (np.diff(cleaned.time_ms) > 0).all()
    assert (np.abs(cleaned.lon) <= 180).all()
    assert (np.abs(cleaned.lat) <= 90).all()
    assert not (cleaned.fix == 0).any()


def test_rows_and_columns_are_judged_alike() -> None:
    points = track_at([(0, 0), (6, 0), (6, 900), (18, 0)], accuracy_m=5.0, fix=1)
    points[1] = points[1]._replace(sat=2)
    assert names(Track.of_points(points)) == [None, "low_confidence", "spike", None]


def test_real_tracks_keep_no_impossible_speed_but_where_they_are_broken() -> None:
    for points in geolife().values():
        cleaned = clean(Track.of_points(points), TrackSettings(earliest_ms=0)).cleaned
        speeds = step_lengths_m(cleaned.degrees) / np.diff(cleaned.time_s)
        broken = {one.before for one in breaks(cleaned)}
        assert all(speed < 60.5 for index, speed in enumerate(speeds) if index not in broken)
        assert all(one < other for one, other in pairwise(cleaned.time_ms.tolist()))
