"""Wrong clocks, and the agent's watch that looks at them."""

import pytest

from tests.unit.xunlu_edge.rig import HandClock
from xunlu_edge.clock_watch import ClockWatch
from xunlu_sim.clock import DriftingClock

HOUR_S = 3600


def test_a_clock_drifts_by_its_rate() -> None:
    true = HandClock()
    clock = DriftingClock(true, drift_ppm=50, offset_ms=-2000)
    assert clock.time_ms() - true.time_ms() == -2000
    true.pass_s(10 * HOUR_S)
    assert clock.time_ms() - true.time_ms() == -2000 + 1800
    assert clock.monotonic_s() == true.monotonic_s()


def test_a_clock_that_was_set_drifts_on_from_there() -> None:
    true = HandClock()
    clock = DriftingClock(true, drift_ppm=50, offset_ms=90_000)
    true.pass_s(HOUR_S)
    clock.set_right()
    assert clock.time_ms() == true.time_ms()
    true.pass_s(HOUR_S)
    assert clock.time_ms() - true.time_ms() == 180


def test_drift_alone_is_no_jump_and_setting_the_clock_is_one() -> None:
    true = HandClock()
    clock = DriftingClock(true, drift_ppm=50, offset_ms=90_000)
    watch = ClockWatch(clock)
    for _ in range(100):
        true.pass_s(1)
        assert watch.jump_ms() is None
    clock.set_right()
    assert watch.jump_ms() == pytest.approx(-90_000, abs=10)


def test_the_receiver_tells_the_agent_how_wrong_its_clock_is() -> None:
    true = HandClock()
    watch = ClockWatch(DriftingClock(true, offset_ms=90_000))
    watch.see_receiver(true.time_ms())
    assert watch.offset_ms == 90_000
    assert watch.utc_ms() == true.time_ms()
