"""Who is on which post now, and since when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from xunlu_gis.fence import FenceRules
from xunlu_gis.fence.schedule import CLOSED
from xunlu_gis.fence.states import INSIDE
from xunlu_platform.store.store import SYSTEM, Row, Scope, Store
from xunlu_platform.store.zone_review import ON_THE_WAY
from xunlu_platform.store.zones import FILE, Audience, Holder, milliseconds, read_shifts, schedule_of

# Whoever has been silent for longer has left with the last fix, whether or not a job has said so yet.
SILENCE: Final = timedelta(seconds=FenceRules().gap_s) + ON_THE_WAY


@dataclass(frozen=True, kw_only=True, slots=True)
class Post:
    """A post now.

    Attributes:
        zone: id.
        in_force: whether anybody is expected there now.
        left_at: when somebody left it last, None: nobody ever did.
        present: rows of `inside` that the reader sees, who has been there longest first.
        others: how many more are there, out of the reader's sight.
    """

    zone: int
    in_force: bool
    left_at: datetime | None
    present: Sequence[Row]
    others: int


async def read_posts(store: Store, scope: Scope, now: datetime, time_zone: str) -> list[Post]:
    """All posts in a scope.

    The scope is applied here, not by the database: whom the reader does not see may man a post that the reader sees.

    Args:
        store: of the API.
        scope: of the reader.
        now: for daily windows and silences.
        time_zone: IANA name, of daily windows.

    Raises:
        StoreError: the database does not answer.
    """
    async with store.session(SYSTEM) as session:
        rows = [row for row in await session.all(FILE, "posts") if scope.sees(row["path"])]
        versions = {row["version_id"]: Audience.of(row) for row in rows}
        values = {"versions": list(versions), "heard": now - SILENCE, "phase": INSIDE}
        inside = await session.all(FILE, "inside", values)
        shifts = await read_shifts(session.connection, [row["officer"] for row in inside], now, now)
        left = await session.all(FILE, "left_at", {"zones": [row["zone_id"] for row in rows]})
    left_at = {row["zone_id"]: row["at"] for row in left}
    present = _by_version([one for one in inside if versions[one["version"]].includes(Holder.of(one, shifts))])
    return [_post(row, present.get(row["version_id"], []), left_at, scope, now, time_zone) for row in rows]


def _post(
    row: Row, present: Sequence[Row], left_at: Mapping[int, datetime], scope: Scope, now: datetime, time_zone: str
) -> Post:
    seen = [one for one in present if scope.sees(one["device_path"])]
    return Post(
        zone=row["zone_id"],
        in_force=_is_open(row, now, time_zone),
        left_at=left_at[row["zone_id"]],
        present=seen,
        others=len(present) - len(seen),
    )


def _is_open(row: Row, now: datetime, time_zone: str) -> bool:
    schedule = schedule_of(row, time_zone)
    return schedule is None or bool(schedule.openings(np.array([milliseconds(now)]))[0] != CLOSED)


def _by_version(rows: Sequence[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(row["version"], []).append(row)
    return found
