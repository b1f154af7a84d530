"""Numbers go on when the wire's wrap."""

from hypothesis import given
from hypothesis import strategies as st

from xunlu_streaming.sequence import Unwrapper


@given(st.integers(0, 0xFFFF), st.lists(st.integers(-0x8000, 0x7FFF), max_size=50))
def test_whatever_overtakes_numbers_are_extended_rightly(first: int, steps: list[int]) -> None:
    unwrapper = Unwrapper()
    newest = unwrapper.unwrap(first)
    assert newest & 0xFFFF == first
    for step in steps:
        number = newest + step
        assert unwrapper.unwrap(number & 0xFFFF) == number >= 0
        newest = max(newest, number)


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(-(2**31), 2**31 - 1), max_size=50))
def test_times_are_extended_like_numbers(first: int, steps: list[int]) -> None:
    unwrapper = Unwrapper()
    newest = unwrapper.unwrap_time(first)
    for step in steps:
        stamp = newest + step
        assert unwrapper.unwrap_time(stamp & 0xFFFF_FFFF) == stamp >= 0
        newest = max(newest, stamp)


def test_numbers_and_times_are_apart() -> None:
    unwrapper = Unwrapper()
    assert unwrapper.unwrap(65_535) + 1 == unwrapper.unwrap(0)
    assert unwrapper.unwrap_time(2**32 - 1) + 1 == unwrapper.unwrap_time(0)
