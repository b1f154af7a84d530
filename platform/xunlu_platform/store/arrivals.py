"""What a batch of messages becomes in the database: one transaction, or nothing."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, NamedTuple, Self

import psycopg
from psycopg.rows import DictRow, dict_row

from xunlu_platform.errors import StoreError
from xunlu_platform.store.position_row import POSITION_TYPES, PositionRow
from xunlu_platform.store.queries import query
from xunlu_platform.store.ranges import Ranges, parse_ranges
from xunlu_platform.store.zone_watch import ZoneWatch

log = logging.getLogger(__name__)

STATEMENT_TIMEOUT_MS = 30_000


@dataclass(frozen=True, slots=True)
class DeviceRef:
    """A device as ingest knows it."""

    id: int
    did: str
    tenant: str
    kind: str
    status: str


class Held(NamedTuple):
    """What the database holds of a session after a commit; the content of `dn/ack`."""

    device_id: int
    sid: int
    upto: int
    missing: tuple[tuple[int, int], ...]
    bytes: int
    """Size of what is held or given up, as ranges: a session in shreds grows."""


@dataclass(slots=True)
class Arrivals:
    """Rows of one transaction.

    Attributes:
        devices: ids of all devices that it touches.
        positions: fixes by (device, sid, seq): a duplicate within the batch is one.
        held: sequences to note as stored, by (device, sid).
        given_up: sequences that will never be stored, by (device, sid).
        births, states, telemetry, events, replies, shadows: parameters of the statements of the same names.
        dead_letters: what was refused.
    """

    devices: set[int] = field(default_factory=set)
    positions: dict[tuple[int, int, int], PositionRow] = field(default_factory=dict)
    held: dict[tuple[int, int], Ranges] = field(default_factory=dict)
    given_up: dict[tuple[int, int], Ranges] = field(default_factory=dict)
    births: list[dict[str, Any]] = field(default_factory=list)
    states: list[dict[str, Any]] = field(default_factory=list)
    telemetry: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    replies: list[dict[str, Any]] = field(default_factory=list)
    shadows: list[dict[str, Any]] = field(default_factory=list)
    dead_letters: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Outcome:
    """What a commit changed.

    Attributes:
        stored: fixes that were new.
        held: what to confirm.
        events: (device id, event id) of new events.
        alarms: (device id, alarm id) of new or changed alarms.
        movements: (device id, event id) of comings and goings at zones.
        commands: (device id, rid) that moved.
        zones_failed: the fixes are stored, but whether they enter or leave a zone is still to be looked at.
    """

    stored: int = 0
    held: list[Held] = field(default_factory=list)
    events: list[tuple[int, int]] = field(default_factory=list)
    alarms: list[tuple[int, int]] = field(default_factory=list)
    movements: list[tuple[int, int]] = field(default_factory=list)
    commands: list[tuple[int, str]] = field(default_factory=list)
    zones_failed: bool = False


class RefusedByDatabaseError(StoreError):
    """Something in the batch breaks a rule of the database; its neighbours may be fine."""


class ArrivalStore:
    """One connection with the ingest role; opened when needed, opened again when it broke."""

    def __init__(self, dsn: str, time_zone: str) -> None:
        self._dsn = dsn
        self._zones = ZoneWatch(time_zone)
        self._connection: psycopg.AsyncConnection[DictRow] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._hang_up()

    async def devices(self, dids: Iterable[str]) -> list[DeviceRef]:
        """Look devices up by name, whatever their tenant.

        Raises:
            StoreError: the database does not answer.
        """
        try:
            connection = await self._connected()
            async with connection.transaction():
                rows = await (await connection.execute(query("arrivals", "devices"), [list(dids)])).fetchall()
                await connection.execute(query("arrivals", "ensure_states"), [[row["id"] for row in rows]])
        except psycopg.Error as error:
            await self._hang_up()
            raise StoreError(f"The database does not answer: {error}") from error
        return [DeviceRef(**row) for row in rows]

    async def commit(self, arrivals: Arrivals) -> Outcome:
        """Store a batch.

        Raises:
            RefusedByDatabaseError: a row breaks a rule; nothing was stored.
            StoreError: the database does not answer; nothing was stored, or the answer was lost. Try again: what was
                stored is recognised.
        """
        try:
            connection = await self._connected()
            async with connection.transaction():
                return await _commit(connection, arrivals, self._zones)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            await self._hang_up()
            raise StoreError(f"The database does not answer: {error}") from error
        except psycopg.Error as error:
            raise RefusedByDatabaseError(f"The database refused: {error}") from error

    async def _connected(self) -> psycopg.AsyncConnection[DictRow]:
        if self._connection is None or self._connection.closed:
            options = f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC"
            self._connection = await psycopg.AsyncConnection.connect(
                self._dsn, autocommit=True, row_factory=dict_row, options=options, prepare_threshold=1
            )
            await self._connection.execute(query("arrivals", "stage"))
        return self._connection

    async def _hang_up(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


async def _commit(connection: psycopg.AsyncConnection[DictRow], arrivals: Arrivals, zones: ZoneWatch) -> Outcome:
    outcome = Outcome()

    async def run(name: str, parameters: Mapping[str, Any] | list[Any] | None = None) -> psycopg.AsyncCursor[DictRow]:
        return await connection.execute(query("arrivals", name), parameters)

    await run("lock_devices", [sorted(arrivals.devices)])
    singles = (("birth", arrivals.births), ("availability", arrivals.states), ("shadow_reported", arrivals.shadows))
    for name, row in ((name, row) for name, rows in singles for row in rows):
        await run(name, row)
    if arrivals.positions:
        outcome.stored = await _store_positions(connection, arrivals)
        await _follow(connection, zones, arrivals, outcome)
    if arrivals.telemetry:
        columns = _columns(arrivals.telemetry)
        await run("telemetry", columns)
        await run("newest_telemetry", columns)
    for event in arrivals.events:
        await _store_event(connection, event, outcome)
    if arrivals.held or arrivals.given_up:
        outcome.held = [_held(row) for row in await (await run("hold", _sessions(arrivals))).fetchall()]
    outcome.commands = [
        (reply["device"], reply["rid"]) for reply in arrivals.replies if await (await run("reply", reply)).fetchone()
    ]
    if arrivals.dead_letters:
        await run("dead_letters", _columns(arrivals.dead_letters))
    return outcome


async def _store_positions(connection: psycopg.AsyncConnection[DictRow], arrivals: Arrivals) -> int:
    async with connection.cursor() as cursor, cursor.copy(query("arrivals", "copy_positions")) as copy:
        copy.set_types(POSITION_TYPES)
        for row in arrivals.positions.values():
            await copy.write_row(row)
    stored = (await connection.execute(query("arrivals", "insert_positions"))).rowcount
    await connection.execute(query("arrivals", "newest_positions"))
    await connection.execute(query("arrivals", "hours_due"))
    return stored


async def _follow(
    connection: psycopg.AsyncConnection[DictRow], zones: ZoneWatch, arrivals: Arrivals, outcome: Outcome
) -> None:
    """Look at zones. A mistake there is ours, and no reason to keep a fix out of the database: a job looks again."""
    positions = list(arrivals.positions.values())
    try:
        async with connection.transaction():
            news = await zones.follow(connection, positions)
        outcome.movements += news.movements
        outcome.alarms += news.alarms
    except (psycopg.OperationalError, psycopg.InterfaceError):
        raise
    except Exception:
        outcome.zones_failed = True
        log.exception("zones not looked at")
        await zones.look_again(connection, positions)


async def _store_event(connection: psycopg.AsyncConnection[DictRow], event: dict[str, Any], outcome: Outcome) -> None:
    row = await (await connection.execute(query("arrivals", "event"), event)).fetchone()
    if row is None:
        return
    outcome.events.append((event["device"], row["id"]))
    statement = "cancel_alarm" if event["type"] == "sos_cancel" else "raise_alarm" if event["severity"] else None
    if statement:
        cursor = await connection.execute(query("arrivals", statement), event)
        outcome.alarms += [(event["device"], alarm["id"]) for alarm in await cursor.fetchall()]


def _sessions(arrivals: Arrivals) -> dict[str, list[Any]]:
    keys = sorted(arrivals.held.keys() | arrivals.given_up.keys())
    nothing = Ranges()
    return {
        "device": [device for device, _ in keys],
        "sid": [sid for _, sid in keys],
        "held": [str(arrivals.held.get(key, nothing)) for key in keys],
        "given_up": [str(arrivals.given_up.get(key, nothing)) for key in keys],
    }


def _held(row: DictRow) -> Held:
    return Held(row["device_id"], row["sid"], row["upto"], parse_ranges(row["missing"]), row["bytes"])


def _columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}
