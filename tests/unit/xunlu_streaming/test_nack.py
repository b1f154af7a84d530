"""What is missing is asked for at the right time, and not for ever."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xunlu_streaming.nack import REPEAT_MIN_S, REQUESTS_MAX, Losses

FIRST = 70_000


def missing(*absent: int, of: int = 10) -> Losses:
    """Losses that have seen `of` numbers at time 0, but for these."""
    losses = Losses()
    for number in range(of):
        if number not in absent:
            losses.received(FIRST + number, 0.0)
    return losses


def test_a_stream_without_loss_asks_for_nothing() -> None:
    losses = missing()
    assert losses.due(10.0, 0.05) == []
    assert (losses.open, losses.lost, losses.recovered) == (0, 0, 0)


def test_a_gap_is_asked_for_after_the_reorder_wait() -> None:
    losses = missing(3, 4, 7)
    assert losses.due(0.009, 0.05) == []
    assert losses.due(0.010, 0.05) == [FIRST + 3, FIRST + 4, FIRST + 7]
    assert losses.due(0.011, 0.05) == []


def test_a_packet_that_was_only_overtaken_is_never_asked_for() -> None:
    losses = missing(3)
    assert losses.received(FIRST + 3, 0.005)
    assert losses.due(1.0, 0.05) == []
    assert (losses.open, losses.recovered, losses.lost) == (0, 0, 0)


def test_a_lost_answer_is_asked_for_again_each_round_trip_and_a_little_later_each_time() -> None:
    losses, asked = missing(3), []
    for millisecond in range(1000):
        asked += [millisecond for _ in losses.due(millisecond / 1000, 0.050)]
    waits = [later - earlier for earlier, later in pairwise(asked)]
    assert len(asked) == 10
    assert 50 <= waits[0] <= 51
    assert waits == sorted(waits)
    assert waits[-1] < 2.5 * waits[0]


def test_a_short_round_trip_asks_no_faster_than_the_air_answers() -> None:
    losses = missing(3)
    assert losses.due(0.010, 0.001)
    assert not losses.due(0.010 + REPEAT_MIN_S * 0.9, 0.001)
    assert losses.due(0.010 + REPEAT_MIN_S * 1.1, 0.001)


def test_an_answer_ends_the_asking_and_is_counted_once() -> None:
    losses = missing(3)
    losses.due(0.010, 0.05)
    assert losses.received(FIRST + 3, 0.06)
    assert not losses.received(FIRST + 3, 0.07)
    assert (losses.open, losses.recovered, losses.lost) == (0, 1, 0)


def test_what_does_not_come_is_given_up_after_its_tries() -> None:
    losses = missing(3)
    asked = [moment for moment in range(300) if losses.due(moment / 100, 0.02)]
    assert len(asked) == 10
    assert (losses.open, losses.lost) == (0, 1)
    assert not losses.received(FIRST + 3, 3.0)


def test_what_is_too_old_is_given_up_without_another_try() -> None:
    losses = missing(3)
    assert losses.due(2.5, 0.05) == []
    assert losses.lost == 1


def test_too_many_gaps_give_up_the_oldest() -> None:
    losses = Losses(open_max=100)
    for number in range(0, 600, 2):
        losses.received(FIRST + number, 0.0)
    assert (losses.open, losses.lost) == (100, 199)
    assert losses.due(0.01, 0.05)[-1] == FIRST + 597


def test_a_leap_asks_for_nothing() -> None:
    losses = missing(3)
    assert losses.received(FIRST + 5000, 0.0)
    assert losses.due(0.05, 0.05) == []
    assert (losses.open, losses.lost) == (0, 1 + 4990)
    assert not losses.received(FIRST + 4000, 0.1)


def test_requests_come_in_bounded_portions() -> None:
    losses = missing(*range(1, 599), of=600)
    portions = [losses.due(0.02, 0.5) for _ in range(4)]
    assert [len(one) for one in portions] == [REQUESTS_MAX, REQUESTS_MAX, 598 - 2 * REQUESTS_MAX, 0]
    assert [number for one in portions for number in one] == [FIRST + number for number in range(1, 599)]


@given(st.lists(st.tuples(st.integers(-40, 60), st.floats(0, 0.2)), max_size=80), st.sampled_from([0, 3, 50]))
def test_every_number_is_new_once_and_accounts_are_whole(moves: list[tuple[int, float]], open_max: int) -> None:
    losses, now_s, newest = Losses(open_max=open_max), 0.0, FIRST
    first = newest
    seen: set[int] = set()
    for step, passed_s in moves:
        now_s += passed_s
        number = max(first, newest + step)
        new = losses.received(number, now_s)
        assert not (new and number in seen)
        assert new or number < newest + 1
        if new:
            seen.add(number)
            newest = max(newest, number)
        wanted = losses.due(now_s, 0.05)
        assert wanted == sorted(set(wanted) - seen)
        assert losses.open <= open_max
    if seen:
        assert losses.open + losses.lost + len(seen) == max(seen) - min(seen) + 1
    assert losses.recovered <= len(seen)


@pytest.mark.parametrize("open_max", [1, 10, 1000])
def test_a_hostile_stream_never_holds_more_than_it_may(open_max: int) -> None:
    losses = Losses(open_max=open_max)
    for number in range(0, 200_000, 997):
        losses.received(number, 0.0)
        assert losses.open <= open_max
