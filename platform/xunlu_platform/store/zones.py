"""Zones as the database holds them, made ready to be asked: what ingest, the jobs and the reports share."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import psycopg
from psycopg.rows import DictRow

from xunlu_gis.fence import Fences, Schedule, States, Zone, ZoneEvent, read_drawing
from xunlu_platform.store.queries import query
from xunlu_platform.store.store import Row

FILE = "zones"

Connection = psycopg.AsyncConnection[DictRow]


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """Whose a device is.

    Attributes:
        device: id.
        officer: id of who wears it, None when nobody does.
        path: of the officer's unit, or of the device's own.
    """

    device: int
    officer: int | None
    path: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """All zones of a stretch of time, and whom each concerns.

    Attributes:
        fences: their versions.
        zones: zone of each version.
        paths: of each version, prefixes of the paths of the units that it concerns.
        officers: of each version, officers besides.
        all_paths: of all versions.
        all_officers: of all versions.
    """

    fences: Fences
    zones: Mapping[int, int]
    paths: Mapping[int, tuple[str, ...]]
    officers: Mapping[int, frozenset[int]]
    all_paths: frozenset[str]
    all_officers: frozenset[int]

    @classmethod
    def of(cls, rows: Sequence[Row], time_zone: str) -> Self:
        """Index the rows of the statement `watched`.

        Args:
            rows: versions.
            time_zone: IANA name, of daily windows.
        """
        return cls(
            fences=Fences([zone_of(row, time_zone) for row in rows]),
            zones={row["version_id"]: row["zone_id"] for row in rows},
            paths={row["version_id"]: tuple(row["paths"]) for row in rows},
            officers={row["version_id"]: frozenset(row["officers"]) for row in rows},
            all_paths=frozenset(path for row in rows for path in row["paths"]),
            all_officers=frozenset(officer for row in rows for officer in row["officers"]),
        )

    def concerns(self, version: int, holder: Holder) -> bool:
        """Whether a zone is any matter of whoever has a device."""
        return holder.officer in self.officers[version] or holder.path.startswith(self.paths[version])

    def concerns_any(self, holder: Holder) -> bool:
        """Whether any zone is."""
        return holder.officer in self.all_officers or any(path in self.all_paths for path in _upwards(holder.path))


def zone_of(row: Row, time_zone: str) -> Zone:
    """A version as `xunlu_gis` knows it."""
    schedule = None
    if row["window_from"] is not None:
        weekdays = {} if row["weekdays"] is None else {"weekdays": frozenset(row["weekdays"])}
        schedule = Schedule(start=row["window_from"], end=row["window_to"], timezone=time_zone, **weekdays)
    return Zone(
        id=row["version_id"],
        kind=row["kind"],
        shape=read_drawing(row["shape"]).shape,
        valid_from_ms=milliseconds(row["valid_from"]),
        valid_to_ms=None if row["valid_to"] is None else milliseconds(row["valid_to"]),
        schedule=schedule,
        dwell_s_max=row["dwell_s_max"],
    )


def _upwards(path: str) -> list[str]:
    """`/1/4/` is within `/1/4/`, `/1/` and `/`."""
    parts = path.split("/")
    return ["/".join(parts[:end]) + "/" for end in range(1, len(parts))]


async def read_watched(connection: Connection, since: datetime, until: datetime, time_zone: str) -> Watched:
    """All zones that hold at any moment between two."""
    rows = await connection.execute(query(FILE, "watched"), {"zone": None, "from": since, "to": until})
    return Watched.of(await rows.fetchall(), time_zone)


async def read_standing(connection: Connection, devices: Iterable[int]) -> tuple[dict[int, Holder], dict[int, Any]]:
    """Whose devices are, and the stored states of those that have one."""
    cursor = await connection.execute(query(FILE, "standing"), {"devices": list(devices)})
    rows = await cursor.fetchall()
    holders = {row["device"]: Holder(device=row["device"], officer=row["officer"], path=row["path"]) for row in rows}
    return holders, {row["device"]: row["state"] for row in rows if row["state"] is not None}


async def write_standing(connection: Connection, states: States) -> None:
    """Store where devices stand."""
    rows = states.as_json()
    columns = {
        "device": list(rows),
        "fix_at": [instant(state["heard"][0]) for state in rows.values()],
        "state": [json.dumps(state) for state in rows.values()],
    }
    await connection.execute(query(FILE, "stand"), columns)


async def add_events(
    connection: Connection, watched: Watched, events: Iterable[tuple[ZoneEvent, int | None]], *, late: bool
) -> None:
    """Store events with the officer whom each is about; what is stored already stays."""
    rows = [(event, officer) for event, officer in events]
    if not rows:
        return
    columns: dict[str, list[Any]] = {
        "device": [event.device for event, _ in rows],
        "officer": [officer for _, officer in rows],
        "zone": [watched.zones[event.zone] for event, _ in rows],
        "version": [event.zone for event, _ in rows],
        "kind": [event.kind for event, _ in rows],
        "fix_at": [instant(event.at_ms) for event, _ in rows],
        "lat": [event.lat for event, _ in rows],
        "lon": [event.lon for event, _ in rows],
        "reason": [event.reason for event, _ in rows],
        "late": [late] * len(rows),
    }
    await connection.execute(query(FILE, "add_events"), columns)


def milliseconds(at: datetime) -> int:
    """A moment as UTC milliseconds."""
    return round(at.timestamp() * 1000)


def instant(ms: int) -> datetime:
    """UTC milliseconds as a datetime."""
    return datetime.fromtimestamp(ms / 1000, UTC)
