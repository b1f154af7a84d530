"""When a zone is in force: a daily window of the local calendar."""

from dataclasses import dataclass
from datetime import datetime, time
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from xunlu_gis.errors import ZoneError

Times = npt.NDArray[np.int64]

CLOSED: Final = -(1 << 40)
"""In place of the number of an opening."""

DAY_S: Final = 86_400
_WEEK_S: Final = 7 * DAY_S
_MONDAY: Final = 4 * DAY_S
"""The first Monday after 1970-01-01, in seconds."""
_OFFSET_MS: Final = 900_000
"""Clocks of the world change at quarters of an hour of UTC."""
EVERY_DAY: Final = frozenset(range(1, 8))


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """A window of the day on some weekdays.

    Attributes:
        start: local time, included; seconds count.
        end: local time, excluded. Not after `start`: the window runs over midnight; equal: it lasts 24 hours.
        weekdays: ISO (1 is Monday) of the day on which a window begins.
        timezone: IANA name of the calendar.
    """

    start: time
    end: time
    weekdays: frozenset[int] = EVERY_DAY
    timezone: str = "Asia/Shanghai"

    def __post_init__(self) -> None:
        if not self.weekdays or not self.weekdays <= EVERY_DAY:
            raise ZoneError(f"Name weekdays from 1 (Monday) to 7, not {sorted(self.weekdays)}.")
        if self.start.tzinfo or self.end.tzinfo:
            raise ZoneError("The times of a window are local; give the offset by `timezone`.")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ZoneError(f"{self.timezone!r} is no time zone that this machine knows; use an IANA name.") from error

    def openings(self, time_ms: Times) -> Times:
        """The number of the opening that each instant lies in, growing with time; `CLOSED` between openings.

        Windows that touch (every day for 24 hours, 22:00 to 06:00 and nothing between) are one opening.

        Args:
            time_ms: UTC, (n,).
        """
        starts, ends = self._week()
        local = self._local_s(time_ms) - _MONDAY
        if ends[-1] - starts[0] >= _WEEK_S and len(starts) == 1:
            return np.zeros(len(time_ms), dtype=np.int64)
        week, second = np.divmod(local, _WEEK_S)
        at = np.searchsorted(starts, second, side="right") - 1
        inside = (at >= 0) & (second < ends[at])
        from_last_week = ~inside & (second + _WEEK_S < ends[-1])
        number = np.where(from_last_week, week * len(starts) - 1, week * len(starts) + at)
        return np.where(inside | from_last_week, number, CLOSED)

    def _week(self) -> tuple[Times, Times]:
        """Windows as seconds of a week that begins on Monday, joined where they touch; the last may run beyond it."""
        start, end = _second(self.start), _second(self.end)
        length = (end - start) if end > start else end - start + DAY_S
        joined: list[list[int]] = []
        for weekday in sorted(self.weekdays):
            begin = (weekday - 1) * DAY_S + start
            if joined and joined[-1][1] >= begin:
                joined[-1][1] = begin + length
            else:
                joined.append([begin, begin + length])
        if len(joined) > 1 and joined[-1][1] - _WEEK_S >= joined[0][0]:
            joined[-1][1] = joined.pop(0)[1] + _WEEK_S
        starts, ends = np.array(joined, dtype=np.int64).T
        return starts, ends

    def _local_s(self, time_ms: Times) -> Times:
        quarters, which = np.unique(time_ms // _OFFSET_MS, return_inverse=True)
        zone = ZoneInfo(self.timezone)
        offsets = [_offset_s(quarter * _OFFSET_MS // 1000, zone) for quarter in quarters.tolist()]
        return time_ms // 1000 + np.array(offsets, dtype=np.int64)[which]


def _offset_s(at_s: int, zone: ZoneInfo) -> int:
    """East of UTC; beyond the years that a calendar knows, as at its beginning."""
    try:
        offset = datetime.fromtimestamp(at_s, zone).utcoffset()
    except (OverflowError, ValueError, OSError):
        offset = datetime.fromtimestamp(0, zone).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _second(of_day: time) -> int:
    return of_day.hour * 3600 + of_day.minute * 60 + of_day.second
