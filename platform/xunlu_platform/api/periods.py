"""Stretches of time: ISO 8601 with offset, bounded where they reach into history."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime

from xunlu_platform.api.problems import invalid

HISTORY_MAX = timedelta(days=31)
YEAR_MIN, YEAR_MAX = 2000, 2199

From = Annotated[AwareDatetime | None, Query(alias="from", description="ISO 8601 with offset, included.")]
To = Annotated[AwareDatetime | None, Query(alias="to", description="ISO 8601 with offset, excluded.")]
NeededFrom = Annotated[AwareDatetime, Query(alias="from", description="ISO 8601 with offset, included.")]
NeededTo = Annotated[AwareDatetime, Query(alias="to", description="ISO 8601 with offset, excluded.")]


def check_period(since: datetime, until: datetime) -> None:
    """Refuse an empty, a reversed or an endless period."""
    if until <= since:
        raise invalid("to", "period-order", "`to` must be later than `from`.")
    if until - since > HISTORY_MAX:
        raise invalid("to", "period-length", "Ask for at most {days} days at a time.", days=HISTORY_MAX.days)


def check_years(since: datetime, until: datetime) -> None:
    """Refuse a time that nobody can have lived through, besides what `check_period` refuses."""
    check_period(since, until)
    if since.year < YEAR_MIN or until.year > YEAR_MAX:
        raise invalid(
            "from", "period-years", "Ask for a time between {first} and {last}.", first=YEAR_MIN, last=YEAR_MAX
        )
