"""Who enters and leaves zones, judged inside the transaction that stores the fixes and under the same locks."""

import math
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from xunlu_gis.fence import Fixes, States, ZoneEvent
from xunlu_platform.store.position_row import PositionRow
from xunlu_platform.store.queries import query
from xunlu_platform.store.zones import (
    FILE,
    Connection,
    Ids,
    Watched,
    ZoneNews,
    add_events,
    ids_of,
    instant,
    milliseconds,
    read_standing,
    read_watched,
    write_standing,
)

# A version that ended just now still judges the fixes that were on their way.
ENDED_FOR = timedelta(hours=1)
LOOK_S = 2.0

# Fewer satellites or a worse geometry put a fix anywhere: it moves nothing (gis research note, cleaning).
SATELLITES_MIN = 4
HDOP_MAX = 5.0


class ZoneWatch:
    """Follows the fixes of all devices; what it knows of zones is two seconds old at most."""

    def __init__(self, time_zone: str) -> None:
        """Begin.

        Args:
            time_zone: IANA name, of daily windows.
        """
        self._time_zone = time_zone
        self._watched: Watched | None = None
        self._change: dict[str, Any] | None = None
        self._looked_s = -math.inf

    async def follow(self, connection: Connection, positions: Sequence[PositionRow]) -> ZoneNews:
        """Take the fixes of a batch.

        Args:
            connection: in a transaction that holds the locks of these devices.
            positions: new ones, or such as are known already: they change nothing.
        """
        watched = await self._current(connection)
        if not watched.zones:
            return ZoneNews()
        times = [row.fix_at for row in positions]
        devices = {row.device_id for row in positions}
        holders, states = await read_standing(connection, devices, min(times), max(times))
        concerned = {device for device, holder in holders.items() if watched.concerns_any(holder)}
        rows = [row for row in positions if row.device_id in concerned]
        if not rows:
            return ZoneNews()
        before = States.from_json({device: state for device, state in states.items() if device in concerned})
        evaluation = watched.fences.evaluate(_fixes(rows), before)
        await write_standing(connection, evaluation.states)
        older = [row for row, is_older in zip(rows, evaluation.late.tolist(), strict=True) if is_older]
        await self.look_again(connection, older)
        by_fix = {(row.device_id, milliseconds(row.fix_at)): row for row in rows}
        told = [
            (event.found_late() if by_fix[event.device, event.confirmed_ms].late else event, holder.officer)
            for event in evaluation.events
            if watched.concerns(event.zone, holder := holders[event.device], event.at_ms)
        ]
        return ZoneNews(
            movements=await add_events(connection, watched, told),
            alarms=await self._raise(connection, watched, told, by_fix),
        )

    async def _current(self, connection: Connection) -> Watched:
        now_s = time.monotonic()
        if self._watched is None or now_s - self._looked_s > LOOK_S:
            self._looked_s = now_s
            change = await (await connection.execute(query(FILE, "newest_change"))).fetchone()
            if self._watched is None or change != self._change:
                now = datetime.now(UTC)
                self._watched = await read_watched(connection, now - ENDED_FOR, now + ENDED_FOR, self._time_zone)
                self._change = change
        return self._watched

    async def look_again(self, connection: Connection, rows: Sequence[PositionRow]) -> None:
        """Leave it to `zone_review` to judge the devices of some fixes anew, from the oldest of these to the newest."""
        times: dict[int, list[datetime]] = {}
        for row in rows:
            times.setdefault(row.device_id, []).append(row.fix_at)
        if times:
            columns = {
                "device": list(times),
                "since": [min(each) for each in times.values()],
                "until": [max(each) for each in times.values()],
            }
            await connection.execute(query(FILE, "note_due"), columns)

    async def _raise(
        self,
        connection: Connection,
        watched: Watched,
        told: Sequence[tuple[ZoneEvent, int | None]],
        by_fix: Mapping[tuple[int, int], PositionRow],
    ) -> Ids:
        """An alarm is named after the fix that made it certain, so that it is raised once."""
        grave = [(event, officer) for event, officer in told if event.alarm and watched.severities[event.zone]]
        if not grave:
            return []
        fixes = [by_fix[event.device, event.confirmed_ms] for event, _ in grave]
        columns: dict[str, list[Any]] = {
            "device": [event.device for event, _ in grave],
            "officer": [officer for _, officer in grave],
            "zone": [watched.zones[event.zone] for event, _ in grave],
            "kind": [f"zone_{event.kind}" for event, _ in grave],
            "severity": [watched.severities[event.zone] for event, _ in grave],
            "sid": [fix.sid for fix in fixes],
            "seq": [fix.seq for fix in fixes],
            "fix_at": [instant(event.at_ms) for event, _ in grave],
            "lat": [event.lat for event, _ in grave],
            "lon": [event.lon for event, _ in grave],
        }
        return await ids_of(await connection.execute(query(FILE, "raise"), columns))


def _fixes(rows: Sequence[PositionRow]) -> Fixes:
    return Fixes.of(
        device=[row.device_id for row in rows],
        time_ms=[milliseconds(row.fix_at) for row in rows],
        lon=[row.lon for row in rows],
        lat=[row.lat for row in rows],
        accuracy_m=[math.nan if row.accuracy_m is None else row.accuracy_m for row in rows],
        confident=[_is_confident(row) for row in rows],
    )


def _is_confident(row: PositionRow) -> bool:
    enough = row.sat is None or row.sat >= SATELLITES_MIN
    return enough and (row.hdop is None or row.hdop <= HDOP_MAX)
