"""Shifts: stretches of local days, over midnight too."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from xunlu_platform.review.shifts import Interval, Shift, common, seconds, union, without
from xunlu_platform.store.zones import instant, milliseconds

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")


def days(since: str, until: str, zone: ZoneInfo = SHANGHAI) -> Interval:
    ends = [datetime.fromisoformat(text).replace(tzinfo=zone) for text in (since, until)]
    return Interval(*map(milliseconds, ends))


def local(intervals: list[Interval], zone: ZoneInfo = SHANGHAI) -> list[tuple[str, str]]:
    return [tuple(f"{instant(ms).astimezone(zone):%d %H:%M}" for ms in one) for one in intervals]  # type: ignore[misc]


def test_a_shift_over_midnight_belongs_to_both_days() -> None:
    whole = days("2026-03-02 00:00", "2026-03-03 00:00")
    night = Shift.parsed("22:00-06:00")
    assert local(list(night.within(whole, SHANGHAI))) == [("02 00:00", "02 06:00"), ("02 22:00", "03 00:00")]


def test_a_shift_that_ends_when_it_begins_lasts_a_day() -> None:
    whole = days("2026-03-02 08:00", "2026-03-04 08:00")
    told = local(list(Shift.parsed("08:00-08:00").within(whole, SHANGHAI)))
    assert told == [("02 08:00", "03 08:00"), ("03 08:00", "04 08:00")]


@pytest.mark.parametrize(("day", "hours"), [("2026-03-28", 7), ("2026-10-24", 9), ("2026-06-01", 8)])
def test_a_night_of_a_change_of_clocks_is_as_long_as_it_was(day: str, hours: int) -> None:
    whole = days(f"{day} 12:00", f"{day} 12:00", BERLIN)
    night = Shift.parsed("22:00-06:00").within(Interval(whole.since, whole.since + 86_400_000), BERLIN)
    assert seconds(night) == hours * 3600


def test_weekdays_are_those_on_which_a_shift_begins() -> None:
    whole = days("2026-03-02 00:00", "2026-03-09 00:00")
    friday = Shift(
        start=Shift.parsed("22:00-06:00").start, end=Shift.parsed("22:00-06:00").end, weekdays=frozenset({5})
    )
    assert local(list(friday.within(whole, SHANGHAI))) == [("06 22:00", "07 06:00")]


def test_intervals_are_joined_cut_and_counted() -> None:
    joined = union([Interval(5, 9), Interval(0, 3), Interval(2, 4), Interval(9, 10)])
    assert joined == [Interval(0, 4), Interval(5, 10)]
    assert common(joined, [Interval(3, 6)]) == [Interval(3, 4), Interval(5, 6)]
    assert without(joined, [Interval(1, 2), Interval(3, 7)]) == [Interval(0, 1), Interval(2, 3), Interval(7, 10)]
