"""Stretches of local time that come again every day: shifts, and the daily windows of zones."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final, NamedTuple, Self
from zoneinfo import ZoneInfo

from xunlu_gis.fence import Zone
from xunlu_gis.fence.schedule import EVERY_DAY
from xunlu_platform.store.zones import milliseconds

SHIFT_PATTERN: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$"
DAY: Final = timedelta(days=1)


class Interval(NamedTuple):
    """UTC milliseconds: `since` included, `until` excluded."""

    since: int
    until: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Shift:
    """A stretch of the local day.

    Attributes:
        start: included.
        end: excluded. Not after `start`: on the next day; equal: the shift lasts a day.
        weekdays: ISO, of the day on which it begins.
    """

    start: time
    end: time
    weekdays: frozenset[int] = EVERY_DAY

    @classmethod
    def parsed(cls, text: str) -> Self:
        """From `22:00-06:00`, in the form of `SHIFT_PATTERN`."""
        start, end = (time.fromisoformat(part) for part in text.split("-"))
        return cls(start=start, end=end)

    def within(self, whole: Interval, zone: ZoneInfo) -> Iterator[Interval]:
        """Each time that the shift comes, cut at the ends of `whole`; as long as it was when clocks changed."""
        day = datetime.fromtimestamp(whole.since / 1000, zone).date() - DAY
        while milliseconds(datetime.combine(day, time(), zone)) < whole.until:
            if day.isoweekday() in self.weekdays:
                last = day if self.end > self.start else day + DAY
                begin, end = datetime.combine(day, self.start, zone), datetime.combine(last, self.end, zone)
                yield from common([Interval(milliseconds(begin), milliseconds(end))], [whole])
            day += DAY


def in_force(zones: Iterable[Zone], whole: Interval) -> list[Interval]:
    """When a zone holds, whose versions these are."""
    found: list[Interval] = []
    for zone in zones:
        until = whole.until if zone.valid_to_ms is None else min(whole.until, zone.valid_to_ms)
        valid = Interval(max(whole.since, zone.valid_from_ms), until)
        if valid.since < valid.until and zone.schedule is not None:
            plan = zone.schedule
            window = Shift(start=plan.start, end=plan.end, weekdays=plan.weekdays)
            found += window.within(valid, ZoneInfo(plan.timezone))
        elif valid.since < valid.until:
            found.append(valid)
    return union(found)


def common(one: Iterable[Interval], other: Sequence[Interval]) -> list[Interval]:
    """What lies in both."""
    pairs = [(max(a.since, b.since), min(a.until, b.until)) for a in one for b in other]
    return [Interval(since, until) for since, until in pairs if since < until]


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time without anything twice, in order."""
    joined: list[Interval] = []
    for one in sorted(intervals):
        if joined and one.since <= joined[-1].until:
            joined[-1] = Interval(joined[-1].since, max(joined[-1].until, one.until))
        else:
            joined.append(one)
    return joined


def without(intervals: Iterable[Interval], holes: Iterable[Interval]) -> list[Interval]:
    """What is left of intervals."""
    left = list(intervals)
    for hole in holes:
        parts = [part for a in left for part in (Interval(a.since, min(a.until, hole.since)),
                 Interval(max(a.since, hole.until), a.until))]  # fmt: skip
        left = [part for part in parts if part.since < part.until]
    return left


def seconds(intervals: Iterable[Interval]) -> float:
    """How long they are together."""
    return sum(one.until - one.since for one in intervals) / 1000
