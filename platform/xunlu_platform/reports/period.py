"""Which time a sheet is about, in the calendar of the organisation."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from xunlu_platform.review.shifts import Interval, Shift
from xunlu_platform.store.zones import milliseconds

WHOLE_DAY = Shift(start=time(), end=time())
WEEK_DAYS = 7


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """A day, or a shift that begins on it.

    Attributes:
        date: of the local calendar.
        since: included, UTC.
        until: excluded, UTC; where clocks change, a day is 23 or 25 hours away.
    """

    date: date
    since: datetime
    until: datetime

    @property
    def interval(self) -> Interval:
        """The same in UTC milliseconds."""
        return Interval(milliseconds(self.since), milliseconds(self.until))

    def so_far(self, now: datetime) -> "Day | None":
        """What of it has been lived through; None before it begins."""
        if now <= self.since:
            return None
        return Day(date=self.date, since=self.since, until=min(self.until, now))


def day_of(day: date, shift: Shift, zone: ZoneInfo) -> Day:
    """A day's shift; one over midnight belongs to the day on which it begins.

    A local time that a change of clocks leaves out is taken as long after midnight as it would have been (RFC 5545
    §3.3.5): a shift that lies in it altogether is empty, and `until` is not after `since`.

    Args:
        day: of the local calendar, before the year 9999.
        shift: of the day; `WHOLE_DAY` is from midnight to midnight.
        zone: of the organisation.
    """
    last = day if shift.end > shift.start else day + timedelta(days=1)
    return Day(
        date=day,
        since=datetime.combine(day, shift.start, zone).astimezone(UTC),
        until=datetime.combine(last, shift.end, zone).astimezone(UTC),
    )


def dates_of(week: str) -> list[date]:
    """Monday to Sunday of a week of ISO 8601.

    Args:
        week: such as `2026-W47`.

    Raises:
        ValueError: there is no such week.
    """
    year, number = week.split("-W")
    return [date.fromisocalendar(int(year), int(number), weekday) for weekday in range(1, WEEK_DAYS + 1)]
