"""One pair of ears: the most urgent, then the main group, then the scanned ones; and nobody cuts an equal."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from xunlu_streaming.talk.hearing import choose


@dataclass(frozen=True, slots=True)
class Burst:
    name: str
    urgency: int = 0
    paused: bool = False


def hears(*bursts: tuple[Burst, int], current: Burst | None = None) -> str | None:
    chosen = choose(bursts, current)
    return chosen.name if chosen else None


MAIN, FIRST, SECOND = Burst("main"), Burst("first"), Burst("second")


def test_silence_where_nobody_talks() -> None:
    assert hears(current=MAIN) is None


def test_the_main_group_comes_before_scanned_ones_and_these_go_by_rank() -> None:
    assert hears((SECOND, 2), (MAIN, 0), (FIRST, 1)) == "main"
    assert hears((SECOND, 2), (FIRST, 1)) == "first"


def test_a_running_burst_is_cut_by_the_main_group_but_by_no_other_scanned_one() -> None:
    assert hears((FIRST, 1), (SECOND, 2), current=SECOND) == "second"
    assert hears((MAIN, 0), (SECOND, 2), current=SECOND) == "main"


def test_the_most_urgent_cuts_all() -> None:
    assert hears((MAIN, 0), (Burst("help", urgency=2), 2), current=MAIN) == "help"


def test_in_a_call_without_a_floor_a_pause_lets_the_other_one_be_heard() -> None:
    paused = Burst("a", paused=True)
    assert hears((paused, 0), (Burst("b"), 0), current=paused) == "b"
    assert hears((paused, 0), current=paused) == "a"


@given(st.lists(st.tuples(st.builds(Burst, st.text(max_size=3), st.integers(0, 2)), st.integers(0, 16)), max_size=6))
def test_nothing_more_urgent_is_ever_missed(bursts: list[tuple[Burst, int]]) -> None:
    for current in (None, *(burst for burst, _ in bursts)):
        chosen = choose(bursts, current)
        assert (chosen is None) == (not bursts)
        assert chosen is None or chosen.urgency == max(burst.urgency for burst, _ in bursts)
