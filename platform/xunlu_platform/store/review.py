"""What a look back reads: who wore what, the shape of it, and what happened meanwhile. See `sql/review.sql`."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from psycopg.rows import dict_row

from xunlu_gis.track import Track
from xunlu_platform.store.columns import column, milliseconds
from xunlu_platform.store.queries import query
from xunlu_platform.store.store import Row, Session

FILE = "review"

STRETCHES_MAX = 2000
PIECES_BYTES_MAX = 16_000_000
# Of one stretch at once, and of how many stretches: what one answer of the database holds.
FIXES_AT_ONCE = 5000
STRETCHES_AT_ONCE = 50
CHANGES_MAX = 5000
DEVICES_AT_ONCE = 500

Columns = dict[str, np.ndarray[Any, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """A device from one moment to another: `since` included, `until` excluded.

    Attributes:
        device_id: None finds only what needs no device.
        did: its name.
        after: sid and seq of the fix at `since` after which to read; no sid and no seq is negative.
    """

    device_id: int | None
    did: str
    since: datetime
    until: datetime
    after: tuple[int, int] = (-1, -1)


def _unnest(stretches: Iterable[tuple[int, Stretch]]) -> dict[str, Any]:
    rows = list(stretches)
    return {
        "n": [n for n, _ in rows],
        "device_id": [one.device_id for _, one in rows],
        "since": [one.since for _, one in rows],
        "until": [one.until for _, one in rows],
        "after_sid": [one.after[0] for _, one in rows],
        "after_seq": [one.after[1] for _, one in rows],
    }


async def _binary(session: Session, name: str, values: dict[str, Any]) -> list[Row]:
    cursor = session.connection.cursor(row_factory=dict_row, binary=True)
    await cursor.execute(query(FILE, name), values)
    return await cursor.fetchall()


# -- subjects ---------------------------------------------------------------------------------------------------------


async def read_officers(session: Session, ids: Sequence[int]) -> list[Row]:
    """Officers within the scope: `id`, `number`, `name`, `unit`."""
    return await session.all(FILE, "officers", {"ids": list(ids)})


async def read_devices(session: Session, dids: Sequence[str]) -> list[Row]:
    """Devices within the scope: `id`, `did`."""
    return await session.all(FILE, "devices", {"dids": list(dids)})


async def read_worn(session: Session, officer_ids: Sequence[int], since: datetime, until: datetime) -> list[Row]:
    """What each officer wore, oldest first, one more than may be: `officer_id` and the columns of a stretch."""
    values = {"ids": list(officer_ids), "from": since, "to": until, "limit": STRETCHES_MAX + 1}
    return await session.all(FILE, "worn", values)


# -- tracks -----------------------------------------------------------------------------------------------------------


async def read_pieces(session: Session, stretches: Sequence[Stretch], level: float) -> list[Row]:
    """Whole hours that have a shape on a level: `n` of the stretch, `hour`, and the columns of `track_piece`.

    The running sum `bytes` of the last row is above `PIECES_BYTES_MAX` when there are more.
    """
    values = {**_unnest(enumerate(stretches)), "level": level, "bytes_max": PIECES_BYTES_MAX}
    return await _binary(session, "pieces", values)


async def read_fixes(session: Session, stretches: Sequence[Stretch], *, fixes_max: int | None = None) -> list[Track]:
    """The fixes of each stretch in order of fix time; with `fixes_max` at most a little more than so many in all."""
    found: list[list[Row]] = [[] for _ in stretches]
    waiting = list(enumerate(stretches))
    total = 0
    while waiting and (fixes_max is None or total <= fixes_max):
        batch, waiting = waiting[:STRETCHES_AT_ONCE], waiting[STRETCHES_AT_ONCE:]
        for row in await _binary(session, "fixes", {**_unnest(batch), "limit": FIXES_AT_ONCE}):
            found[row["n"]].append(row)
            total += row["points"]
            if row["points"] == FIXES_AT_ONCE:
                waiting.append((row["n"], _rest(stretches[row["n"]], row)))
    return [_track(rows) for rows in found]


_TRACK = ("lon", "lat", "accuracy_m", "speed_mps", "course_deg", "hdop", "fix", "sat", "sid", "seq")


def _track(rows: Sequence[Row]) -> Track:
    columns = {name: np.concatenate([column(row[name]) for row in rows]) for name in _TRACK}
    times, received = (np.concatenate([milliseconds(row[name]) for row in rows]) for name in ("time_s", "received_s"))
    return Track.of(times, received_ms=received, **columns)


def _rest(stretch: Stretch, row: Row) -> Stretch:
    """What follows the last fix that was read; an eight-byte number of seconds holds the microseconds of our days."""
    last = datetime.fromtimestamp(float(column(row["time_s"])[-1]), UTC)
    return replace(stretch, since=last, after=(int(column(row["sid"])[-1]), int(column(row["seq"])[-1])))


# -- what explains them -----------------------------------------------------------------------------------------------


async def read_neighbours(session: Session, stretches: Sequence[Stretch]) -> list[Row]:
    """The fixes beside each stretch, at most a day away: `n`, `time_s`, `received_s`, `sid`, `seq`."""
    return await session.all(FILE, "neighbours", _unnest(enumerate(stretches)))


async def read_availability(session: Session, stretches: Sequence[Stretch]) -> list[Row]:
    """Changes of state in and beside each stretch, one more than may be: `n`, `at`, `availability`, `why`, `sid`."""
    return await session.all(FILE, "availability", {**_unnest(enumerate(stretches)), "limit": CHANGES_MAX + 1})


async def read_telemetry(
    session: Session, stretches: Sequence[Stretch], *, words_max: int
) -> list[tuple[int, Columns]]:
    """What each device told of itself: the number of the stretch, and `time_ms`, `fix`, `signal_dbm`.

    The sum of the words is above `words_max` when there are more.
    """
    found: list[tuple[int, Columns]] = []
    total = 0
    waiting = list(enumerate(stretches))
    while waiting and total <= words_max:
        batch, waiting = waiting[:STRETCHES_AT_ONCE], waiting[STRETCHES_AT_ONCE:]
        for row in await _binary(session, "telemetry", {**_unnest(batch), "limit": FIXES_AT_ONCE}):
            if not row["points"]:
                continue
            total += row["points"]
            columns = {name: column(row[name]) for name in ("fix", "signal_dbm")}
            found.append((row["n"], {"time_ms": milliseconds(row["time_s"]), **columns}))
            if row["points"] >= FIXES_AT_ONCE:
                rest = datetime.fromtimestamp(float(column(row["time_s"]).max()), UTC) + timedelta(microseconds=1)
                waiting.append((row["n"], replace(stretches[row["n"]], since=rest)))
    return found


async def read_server_states(session: Session, since: datetime, until: datetime) -> list[Row]:
    """Which processes took positions in, as they stood at `since` and as changes were heard: `host`, `at`, `online`."""
    return await session.all(FILE, "server_states", {"from": since, "to": until, "limit": CHANGES_MAX})


# -- moments and the fleet --------------------------------------------------------------------------------------------


async def read_moments(
    session: Session, kind: str, stretches: Sequence[Stretch], officer_ids: Sequence[int | None], *, limit: int
) -> list[Row]:
    """One kind of moments, oldest first: `n` of the stretch, `did`, `at`, `until`, `id`, `text`, `detail`.

    Args:
        session: within the scope of whoever asks.
        kind: a query `{kind}_moments`.
        stretches: where to look; one without a device finds what its officer did without any.
        officer_ids: whose each stretch is.
        limit: how many.
    """
    values = {**_unnest(enumerate(stretches)), "officer_id": list(officer_ids), "limit": limit}
    return await session.all(FILE, f"{kind}_moments", values)


async def read_fleet_at(session: Session, at: datetime) -> tuple[list[Row], list[Row]]:
    """The devices and the open alarms of a moment, in the columns of `store.fleet`."""
    await session.one(FILE, "probe_plainly")
    cursor = session.connection.cursor(row_factory=dict_row, binary=True)
    await cursor.execute(query(FILE, "fleet_devices"), {"at": at})
    devices: list[Row] = []
    while some := await cursor.fetchmany(DEVICES_AT_ONCE):
        devices += some
        # Making rows of ten thousand devices takes a while: whoever asks for a page meanwhile does not wait for all.
        await asyncio.sleep(0)
    return devices, await session.all(FILE, "fleet_alarms", {"at": at})
