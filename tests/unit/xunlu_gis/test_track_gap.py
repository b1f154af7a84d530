import random
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xunlu_gis.track import Availability, Evidence, Span, State, Telemetry, Track, TrackSettings, explain

MINUTE = 60_000
REPORTS = TrackSettings(report_s=5)


class Fix(NamedTuple):
    """What `explain` looks at: minute of the fix, minutes until it arrived, session, sequence."""

    minute: float
    waited: float = 0
    sid: int = 1
    seq: int = 0


def track_of(fixes: Sequence[Fix]) -> Track:
    times = [round(fix.minute * MINUTE) for fix in fixes]
    received = [round((fix.minute + fix.waited) * MINUTE) for fix in fixes]
    sids, seqs = [fix.sid for fix in fixes], [fix.seq for fix in fixes]
    return Track.of(times, [121.4] * len(fixes), [31.2] * len(fixes), sid=sids, seq=seqs, received_ms=received)


def walk(first: int, last: int, waited: float = 0, sid: int = 1, seq: int = 100) -> list[Fix]:
    """A fix each half minute."""
    return [Fix(first + step / 2, waited, sid, seq + step) for step in range(2 * (last - first) + 1)]


def told(fixes: Sequence[Fix], to: int = 60, **evidence: object) -> list[tuple[float, float, State]]:
    spans = explain(track_of(fixes), 0, to * MINUTE, Evidence(**evidence), REPORTS)  # type: ignore[arg-type]
    return [(span.from_ms / MINUTE, span.to_ms / MINUTE, span.state) for span in spans]


def test_a_time_that_fixes_cover_is_on_air() -> None:
    assert told(walk(0, 60)) == [(0, 60, "on_air")]


def test_what_arrived_late_is_back_filled() -> None:
    fixes = [*walk(0, 20), *walk(20, 40, waited=30, seq=140)[1:], *walk(40, 60, seq=180)[1:]]
    assert told(fixes) == [(0, 20, "on_air"), (20, 40, "back_filled"), (40, 60, "on_air")]


def test_in_touch_without_a_fix_is_no_fix() -> None:
    indoors = [Telemetry(minute * MINUTE, fix=0) for minute in range(20, 40)]
    assert told([*walk(0, 20), *walk(40, 60, seq=150)], telemetry=indoors) == [
        (0, 20, "on_air"), (20, 40, "no_fix"), (40, 60, "on_air"),
    ]  # fmt: skip


def test_a_fix_that_does_not_come_and_a_weak_radio_are_no_signal() -> None:
    around = [*walk(0, 20), *walk(40, 60, seq=150)]
    for entry in (Telemetry(20 * MINUTE, fix=1), Telemetry(20 * MINUTE, signal_dbm=-121)):
        telemetry = [entry._replace(at_ms=minute * MINUTE) for minute in range(20, 40)]
        assert told(around, telemetry=telemetry)[1] == (20, 40, "no_signal")


def test_a_lost_device_that_comes_back_in_its_session_had_no_signal() -> None:
    availability = [
        Availability(0, "online", sid=1),
        Availability(21 * MINUTE, "offline", "lost", 1),
        Availability(39 * MINUTE, "online", sid=1),
    ]
    fixes = [*walk(0, 20), *walk(40, 60, seq=150)]
    assert told(fixes, availability=availability) == [
        (0, 20, "on_air"), (20, 21, "no_fix"), (21, 39, "no_signal"), (39, 40, "no_fix"), (40, 60, "on_air"),
    ]  # fmt: skip


def test_a_lost_device_that_comes_back_in_another_session_was_off_unplanned() -> None:
    availability = [Availability(20 * MINUTE, "offline", "lost", 1)]
    fixes = [*walk(0, 20), *walk(40, 60, sid=2)]
    assert told(fixes, availability=availability)[1] == (20, 40, "off_unplanned")


def test_a_device_that_kept_recording_without_signal_was_off_only_when_it_fell_silent() -> None:
    availability = [Availability(10 * MINUTE, "offline", "lost", 1), Availability(40 * MINUTE, "online", sid=2)]
    fixes = [*walk(0, 10), *walk(10, 20, waited=60, seq=120)[1:], *walk(40, 60, sid=2)]
    assert told(fixes, availability=availability) == [
        (0, 10, "on_air"), (10, 20, "back_filled"), (20, 40, "off_unplanned"), (40, 60, "on_air"),
    ]  # fmt: skip


@pytest.mark.parametrize("why", ["shutdown", "dock", "sleep", "update", "reboot"])
def test_who_said_goodbye_was_off_as_planned(why: str) -> None:
    availability = [Availability(20 * MINUTE, "offline", why, 1), Availability(40 * MINUTE, "online", sid=2)]
    fixes = [*walk(0, 20), *walk(40, 60, sid=2)]
    assert told(fixes, availability=availability)[1] == (20, 40, "off_planned")
    assert told(fixes, availability=availability, server_down=[(25 * MINUTE, 30 * MINUTE)])[1] == (
        20,
        40,
        "off_planned",
    )


def test_a_sleeping_device_is_off_as_planned_though_it_wakes_up_to_report() -> None:
    availability = [Availability(0, "sleep", "sleep", 1)]
    assert told([Fix(20, seq=1), Fix(40, seq=3)], availability=availability) == [(0, 60, "off_planned")]


def test_a_goodbye_before_later_fixes_explains_nothing_after_them() -> None:
    availability = [Availability(5 * MINUTE, "offline", "dock", 1)]
    assert told(walk(10, 20), availability=availability) == [
        (0, 5, "no_signal"), (5, 10, "off_planned"), (10, 20, "on_air"), (20, 60, "no_signal"),
    ]  # fmt: skip


def test_outside_of_the_shifts_of_a_roster_a_device_may_be_off() -> None:
    fixes = [*walk(0, 20), *walk(40, 60, sid=2)]
    lost = [Availability(20 * MINUTE, "offline", "lost", 1)]
    assert told(fixes, availability=lost, on_duty=[(0, 25 * MINUTE)], off_duty=[(25 * MINUTE, 35 * MINUTE)]) == [
        (0, 20, "on_air"), (20, 25, "off_unplanned"), (25, 35, "off_planned"), (35, 40, "off_unplanned"),
        (40, 60, "on_air"),
    ]  # fmt: skip
    assert told(walk(0, 20), off_duty=[(10 * MINUTE, 60 * MINUTE)]) == [(0, 20, "on_air"), (20, 60, "off_planned")]


def test_a_device_that_ran_on_outside_of_the_shifts_was_not_off() -> None:
    around = [*walk(0, 20), *walk(40, 60, seq=150)]
    assert told(around, off_duty=[(0, 60 * MINUTE)])[1] == (20, 40, "no_signal")


def test_a_goodbye_of_before_the_shift_explains_nothing_in_it() -> None:
    docked = [Availability(5 * MINUTE, "offline", "dock", 1)]
    assert told(walk(0, 5), availability=docked, on_duty=[(20 * MINUTE, 40 * MINUTE)]) == [
        (0, 5, "on_air"), (5, 20, "off_planned"), (20, 40, "off_unplanned"), (40, 60, "off_planned"),
    ]  # fmt: skip
    assert told(walk(0, 5), availability=docked, on_duty=[(0, 40 * MINUTE)])[1] == (5, 60, "off_planned")


def test_a_device_that_ran_and_recorded_nothing_had_no_fix() -> None:
    assert told([*walk(0, 20), *walk(40, 60, seq=141)])[1] == (20, 40, "no_fix")


def test_while_the_server_was_down_nobody_knows_but_what_is_back_filled() -> None:
    fixes = [*walk(0, 20), *walk(30, 40, waited=30, seq=150), *walk(50, 60, seq=180)]
    assert told(fixes, server_down=[(15 * MINUTE, 35 * MINUTE), (30 * MINUTE, 45 * MINUTE)]) == [
        (0, 20, "on_air"), (20, 30, "server_down"), (30, 40, "back_filled"), (40, 45, "server_down"),
        (45, 50, "no_signal"), (50, 60, "on_air"),
    ]  # fmt: skip


def test_a_device_of_which_nothing_is_known_had_no_signal() -> None:
    assert told([]) == [(0, 60, "no_signal")]
    assert told([Fix(30)]) == [(0, 60, "no_signal")]


def test_a_time_without_length_has_no_states() -> None:
    assert explain(track_of([]), 10, 10) == []
    assert explain(track_of([]), 20, 10) == []


def test_a_million_fixes_are_explained() -> None:
    number = np.arange(1_000_000)
    times = number * 1000 + np.where(number < 500_000, 0, 30 * MINUTE)
    nowhere = np.zeros(len(number))
    track = Track.of(times, nowhere, nowhere, sid=number // 250_000 + 1, seq=number % 250_000)
    end = int(times[-1])
    assert explain(track, 0, end) == [
        Span(0, 499_999_000, "on_air"),
        Span(499_999_000, 500_000_000 + 30 * MINUTE, "off_unplanned"),
        Span(500_000_000 + 30 * MINUTE, end, "on_air"),
    ]


minutes = st.integers(-5, 65)
fixes_of_any_kind = st.lists(
    st.builds(Fix, minutes, st.integers(0, 9), st.integers(0, 2), st.integers(0, 6)), max_size=25
)
duties = st.lists(minutes, unique=True, max_size=6).map(
    lambda edges: [(begin * MINUTE, end * MINUTE) for begin, end in list(pairwise(sorted(edges)))[::2]]
)
evidence_of_any_kind = st.builds(
    Evidence,
    availability=st.lists(
        st.builds(
            Availability,
            minutes.map(lambda minute: minute * MINUTE),
            st.sampled_from(["online", "offline", "sleep"]),
            st.sampled_from([None, "lost", "dock", "shutdown"]),
            st.integers(0, 2),
        ),
        max_size=6,
        unique_by=lambda one: one.at_ms,
    ),
    telemetry=st.lists(
        st.builds(
            Telemetry,
            minutes.map(lambda minute: minute * MINUTE),
            st.none() | st.integers(0, 2),
            st.none() | st.sampled_from([-120.0, -80.0]),
        ),
        max_size=8,
        unique_by=lambda one: one.at_ms,
    ),
    server_down=st.lists(
        st.tuples(minutes, minutes).map(lambda pair: (pair[0] * MINUTE, pair[1] * MINUTE)), max_size=3
    ),
    on_duty=duties,
    off_duty=duties,
)


@given(
    fixes_of_any_kind, evidence_of_any_kind, st.integers(0, 60), st.integers(0, 60), st.randoms(use_true_random=False)
)
def test_every_moment_is_exactly_one_state_whatever_the_order(
    fixes: list[Fix], evidence: Evidence, start: int, end: int, rng: random.Random
) -> None:
    fixes = list({fix.minute: fix for fix in fixes}.values())
    spans = explain(track_of(fixes), start * MINUTE, end * MINUTE, evidence, REPORTS)
    assert sum(span.to_ms - span.from_ms for span in spans) == max(end - start, 0) * MINUTE
    assert all(span.from_ms < span.to_ms for span in spans)
    assert all(one.to_ms == other.from_ms and one.state != other.state for one, other in pairwise(spans))
    if spans:
        assert (spans[0].from_ms, spans[-1].to_ms) == (start * MINUTE, end * MINUTE)
    shuffled = Evidence(
        availability=rng.sample(evidence.availability, len(evidence.availability)),
        telemetry=rng.sample(evidence.telemetry, len(evidence.telemetry)),
        server_down=rng.sample(evidence.server_down, len(evidence.server_down)),
        on_duty=rng.sample(evidence.on_duty, len(evidence.on_duty)),
        off_duty=rng.sample(evidence.off_duty, len(evidence.off_duty)),
    )
    again = explain(track_of(rng.sample(fixes, len(fixes))), start * MINUTE, end * MINUTE, shuffled, REPORTS)
    assert again == spans


@given(fixes_of_any_kind, evidence_of_any_kind)
def test_each_minute_has_the_state_that_the_rules_say_one_by_one(fixes: list[Fix], evidence: Evidence) -> None:
    fixes = sorted({fix.minute: fix for fix in fixes}.values())
    spans = explain(track_of(fixes), 0, 60 * MINUTE, evidence, REPORTS)
    for minute in np.arange(0, 60, 0.5).tolist():
        assert _state_at(spans, minute) == _by_rule(fixes, evidence, minute)


def _state_at(spans: list[Span], minute: float) -> State:
    (span,) = [span for span in spans if span.from_ms <= minute * MINUTE < span.to_ms]
    return span.state


def _by_rule(fixes: list[Fix], evidence: Evidence, minute: float) -> State:
    """The rules in the docstring of `xunlu_gis.track.gap`, for one moment."""
    now = minute * MINUTE
    before = [fix for fix in fixes if fix.minute <= minute][-1:]
    after = [fix for fix in fixes if fix.minute > minute][:1]
    both = bool(before and after)
    if both and after[0].minute - before[0].minute <= 1:
        return "back_filled" if after[0].waited > 1 else "on_air"
    return _without_fixes(fixes, evidence, now, recorded_nothing=both and _neighbours(before[0], after[0]))


def _neighbours(one: Fix, other: Fix) -> bool:
    return one.sid == other.sid and other.seq - one.seq == 1


def _without_fixes(fixes: list[Fix], evidence: Evidence, now: float, *, recorded_nothing: bool) -> State:
    said = max((one for one in evidence.availability if one.at_ms <= now), default=None)
    telemetry = max((one for one in evidence.telemetry if one.at_ms <= now), key=lambda one: one.at_ms, default=None)
    heard_ms = max([fix.minute * MINUTE for fix in fixes if fix.minute * MINUTE <= now], default=-1e12)
    heard_ms = max(heard_ms, telemetry.at_ms if telemetry else -1e12)
    offline = said is not None and said.state == "offline"
    farewell = said and (
        said.state == "sleep" or (offline and said.why in {"dock", "shutdown"} and said.at_ms >= heard_ms)
    )
    begun_ms = max((begin for begin, end in evidence.on_duty if begin <= now < end), default=-1e12)
    if said and farewell and said.at_ms >= begun_ms:
        return "off_planned"
    if any(begin <= now < end for begin, end in evidence.server_down):
        return "server_down"
    stale = telemetry and now - telemetry.at_ms >= 3 * MINUTE
    if telemetry and (stale or (said and offline and said.at_ms >= telemetry.at_ms)):
        telemetry = None
    if telemetry or (said and said.state == "online" and not evidence.telemetry):
        if recorded_nothing or not telemetry or telemetry.fix == 0:
            return "no_fix"
        return "no_signal" if telemetry.fix or (telemetry.signal_dbm or 0) < -115 else "no_fix"
    lost: State = "no_fix" if recorded_nothing else "no_signal"
    restarted = _restarted(fixes, evidence, now / MINUTE)
    if restarted is not False and any(begin <= now < end for begin, end in evidence.off_duty):
        return "off_planned"
    return "off_unplanned" if restarted or farewell else lost


def _restarted(fixes: list[Fix], evidence: Evidence, minute: float) -> bool | None:
    # At one moment the word of the device comes after its fix.
    signs = [(fix.minute * MINUTE, 0, fix.sid) for fix in fixes]
    signs = sorted([*signs, *((one.at_ms, 1, one.sid) for one in evidence.availability)])
    earlier = [sid for at, _, sid in signs if at <= minute * MINUTE and sid]
    later = [sid for at, _, sid in signs if at > minute * MINUTE and sid]
    return earlier[-1] != later[0] if earlier and later else None
