"""Honest time on a recorder whose clock is wrong."""

import pytest

from tests.unit.xunlu_edge.rig import START_MS, HandClock
from xunlu_edge.clock_watch import ClockWatch


@pytest.mark.parametrize("jump_ms", [3_600_000, -3_600_000, 2_000])
def test_a_jump_of_the_wall_clock_is_told_with_its_sign(jump_ms: int) -> None:
    clock = HandClock()
    watch = ClockWatch(clock)
    clock.pass_s(10)
    assert watch.jump_ms() is None
    clock.wall_ms += jump_ms
    clock.pass_s(1)
    assert watch.jump_ms() == jump_ms
    clock.pass_s(1)
    assert watch.jump_ms() is None


def test_slewing_and_sleep_are_no_jumps() -> None:
    clock = HandClock()
    watch = ClockWatch(clock)
    clock.wall_ms += 500
    clock.pass_s(3600)
    assert watch.jump_ms() is None


def test_the_wall_clock_is_believed_while_the_receiver_agrees() -> None:
    clock = HandClock()
    watch = ClockWatch(clock)
    watch.see_receiver(START_MS - 400)
    clock.pass_s(5)
    assert (watch.utc_ms(), watch.offset_ms) == (START_MS + 5000, 400)


def test_a_clock_from_1970_is_replaced_by_the_receivers_time_carried_on() -> None:
    clock = HandClock()
    clock.wall_ms = 12_000
    watch = ClockWatch(clock)
    assert watch.utc_ms() == 12_000
    watch.see_receiver(START_MS)
    clock.pass_s(90)
    assert watch.utc_ms() == START_MS + 90_000
    assert watch.offset_ms == 12_000 - START_MS


def test_the_receivers_time_survives_a_jump_of_the_wall_clock() -> None:
    clock = HandClock()
    watch = ClockWatch(clock)
    watch.see_receiver(START_MS)
    clock.wall_ms -= 86_400_000
    assert watch.utc_ms() == START_MS


def test_a_clock_that_was_wrong_from_the_start_is_told_once_when_the_receiver_insists() -> None:
    clock = HandClock()
    watch = ClockWatch(clock)
    told = []
    for _ in range(5):
        clock.pass_s(1)
        watch.see_receiver(clock.wall_ms - 60_000)
        told.append(watch.jump_ms())
    assert told == [None, 60_000, None, None, None]


def test_a_clock_that_drifts_away_is_told_again_with_every_two_seconds() -> None:
    clock = HandClock()
    watch = ClockWatch(clock)
    told = []
    for second in range(1, 101):
        clock.pass_s(1)
        watch.see_receiver(clock.wall_ms - second * 50)
        told.append(watch.jump_ms())
    assert [jump for jump in told if jump is not None] == [2000, 2000]


def test_a_jump_is_not_told_twice_by_the_receiver() -> None:
    clock = HandClock()
    watch = ClockWatch(clock)
    told = []
    for second in range(6):
        clock.pass_s(1)
        clock.wall_ms += 3_600_000 if second == 2 else 0
        watch.see_receiver(clock.wall_ms - (3_600_000 if second >= 2 else 0))
        told.append(watch.jump_ms())
    assert told == [None, None, 3_600_000, None, None, None]
