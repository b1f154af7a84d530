import json
from datetime import UTC, datetime, time

import numpy as np
import pytest
import shapely

from tests.unit.xunlu_gis.tracks import PLANE
from tests.unit.xunlu_gis.zones import START_MS, along, square, walked, zone
from xunlu_gis.errors import ZoneError
from xunlu_gis.fence import FenceRules, Fences, Fixes, Schedule, States, ZoneEvent, revised

FENCES = Fences([zone()])


def told(events: tuple[ZoneEvent, ...]) -> list[tuple[str, float, str]]:
    """Kind, second and reason of events."""
    return [(event.kind, (event.at_ms - START_MS) / 1000, event.reason) for event in events]


def test_two_fixes_inside_are_an_entrance_at_the_first_of_them() -> None:
    evaluation = FENCES.evaluate(along([-50, -20, 5, 20]))
    (event,) = evaluation.events
    assert told(evaluation.events) == [("enter", 10, "")]
    assert (event.confirmed_ms, event.entered_ms) == (START_MS + 15_000, START_MS + 10_000)
    assert PLANE.to_xy(np.array([[event.lon, event.lat]]))[0] == pytest.approx((5, 50), abs=0.02)
    assert evaluation.states.inside() == {1: {1: START_MS + 10_000}}


def test_one_fix_inside_is_none() -> None:
    assert FENCES.evaluate(along([-50, 5, -20, 5, -20])).events == ()


def test_ten_seconds_inside_are_an_entrance_where_more_fixes_are_asked_for() -> None:
    patient = Fences([zone()], FenceRules(enter_fixes=100))
    assert [e.confirmed_ms - START_MS for e in patient.evaluate(along([-9, *[5] * 20], 1)).events] == [11_000]


def test_leaving_takes_two_fixes_and_twenty_seconds_beyond_the_band() -> None:
    inside = [-20, 10, 50]
    assert told(FENCES.evaluate(along([*inside, 120, 120, 120, 120])).events) == [("enter", 5, "")]
    evaluation = FENCES.evaluate(along([*inside, 120, 120, 120, 120, 120]))
    assert told(evaluation.events) == [("enter", 5, ""), ("leave", 15, "")]
    assert evaluation.events[-1].confirmed_ms == START_MS + 35_000
    assert told(FENCES.evaluate(along([*inside, 120], seconds=[0, 5, 10, 60])).events) == [("enter", 5, "")]


def test_somebody_between_the_border_and_the_band_is_still_inside() -> None:
    assert told(FENCES.evaluate(along([-20, 10, 50, *[114] * 100])).events) == [("enter", 5, "")]


def test_the_band_is_as_wide_as_the_accuracy() -> None:
    xs = [-20, 10, 50, *[130] * 20]
    assert len(FENCES.evaluate(along(xs, accuracy_m=[3] * len(xs))).events) == 2
    assert len(FENCES.evaluate(along(xs, accuracy_m=[40] * len(xs))).events) == 1


def test_a_glitch_neither_ends_nor_begins_a_visit() -> None:
    xs = [-20, 10, 50, 50, 900, 50, 50, 900, 50]
    assert told(FENCES.evaluate(along(xs)).events) == [("enter", 5, "")]


def test_a_fix_of_low_confidence_is_heard_but_moves_nothing() -> None:
    xs = [-20, 10, 50, *[900] * 30, 50]
    for doubt in ({"accuracy_m": [5, 5, 5, *[80] * 30, 5]}, {"confident": [True] * 3 + [False] * 30 + [True]}):
        evaluation = FENCES.evaluate(along(xs, 60, **doubt))
        assert told(evaluation.events) == [("enter", 60, "")]
        assert 1 in evaluation.states.inside()


def test_a_rule_that_is_made_with_somebody_inside_tells_of_no_entrance() -> None:
    evaluation = FENCES.evaluate(along([50]))
    assert evaluation.events == ()
    assert evaluation.states.inside() == {1: {1: START_MS}}
    fences = Fences([zone(valid_from_ms=START_MS + 12_000)])
    assert told(fences.evaluate(along([50, 50, 50, 50, *[200] * 6])).events) == [("leave", 20, "")]


def test_somebody_outside_when_the_rule_is_made_does_enter() -> None:
    fences = Fences([zone(valid_from_ms=START_MS + 12_000)])
    assert told(fences.evaluate(along([50, 50, 50, -30, -30, 50, 50])).events) == [("enter", 25, "")]


def test_ten_minutes_of_silence_end_a_visit_with_the_last_fix() -> None:
    inside = along([-20, 10, 50, 50, 50], seconds=[0, 5, 10, 610, 1211])
    assert told(FENCES.evaluate(inside).events) == [("enter", 5, ""), ("leave", 610, "gap")]
    assert not FENCES.evaluate(inside).events[-1].alarm


def test_silence_ends_a_visit_also_while_nothing_comes() -> None:
    states = FENCES.evaluate(along([-20, 10, 50])).states
    assert FENCES.silence(states, START_MS + 610_000).events == ()
    ended = FENCES.silence(states, START_MS + 610_001)
    assert told(ended.events) == [("leave", 10, "gap")]
    assert ended.states.inside() == {}
    whole = FENCES.evaluate(along([-20, 10, 50, 50], seconds=[0, 5, 10, 700])).events
    assert [e.key for e in FENCES.evaluate(along([50], seconds=[700]), ended.states).events] == []
    assert [e.key for e in whole][-1] == ended.events[0].key


def test_a_zone_that_ends_closes_its_visits() -> None:
    fences = Fences([zone(valid_to_ms=START_MS + 14_000)])
    evaluation = fences.evaluate(along([-20, 10, 50, 50, 50]))
    assert told(evaluation.events) == [("enter", 5, ""), ("leave", 10, "closed")]
    assert len(evaluation.states.presences) == 0


def test_a_zone_that_was_taken_away_closes_its_visits() -> None:
    states = FENCES.evaluate(along([-20, 10, 50])).states
    for fences in (Fences([]), Fences([zone(2, square(x=5000))])):
        assert told(fences.evaluate(along([50], seconds=[15]), states).events) == [("leave", 10, "closed")]


def test_a_stay_beyond_the_limit_is_told_once_a_visit() -> None:
    fences = Fences([zone(dwell_s_max=60, kind="post")])
    stay = [-20, *[50] * 30, *[300] * 6, *[50] * 5]
    evaluation = fences.evaluate(along(stay))
    assert told(evaluation.events) == [("enter", 5, ""), ("dwell", 65, ""), ("leave", 155, ""), ("enter", 185, "")]
    assert [event.alarm for event in evaluation.events] == [False, True, True, False]


@pytest.mark.parametrize(
    ("kind", "alarms"),
    [
        ("responsibility", ["leave"]), ("post", ["leave"]), ("forbidden", ["enter"]), ("watch", ["enter"]),
        ("patrol", []),
    ],
)  # fmt: skip
def test_the_kind_of_a_zone_says_what_alarms(kind: str, alarms: list[str]) -> None:
    fences = Fences([zone(kind=kind)])  # type: ignore[arg-type]
    events = fences.evaluate(along([-20, 10, 50, *[300] * 6])).events
    assert [event.kind for event in events if event.alarm] == alarms


def test_altitude_and_order_of_arrival_do_not_matter() -> None:
    fixes = along([-50, -20, 5, 20, 50, *[300] * 7])
    mixed = fixes[np.random.default_rng(3).permutation(len(fixes))]
    assert FENCES.evaluate(mixed).events == FENCES.evaluate(fixes).events


def test_fixes_of_many_devices_do_not_mix() -> None:
    one, other = along([-20, 10, 50]), along([10, 300, 300], device=2)
    both = Fixes.of(*(np.concatenate((getattr(one, name), getattr(other, name))) for name in
                      ("device", "time_ms", "lon", "lat", "accuracy_m", "confident")))  # fmt: skip
    evaluation = FENCES.evaluate(both)
    assert [event.device for event in evaluation.events] == [1]
    assert evaluation.states.inside() == {1: {1: START_MS + 5000}, 2: {1: START_MS}}


def test_what_is_not_newer_than_the_state_is_named_and_left_out() -> None:
    first = FENCES.evaluate(along([-20, 10, 50]))
    again = FENCES.evaluate(along([900, 50], seconds=[10, 15]), first.states)
    assert again.late.tolist() == [True, False]
    assert again.events == ()


def test_fixes_without_a_place_or_a_time_are_named_and_left_out() -> None:
    fixes = Fixes.of(
        1, [START_MS, START_MS, START_MS, -1, 1 << 62], [np.nan, 181, 121, 121, 121], [31, 31, np.inf, 31, 31]
    )
    evaluation = FENCES.evaluate(fixes)
    assert evaluation.unusable.all()
    assert len(evaluation.states.devices) == 0
    assert FENCES.evaluate(Fixes.of(1, [], [], [])).events == ()
    with pytest.raises(ZoneError, match="equal lengths"):
        Fixes.of(1, [1, 2], [121], [31])


def test_a_state_goes_through_json() -> None:
    fixes = along([-20, 10, 50, 300, 300, 300, 300, 300])
    whole = FENCES.evaluate(fixes)
    for cut in range(1, len(fixes)):
        first = FENCES.evaluate(fixes[:cut])
        text = json.dumps(first.states.as_json())
        states = States.from_json({int(device): state for device, state in json.loads(text).items()})
        second = FENCES.evaluate(fixes[cut:], states)
        assert first.events + second.events == whole.events
        assert second.states.as_json() == whole.states.as_json()
        assert len(text) < 200


@pytest.mark.parametrize(
    "state",
    [
        None,
        [],
        {"heard": [1], "zones": []},
        {"heard": [1, 2, 3, "x"], "zones": []},
        {"heard": [1, 2, 3, 4], "zones": [1]},
    ],
)
def test_a_damaged_state_says_what_to_do(state: object) -> None:
    with pytest.raises(ZoneError, match="begins anew"):
        States.from_json({1: state})


def test_late_fixes_change_what_is_known() -> None:
    fixes = along([-20, 10, 50, 50, 50, 50], seconds=[0, 5, 10, 300, 620, 650])
    live = FENCES.evaluate(fixes[[0, 1, 2, 4, 5]])
    assert told(live.events) == [("enter", 5, ""), ("leave", 10, "gap"), ("enter", 620, "")]
    revision = revised([event.key for event in live.events], FENCES.evaluate(fixes).events)
    assert revision.added == ()
    assert revision.withdrawn == {event.key for event in live.events[1:]}
    late = along([-20, 10, 50, 50, *[300] * 5, 50], seconds=[0, 5, 10, 15, 100, 110, 120, 130, 140, 200])
    short = FENCES.evaluate(late[[0, 1, 2, 3, 9]])
    added = revised([event.key for event in short.events], FENCES.evaluate(late).events).added
    assert told(added) == [("leave", 100, "")]
    assert [(event.late, event.alarm) for event in added] == [(True, False)]


def test_another_look_may_begin_in_a_long_silence() -> None:
    fixes = along([-20, 10, 50, 50, 50, *[300] * 6], seconds=[0, 5, 10, 1000, 1005, 1010, 1020, 1030, 1040, 1050, 1060])
    whole = FENCES.evaluate(fixes)
    resting = States.resting(1, START_MS + 10_000, float(fixes.lon[2]), float(fixes.lat[2]))
    rest = FENCES.evaluate(fixes[3:], resting)
    assert rest.events == whole.events[2:]
    assert rest.states.as_json() == whole.states.as_json()


def test_a_post_is_in_force_by_the_local_calendar_over_midnight() -> None:
    night = Schedule(start=time(22), end=time(6))
    fences = Fences([zone(kind="post", schedule=night)])
    at = [(datetime(2026, 3, 1, *clock, tzinfo=UTC).timestamp() - START_MS / 1000) for clock in
          [(13, 50), (13, 59), (14, 1), (14, 9), (14, 10), (14, 11), (14, 12), (14, 13)]]  # fmt: skip
    evaluation = fences.evaluate(along([50, 50, 50, 50, 300, 300, 300, 300], seconds=at))
    assert told(evaluation.events) == [("leave", at[4], "")]
    assert evaluation.events[0].entered_ms == START_MS + at[2] * 1000
    before_end = [
        (datetime(2026, 3, 1, 21, minute, tzinfo=UTC).timestamp() - START_MS / 1000) for minute in (50, 51, 52)
    ]
    closing = fences.evaluate(along([50, 50, 50, 50], seconds=[*before_end, before_end[2] + 540]))
    assert told(closing.events) == [("leave", before_end[2], "closed")]


def test_zones_that_overlap_are_judged_each_by_itself() -> None:
    fences = Fences([zone(1), zone(2, square(300)), zone(3, square(x=1000))])
    events = fences.evaluate(along([-50, 10, 50, *[200] * 10])).events
    assert [(event.zone, event.kind) for event in events] == [(1, "enter"), (2, "enter"), (1, "leave")]


def test_the_border_is_inside_and_a_hole_is_outside() -> None:
    ring = shapely.box(0, 0, 100, 100) - shapely.box(30, 30, 70, 70)
    fences = Fences([zone(area=PLANE.geometry_to_lon_lat(ring))])
    assert fences.evaluate(walked([(0, 0)])).states.inside()
    assert not fences.evaluate(walked([(50, 50)])).states.inside()


def test_two_zones_of_one_id_are_refused() -> None:
    with pytest.raises(ZoneError, match="same id"):
        Fences([zone(), zone()])


def test_more_fixes_than_a_batch_change_nothing() -> None:
    day = along([50 + 100 * np.sin(i / 300) for i in range(20_000)], 1)
    whole = FENCES.evaluate(day)
    states, events = States(), list[ZoneEvent]()
    for first in range(0, len(day), 3_000):
        part = FENCES.evaluate(day[first : first + 3_000], states)
        states, events = part.states, [*events, *part.events]
    assert tuple(events) == whole.events
    assert len(events) > 10


@pytest.mark.parametrize("wrong", [{"enter_fixes": 0}, {"gap_s": -1}, {"band_m": float("nan")}])
def test_rules_out_of_bounds_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ZoneError, match="must"):
        FenceRules(**wrong)  # type: ignore[arg-type]


def test_hundreds_of_zones_upon_each_other_stay_within_bounds() -> None:
    fences = Fences([zone(number) for number in range(300)])
    evaluation = fences.evaluate(along([-20, *[50] * 5_000, *[300] * 30], 1))
    assert len(evaluation.events) == 600
    assert {event.kind for event in evaluation.events} == {"enter", "leave"}


def test_a_zone_far_from_all_others_is_judged_like_them() -> None:
    far = shapely.transform(square(), lambda xy: np.add(xy, (0.0, 8.0)))
    fences = Fences([zone(1), zone(2, far)])
    fixes = along([-20, 10, 50, 50, *[114] * 30, *[200] * 9])
    there = Fixes.of(2, fixes.time_ms, fixes.lon, fixes.lat + 8.0)
    here, away = fences.evaluate(fixes).events, fences.evaluate(there).events
    assert [event.kind for event in here] == [event.kind for event in away] == ["enter", "leave"]
    assert [event.at_ms for event in here] == [event.at_ms for event in away]
