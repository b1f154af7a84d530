"""What a sheet reads beside the look back: who belongs to it, the first and last fix, and the zones of that time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from xunlu_platform.store import zones
from xunlu_platform.store.review import Stretch
from xunlu_platform.store.store import Row, Session
from xunlu_platform.store.zones import Watched

FILE = "reports"


@dataclass(frozen=True, kw_only=True, slots=True)
class Zones:
    """The zones of a time.

    Attributes:
        watched: their versions, ready to be asked.
        names: `id`, `name` and `kind` of each zone.
        shapes: GeoJSON feature of the newest version of each zone.
    """

    watched: Watched
    names: dict[int, Row]
    shapes: dict[int, dict[str, Any]]


async def read_members(
    session: Session, *, ids: Sequence[int] = (), unit: int | None = None, days: Sequence[datetime], until: datetime,
    officers_max: int,
) -> list[Row]:  # fmt: skip
    """Officers by id, or of a unit with all below, on each day on which they served there, in the order of numbers.

    Args:
        session: within the scope of whoever asks.
        ids: of officers.
        unit: whose officers.
        days: when each begins; an officer belongs to the unit where they served then.
        until: end of the last.
        officers_max: with more, rows of only some more come.

    Returns: `id`, `number`, `name`, `day` in the sequence, `unit` and `path` of the unit then; nobody out of the scope.
    """
    limit = (officers_max + 1) * len(days)
    values = {"ids": list(ids), "unit": unit, "days": list(days), "to": until, "limit": limit}
    return await session.all(FILE, "members", values)


async def count_out_of_sight(session: Session, unit: int, days: Sequence[datetime]) -> int:
    """How many served in a unit with all below when one of the days began, whom the reader may not see today."""
    row = await session.one(FILE, "out_of_sight", {"unit": unit, "days": list(days)})
    return int(row["officers"]) if row else 0


async def read_ends(session: Session, stretches: Sequence[Stretch]) -> dict[int, tuple[datetime, datetime]]:
    """First and last fix of each stretch that has any, by its place in the sequence."""
    values = {
        "n": list(range(len(stretches))), "device_id": [one.device_id for one in stretches],
        "since": [one.since for one in stretches], "until": [one.until for one in stretches],
    }  # fmt: skip
    return {row["n"]: (row["first_fix"], row["last_fix"]) for row in await session.all(FILE, "ends", values)}


async def read_zones(session: Session, since: datetime, until: datetime, time_zone: str) -> Zones:
    """The zones within the scope that held at any moment between two."""
    rows = await session.all(zones.FILE, "watched", {"zone": None, "from": since, "to": until})
    named = await session.all(FILE, "zone_names", {"ids": list({row["zone_id"] for row in rows})})
    newest = sorted(rows, key=lambda row: (row["valid_from"], row["version_id"]))
    return Zones(
        watched=Watched.of(rows, time_zone),
        names={row["id"]: row for row in named},
        shapes={row["zone_id"]: row["shape"] for row in newest},
    )
