"""The packets that were forwarded last."""

from hypothesis import given
from hypothesis import strategies as st

from xunlu_streaming.ring import Ring


@given(st.lists(st.integers(0, 60), max_size=100))
def test_a_ring_holds_the_newest_number_of_each_place(numbers: list[int]) -> None:
    ring, model = Ring(16), dict[int, int]()
    for number in numbers:
        ring.put(number, bytes([number]))
        model[number % 16] = max(number, model.get(number % 16, -1))
    for number in range(61):
        kept = model.get(number % 16) == number
        assert ring.get(number) == (bytes([number]) if kept else None)


def test_a_stretch_whose_beginning_is_forgotten_is_none() -> None:
    ring = Ring(8)
    for number in range(20):
        if number != 17:
            ring.put(number, bytes([number]))
    assert ring.between(12, 19) == [bytes([n]) for n in (12, 13, 14, 15, 16, 18, 19)]
    assert ring.between(11, 19) == []
    assert ring.between(13, 19)[0] == bytes([13])
