"""A publisher learns from feedback exactly when its packets came."""

import struct
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from xunlu_streaming.transport_cc import KEPT_MAX, STATUSES_MAX, Arrivals

DATAGRAM_MAX = 1200


@dataclass(frozen=True)
class Feedback:
    ssrcs: tuple[int, int]
    count: int
    base: int
    statuses: int
    arrivals: dict[int, int]


def statuses_of(data: bytes, at: int, count: int) -> tuple[list[int], int]:
    """Reference decoder of the status chunks, as the draft words them; also where the deltas begin."""
    statuses: list[int] = []
    while len(statuses) < count:
        (chunk,) = struct.unpack_from("!H", data, at)
        at += 2
        if chunk >> 15 == 0:
            statuses += [chunk >> 13 & 3] * (chunk & 0x1FFF)
        elif chunk >> 14 & 1:
            statuses += [chunk >> shift & 3 for shift in range(12, -1, -2)]
        else:
            statuses += [chunk >> shift & 1 for shift in range(13, -1, -1)]
    return statuses[:count], at


def decode(data: bytes) -> Feedback:
    first, kind, words, ssrc, media, base, count, tail = struct.unpack_from("!BBHIIHHI", data)
    assert (first & 0xDF, kind, 4 * words + 4) == (0x8F, 205, len(data))
    end = len(data) - (data[-1] if first & 0x20 else 0)
    time_ticks = (tail >> 8) * 256
    statuses, at = statuses_of(data, 20, count)
    arrivals = {}
    for place, status in enumerate(statuses):
        assert status in (0, 1, 2)
        if status:
            form = "!B" if status == 1 else "!h"
            (delta,) = struct.unpack_from(form, data, at)
            at += struct.calcsize(form)
            time_ticks += delta
            arrivals[(base + place) & 0xFFFF] = time_ticks * 250
    assert at == end
    return Feedback((ssrc, media), tail & 0xFF, base, count, arrivals)


def drain(arrivals: Arrivals) -> list[Feedback]:
    told = []
    while (data := arrivals.feedback(1, 2)) is not None:
        assert len(data) <= DATAGRAM_MAX
        told.append(decode(data))
    return told


def test_nothing_arrived_tells_nothing() -> None:
    assert Arrivals().feedback(1, 2) is None


def test_a_packet_as_the_draft_draws_it() -> None:
    arrivals = Arrivals()
    arrivals.received(0xFFFF, 1_000_000)
    arrivals.received(1, 1_000_500)
    arrivals.received(2, 1_100_500)
    data = arrivals.feedback(0x01020304, 0x05060708)
    assert data is not None
    # Base 65535, four statuses, reference 15 × 64 ms, a vector of small, missing, small, large; deltas; two of padding.
    assert data.hex(" ", 4) == "afcd0006 01020304 05060708 ffff0004 00000f00 d180a002 01900002"
    told = decode(data)
    assert told == Feedback((0x01020304, 0x05060708), 0, 0xFFFF, 4, {0xFFFF: 1_000_000, 1: 1_000_500, 2: 1_100_500})


gaps = st.sampled_from([1, 1, 1, 1, 2, 3, 9, 300])
waits = st.sampled_from([0, 100, 700, 4000, 70_000, 1_000_000, 9_000_000])


@given(
    st.integers(0, 0xFFFF),
    st.integers(0, 2**41),
    st.lists(st.tuples(gaps, waits, st.booleans()), min_size=1, max_size=300),
)
def test_what_is_told_is_what_arrived(seq: int, now_us: int, moves: list[tuple[int, int, bool]]) -> None:
    arrivals, expected, told = Arrivals(), {}, []
    for gap, wait_us, ask in moves:
        seq, now_us = (seq + gap) & 0xFFFF, now_us + wait_us
        arrivals.received(seq, now_us)
        expected[seq] = now_us
        if ask:
            told += drain(arrivals)
    told += drain(arrivals)
    seen = {number: at_us for one in told for number, at_us in one.arrivals.items()}
    period_us = 2**24 * 64_000
    assert seen.keys() == expected.keys()
    for number, at_us in expected.items():
        assert 0 <= (at_us - seen[number]) % period_us < 250
    assert [one.count for one in told] == [place & 0xFF for place in range(len(told))]


@given(st.permutations(range(40)), st.integers(0, 0xFFFF))
def test_packets_that_overtake_each_other_are_told_as_they_came(order: list[int], base: int) -> None:
    arrivals, expected = Arrivals(), {}
    for place, number in enumerate(order):
        expected[(base + number) & 0xFFFF] = at_us = 64_000_000 + place * 3000
        arrivals.received((base + number) & 0xFFFF, at_us)
    (told,) = drain(arrivals)
    assert told.arrivals == expected


def test_a_straggler_is_told_with_all_that_follows_it() -> None:
    arrivals = Arrivals()
    for seq in (10, 12, 13):
        arrivals.received(seq, 64_000 * seq)
    assert drain(arrivals)[0].arrivals.keys() == {10, 12, 13}
    arrivals.received(11, 64_000 * 14)
    (told,) = drain(arrivals)
    assert told.arrivals.keys() == {11, 12, 13}


def test_the_first_arrival_of_a_number_counts() -> None:
    arrivals = Arrivals()
    arrivals.received(10, 1_000_000)
    arrivals.received(10, 2_000_000)
    assert drain(arrivals)[0].arrivals == {10: 1_000_000}
    arrivals.received(10, 3_000_000)
    assert drain(arrivals) == []


def test_a_leap_begins_anew() -> None:
    arrivals = Arrivals()
    arrivals.received(10, 1_000_000)
    arrivals.received(10 + STATUSES_MAX + 1, 2_000_000)
    (told,) = drain(arrivals)
    assert (told.base, told.statuses) == (10 + STATUSES_MAX + 1, 1)


def test_who_never_asks_is_told_the_newest() -> None:
    arrivals = Arrivals()
    for number in range(3 * KEPT_MAX):
        arrivals.received(number & 0xFFFF, number * 1000)
    told = {number for one in drain(arrivals) for number in one.arrivals}
    assert len(told) <= KEPT_MAX
    assert max(told) == 3 * KEPT_MAX - 1
    assert arrivals.forgotten == 3 * KEPT_MAX - len(told)


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0, 2**45)), max_size=200))
def test_wild_numbers_and_times_never_break_a_packet(packets: list[tuple[int, int]]) -> None:
    arrivals = Arrivals()
    for seq, at_us in packets:
        arrivals.received(seq, at_us)
    told = drain(arrivals)
    assert len(told) <= len(packets)
