"""The jitter buffer: order, loss, lateness, bounds."""

from hypothesis import given
from hypothesis import strategies as st

from xunlu_edge.talk.jitter import DELAY_PACKETS_MIN, PACKETS_MAX, SHORT_BURST_S, Gap, JitterBuffer


def burst(buffer: JitterBuffer, *numbers: int, now_s: float = 0.0) -> None:
    for number in numbers:
        buffer.put(number & 0xFFFF, b"%d" % number, now_s)


def drained(buffer: JitterBuffer, now_s: float = 0.0) -> list[bytes | Gap | None]:
    out = []
    while len(buffer):
        out.append(buffer.take(now_s))
    return out


def test_packets_sound_in_order_even_across_the_wrap() -> None:
    buffer = JitterBuffer()
    burst(buffer, 65534, 65536, 65535, 65537)
    assert drained(buffer) == [b"65534", b"65535", b"65536", b"65537"]
    assert (buffer.lost, buffer.late) == (0, 0)


def test_it_waits_a_little_but_a_short_burst_is_heard_too() -> None:
    buffer = JitterBuffer()
    burst(buffer, 1)
    assert buffer.take(0.0) is None
    assert buffer.take(SHORT_BURST_S + 0.01) == b"1"


def test_a_lost_packet_is_a_gap_of_its_length() -> None:
    buffer = JitterBuffer()
    burst(buffer, 1, 2, 4)
    assert drained(buffer) == [b"1", b"2", Gap(b"4"), b"4"]
    assert buffer.lost == 1


def test_of_two_lost_packets_only_the_second_has_one_behind_it() -> None:
    buffer = JitterBuffer()
    burst(buffer, 1, 2, 5)
    assert drained(buffer) == [b"1", b"2", Gap(None), Gap(b"5"), b"5"]


def test_what_is_only_late_is_heard_when_nothing_else_was_there() -> None:
    buffer = JitterBuffer()
    burst(buffer, 1, 2)
    assert drained(buffer) == [b"1", b"2"]
    assert buffer.take(0.0) is None
    burst(buffer, 3)
    assert buffer.take(0.0) == b"3"


def test_whoever_comes_after_its_turn_is_counted_and_makes_the_next_burst_wait_longer() -> None:
    buffer = JitterBuffer()
    burst(buffer, 1, 2, 4)
    drained(buffer)
    burst(buffer, 3)
    assert (len(buffer), buffer.late, buffer.delay) == (0, 1, DELAY_PACKETS_MIN + 1)


def test_a_stream_that_begins_anew_far_away_is_heard() -> None:
    buffer = JitterBuffer()
    burst(buffer, 1, 2)
    drained(buffer)
    burst(buffer, 30_001, 30_002)
    assert drained(buffer) == [b"30001", b"30002"]


@given(st.lists(st.one_of(st.none(), st.integers(0, 65535)), max_size=200))
def test_whatever_comes_it_stays_within_its_bound(steps: list[int | None]) -> None:
    buffer = JitterBuffer()
    for place, step in enumerate(steps):
        if step is None:
            buffer.take(place * 0.02)
        else:
            burst(buffer, step, now_s=place * 0.02)
        assert len(buffer) <= PACKETS_MAX
    buffer.pause()
    for place in range(PACKETS_MAX * 100):
        buffer.take(1000.0 + place)
