"""Packets find their order, and tracks their common clock."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xunlu_streaming.record.interleave import HOLD_US, Interleave
from xunlu_streaming.record.reorder import PACKETS_MAX, WAIT_US, Ordered, Reorder
from xunlu_streaming.record.rtp import Packet
from xunlu_streaming.record.timeline import LEAP_US, SKEW_US_MAX, SLEW, Timeline
from xunlu_streaming.record.unit import Format, Unit

START_US = 1_800_000_000_000_000
STEP_US = 20_000
UNIT = Unit(0, b"", True, Format("opus"), False)


def packet(seq: int, ssrc: int = 1) -> Packet:
    return Packet(seq & 0xFFFF, 0, False, ssrc, 96, b"x")


def put_all(reorder: Reorder, arrivals: list[tuple[int, int]]) -> list[Ordered]:
    return [one for seq, at_us in arrivals for one in reorder.put(packet(seq), at_us)]


@given(st.integers(0, 0xFFFF), st.randoms(use_true_random=False))
def test_what_comes_within_the_wait_comes_in_order(first: int, rng: random.Random) -> None:
    delays = [rng.randrange(0, WAIT_US // 2) for _ in range(60)]
    delays[0] = 0
    arrivals = sorted((n * STEP_US + delay, first + n) for n, delay in enumerate(delays))
    reorder = Reorder()
    out = put_all(reorder, [(seq, at_us) for at_us, seq in arrivals]) + reorder.flush()
    assert [one.packet.seq for one in out] == [(first + n) & 0xFFFF for n in range(60)]
    assert not any(one.lost for one in out)
    assert (reorder.lost, reorder.late) == (0, 0)


@given(
    st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0, 3), st.integers(0, 400_000)), max_size=300),
)
def test_no_order_of_arrival_makes_it_hold_too_much_or_give_twice(arrivals: list[tuple[int, int, int]]) -> None:
    reorder, now_us, given_out = Reorder(), 0, 0
    for seq, ssrc, passed_us in arrivals:
        now_us += passed_us
        given_out += len(reorder.put(packet(seq, ssrc), now_us))
    given_out += len(reorder.flush())
    assert given_out + reorder.late == len(arrivals)


def test_a_hole_is_waited_for_then_counted_and_said() -> None:
    reorder = Reorder()
    assert len(put_all(reorder, [(n, n * STEP_US) for n in (1, 2)])) == 2
    assert not put_all(reorder, [(n, n * STEP_US) for n in (5, 6)])
    out = put_all(reorder, [(7, 5 * STEP_US + WAIT_US + 1)])
    assert [(one.packet.seq, one.lost) for one in out] == [(5, True), (6, False), (7, False)]
    assert reorder.lost == 2
    assert not put_all(reorder, [(3, 8 * STEP_US + WAIT_US)])
    assert reorder.late == 1


def test_a_hole_holds_back_no_more_than_its_share() -> None:
    reorder = Reorder()
    out = put_all(reorder, [(0, 0), *((n, 0) for n in range(2, PACKETS_MAX + 4))])
    assert len(out) == PACKETS_MAX + 3
    assert reorder.lost == 1


def test_another_source_begins_a_new_order() -> None:
    reorder = Reorder()
    put_all(reorder, [(10, 0), (12, 0)])
    out = reorder.put(packet(9_000, ssrc=2), 0)
    assert [(one.packet.seq, one.lost) for one in out] == [(12, True), (9_000, True)]


@pytest.mark.parametrize("clock_hz", [90_000, 48_000])
def test_times_follow_the_clock_of_the_track_across_its_wrap(clock_hz: int) -> None:
    timeline = Timeline(clock_hz)
    first = 2**32 - clock_hz
    for n in range(500):
        at_us = n * STEP_US
        stamp = (first + at_us * clock_hz // 1_000_000) & 0xFFFF_FFFF
        jitter_us = (n * 7919) % 30_000 if n else 0
        assert timeline.utc_us(stamp, START_US + at_us + jitter_us) == pytest.approx(START_US + at_us, abs=1)


def test_a_clock_that_leaps_goes_on_where_its_packets_arrive() -> None:
    timeline = Timeline(90_000)
    timeline.utc_us(0, START_US)
    assert timeline.utc_us(2**31 - 1, START_US + STEP_US) == START_US + STEP_US
    assert timeline.utc_us(2**31 - 1 + 90_000, START_US + STEP_US + 1_000_000) == START_US + STEP_US + 1_000_000
    assert abs(timeline.utc_us(0, START_US + LEAP_US) - START_US) <= LEAP_US


def test_a_slow_first_packet_is_forgiven_between_files() -> None:
    timeline = Timeline(90_000)
    timeline.utc_us(0, START_US + 80_000)
    assert timeline.utc_us(9_000, START_US + 100_000) == START_US + 180_000
    timeline.settle()
    assert timeline.utc_us(18_000, START_US + 200_000) == START_US + 200_000


def ntp(seconds: float) -> int:
    return (3_900_000_000 << 32) + round(seconds * 2**32)


@pytest.mark.parametrize("skew_us", [-400_000, 90_000, 700_000])
def test_sound_lies_to_the_picture_as_the_publisher_says_not_as_it_arrives(skew_us: int) -> None:
    video, audio = Timeline(90_000), Timeline(48_000)
    video.utc_us(0, START_US)
    audio.utc_us(0, START_US + skew_us)
    video.report, audio.report = (ntp(5.0), 450_000), (ntp(4.5), 216_000)
    audio.follow(video)
    moment_us = 2_000_000
    seen, heard = (one.utc_us(hz * 2, START_US + moment_us) for one, hz in ((video, 90_000), (audio, 48_000)))
    assert heard - seen == pytest.approx(0, abs=2)


def test_a_report_that_is_off_moves_nothing_and_a_lasting_skew_is_made_up_slowly() -> None:
    video, audio = Timeline(90_000), Timeline(48_000)
    heard = []
    for n in range(1000):
        at_s = n / 50
        if n % 50 == 0:
            wrong_s = 0.4 if n == 200 else 0.1 if n >= 400 else 0.0
            video.report = (ntp(at_s), round(at_s * 90_000))
            audio.report = (ntp(at_s + wrong_s), round(at_s * 48_000))
            audio.follow(video)
        video.utc_us(round(at_s * 90_000), START_US + n * STEP_US)
        heard.append(audio.utc_us(n * 960, START_US + n * STEP_US))
    steps = [after - before for before, after in pairwise(heard)]
    assert set(steps[:400]) == {STEP_US}
    assert max(steps) <= STEP_US + STEP_US // SLEW
    assert heard[-1] - heard[0] == 999 * STEP_US + 100_000


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1))
def test_no_report_moves_the_sound_beyond_what_a_skew_can_be(ntp_v: int, rtp_v: int, ntp_a: int, rtp_a: int) -> None:
    video, audio = Timeline(90_000), Timeline(48_000)
    video.utc_us(0, START_US)
    before_us = audio.utc_us(0, START_US)
    video.report, audio.report = (ntp_v, rtp_v), (ntp_a, rtp_a)
    audio.follow(video)
    assert abs(audio.utc_us(0, START_US) - before_us) <= SKEW_US_MAX


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3 * HOLD_US)), max_size=100))
def test_tracks_merge_into_one_order_of_time(puts: list[tuple[int, int]]) -> None:
    merge, clocks, out, count = Interleave(2), [START_US, START_US], [], 0
    for track, passed_us in puts:
        # A track lags behind the other by less than it is waited for.
        clocks[track] = max(clocks[track] + min(passed_us, HOLD_US // 4), max(clocks) - HOLD_US // 2)
        count += merge.put(track, clocks[track], UNIT)
        while (frame := merge.take()) is not None:
            out.append(frame)
    while (frame := merge.flush()) is not None:
        out.append(frame)
    assert len(out) == count
    assert [frame.utc_us for frame in out] == sorted(frame.utc_us for frame in out)


def test_pictures_out_of_order_are_kept_and_sound_for_the_same_time_is_not() -> None:
    merge = Interleave(1)
    picture = UNIT._replace(format=Format("H264", 320, 180))
    assert [merge.put(0, START_US - n, picture) for n in range(3)] == [True, True, True]
    sound = Interleave(1)
    assert [sound.put(0, START_US - n, UNIT) for n in range(3)] == [True, False, False]


def test_a_silent_track_is_not_waited_for_longer_than_agreed() -> None:
    merge = Interleave(2)
    merge.put(0, START_US, UNIT)
    assert merge.take() is None
    merge.put(0, START_US + HOLD_US + 1, UNIT)
    assert merge.take() is not None
    assert merge.take() is None
