"""Zones as the database holds them, made ready to be asked: what ingest, the jobs and the reports share."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, Self

import psycopg
from psycopg.rows import DictRow

from xunlu_gis.fence import Fences, Schedule, States, Zone, ZoneEvent, ZoneKind, read_drawing
from xunlu_platform.store.queries import query
from xunlu_platform.store.store import Row

FILE = "zones"

Connection = psycopg.AsyncConnection[DictRow]

SEVERITIES: Final[Mapping[ZoneKind, int]] = {"responsibility": 1, "post": 2, "forbidden": 2, "watch": 1, "patrol": 1}
"""Of alarms, where the rule names none: 1 rings once, 2 until somebody has it. Nobody is in danger: never 3."""

Ids = list[tuple[int, int]]
"""Device and row."""


@dataclass(kw_only=True, slots=True)
class ZoneNews:
    """What a look at zones changed, for whoever is to hear of it.

    Attributes:
        movements: events that are new, withdrawn, or hold again.
        alarms: alarms that are new or corrected.
    """

    movements: Ids = field(default_factory=list)
    alarms: Ids = field(default_factory=list)


class Shift(NamedTuple):
    """When an officer is rostered in a zone.

    Attributes:
        zone: id.
        since_ms: UTC, included.
        until_ms: UTC, excluded.
    """

    zone: int
    since_ms: int
    until_ms: int


Shifts = Mapping[int, tuple[Shift, ...]]
"""Of officers, by id; of who has none, nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """Whose a device is.

    Attributes:
        device: id.
        officer: id of who wears it, None when nobody does.
        path: of the officer's unit, or of the device's own.
        shifts: of the officer in zones, within the time that is looked at.
    """

    device: int
    officer: int | None
    path: str
    shifts: tuple[Shift, ...] = ()

    @classmethod
    def of(cls, row: Row, shifts: Shifts) -> Self:
        """By the columns `device`, `officer` and `path`."""
        officer = row["officer"]
        return cls(device=row["device"], officer=officer, path=row["path"], shifts=shifts.get(officer, ()))

    def is_rostered(self, zone: int, at_ms: int | None) -> bool:
        """Whether a shift is in a zone, at a moment or, without one, at any."""
        return any(one.zone == zone and (at_ms is None or one.since_ms <= at_ms < one.until_ms) for one in self.shifts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Audience:
    """Whom a version of a zone concerns: units, officers, and whoever is rostered there.

    Attributes:
        zone: id.
        paths: of units, with all below.
        officers: ids of officers besides.
    """

    zone: int
    paths: tuple[str, ...]
    officers: frozenset[int]

    @classmethod
    def of(cls, row: Row) -> Self:
        """By the columns `zone_id`, `paths` and `officers`."""
        return cls(zone=row["zone_id"], paths=tuple(row["paths"]), officers=frozenset(row["officers"]))

    def includes(self, holder: Holder, at_ms: int | None = None) -> bool:
        """Whether the zone is any matter of whoever has a device, at a moment (UTC) or, without one, at any."""
        named = holder.officer in self.officers or holder.path.startswith(self.paths)
        return named or holder.is_rostered(self.zone, at_ms)


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """All zones of a stretch of time, and whom each concerns.

    Attributes:
        fences: their versions.
        zones: zone of each version.
        severities: of the alarms of each version, 0: it raises none.
        audiences: of each version.
        all_paths: of all versions.
        all_officers: of all versions.
    """

    fences: Fences
    zones: Mapping[int, int]
    severities: Mapping[int, int]
    audiences: Mapping[int, Audience]
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
            severities={row["version_id"]: severity_of(row) for row in rows},
            audiences={row["version_id"]: Audience.of(row) for row in rows},
            all_paths=frozenset(path for row in rows for path in row["paths"]),
            all_officers=frozenset(officer for row in rows for officer in row["officers"]),
        )

    def concerns(self, version: int, holder: Holder, at_ms: int | None = None) -> bool:
        """Whether a zone is any matter of whoever has a device, at a moment (UTC) or, without one, at any."""
        return self.audiences[version].includes(holder, at_ms)

    def concerns_any(self, holder: Holder) -> bool:
        """Whether any zone is."""
        named = holder.officer in self.all_officers or any(path in self.all_paths for path in _upwards(holder.path))
        return named or bool(holder.shifts)


def severity_of(row: Row) -> int:
    """Of the alarms of a version: by its rule, else by its kind."""
    return SEVERITIES[row["kind"]] if row["severity"] is None else int(row["severity"])


def schedule_of(row: Row, time_zone: str) -> Schedule | None:
    """When a version is in force; None: always."""
    if row["window_from"] is None:
        return None
    weekdays = {} if row["weekdays"] is None else {"weekdays": frozenset(row["weekdays"])}
    return Schedule(start=row["window_from"], end=row["window_to"], timezone=time_zone, **weekdays)


def zone_of(row: Row, time_zone: str) -> Zone:
    """A version as `xunlu_gis` knows it."""
    return Zone(
        id=row["version_id"],
        kind=row["kind"],
        shape=read_drawing(row["shape"]).shape,
        valid_from_ms=milliseconds(row["valid_from"]),
        valid_to_ms=None if row["valid_to"] is None else milliseconds(row["valid_to"]),
        schedule=schedule_of(row, time_zone),
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


async def read_standing(
    connection: Connection, devices: Iterable[int], since: datetime, until: datetime
) -> tuple[dict[int, Holder], dict[int, Any]]:
    """Whose devices are, with the shifts between two moments, and the stored states of those that have one."""
    cursor = await connection.execute(query(FILE, "standing"), {"devices": list(devices)})
    rows = await cursor.fetchall()
    shifts = await read_shifts(connection, [row["officer"] for row in rows], since, until)
    holders = {row["device"]: Holder.of(row, shifts) for row in rows}
    return holders, {row["device"]: row["state"] for row in rows if row["state"] is not None}


async def read_shifts(
    connection: Connection, officers: Iterable[int | None], since: datetime, until: datetime
) -> Shifts:
    """The shifts in zones that officers have between two moments."""
    values = {"officers": [one for one in officers if one is not None], "from": since, "to": until}
    found: dict[int, tuple[Shift, ...]] = {}
    for row in await (await connection.execute(query(FILE, "shifts"), values)).fetchall():
        shift = Shift(row["zone"], milliseconds(row["since"]), milliseconds(row["until"]))
        found[row["officer"]] = (*found.get(row["officer"], ()), shift)
    return found


async def write_standing(connection: Connection, states: States) -> None:
    """Store where devices stand."""
    rows = states.as_json()
    columns = {
        "device": list(rows),
        "fix_at": [instant(state["heard"][0]) for state in rows.values()],
        "state": [json.dumps(state) for state in rows.values()],
    }
    await connection.execute(query(FILE, "stand"), columns)


async def add_events(connection: Connection, watched: Watched, events: Iterable[tuple[ZoneEvent, int | None]]) -> Ids:
    """Store events with the officer whom each is about; what is stored already stays. Returns those that were not."""
    rows = [(event, officer) for event, officer in events]
    if not rows:
        return []
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
        "late": [event.late for event, _ in rows],
    }
    return await ids_of(await connection.execute(query(FILE, "add_events"), columns))


async def ids_of(cursor: psycopg.AsyncCursor[DictRow]) -> Ids:
    """What a statement that returns `device_id` and `id` has touched."""
    return [(row["device_id"], row["id"]) for row in await cursor.fetchall()]


def milliseconds(at: datetime) -> int:
    """A moment as UTC milliseconds."""
    return round(at.timestamp() * 1000)


def instant(ms: int) -> datetime:
    """UTC milliseconds as a datetime."""
    return datetime.fromtimestamp(ms / 1000, UTC)
