"""The roster as the database holds it: who is to be on duty from when to when, and where. See `sql/roster.sql`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg

from xunlu_platform.errors import OverlapError
from xunlu_platform.store.store import Row, Session

FILE = "roster"


@dataclass(frozen=True, kw_only=True, slots=True)
class NewShift:
    """A shift that is to be.

    Attributes:
        officer_id: whose.
        begins_at: included.
        ends_at: excluded; later than `begins_at`, by a day at most.
        zone_id: post or other zone; None: nowhere in particular.
        note: at most 200 characters.
    """

    officer_id: int
    begins_at: datetime
    ends_at: datetime
    zone_id: int | None = None
    note: str = ""


async def add_shifts(session: Session, account_id: int | None, shifts: Sequence[NewShift]) -> list[int]:
    """Put shifts of officers who are held into the roster: all of them or none; returns their ids.

    Raises:
        OverlapError: an officer has another shift at that time.
    """
    values = {
        "officer_id": [one.officer_id for one in shifts], "begins_at": [one.begins_at for one in shifts],
        "ends_at": [one.ends_at for one in shifts], "zone_id": [one.zone_id for one in shifts],
        "note": [one.note for one in shifts], "account_id": account_id,
    }  # fmt: skip
    try:
        return [row["id"] for row in await session.all(FILE, "add", values)]
    except psycopg.errors.ExclusionViolation as error:
        raise OverlapError("This officer has another shift at that time. Change or delete that one first.") from error


async def hold_officers(session: Session, officers: Collection[int]) -> dict[int, Row]:
    """Keep other writers from the shifts of officers until the transaction ends; those within the scope, by id."""
    return {row["id"]: row for row in await session.all(FILE, "hold", {"officers": sorted(officers)})}


async def read_rostered(session: Session, officers: Collection[int], since: datetime, until: datetime) -> list[Row]:
    """Shifts of officers that overlap a time: `id`, `officer_id`, `begins_at`, `ends_at`, `zone_id`, `zone` (name)."""
    return await session.all(FILE, "rostered", {"officers": sorted(officers), "from": since, "to": until})


async def read_posted(session: Session, zone: int, since: datetime, until: datetime, limit: int) -> list[Row]:
    """Officers who have a shift in a zone: `id`, `number`, `name`."""
    return await session.all(FILE, "posted", {"zone": zone, "from": since, "to": until, "limit": limit})
