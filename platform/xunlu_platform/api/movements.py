"""Comings and goings on their way to the desks, and what is told of anything that befell a device."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from xunlu_platform.store.fleet import read_movements
from xunlu_platform.store.store import Row, Scope, Store

Fields = dict[str, Any]

MOVEMENTS_MAX = 2000
# What a commit needs to become visible here, and what the clock of the database may differ.
OVERLAP = timedelta(seconds=60)


@dataclass(slots=True)
class Happening:
    """Something that befell a device, perhaps at a zone.

    Attributes:
        path: unit path of the device.
        zone_path: unit path of the zone; None: there is none.
        fields: what consoles are told.
    """

    path: str
    zone_path: str | None
    fields: Fields

    def seen_by(self, scope: Scope) -> Fields | None:
        """What a scope is told: nothing of a device beyond it, of a zone beyond it only that it was one."""
        if not scope.sees(self.path):
            return None
        hidden = self.zone_path is not None and not scope.sees(self.zone_path)
        return self.fields | {"zone": None} if hidden else self.fields


class Movements:
    """Reads each change of a coming or going once: as a frame announces it, or after the frame was lost."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._told: dict[str, datetime] = {}
        self._looked_at: datetime | None = None

    async def announced(self, ids: Collection[int]) -> list[Happening] | None:
        """Those of some ids; None: more than can be told.

        Raises:
            StoreError: the database does not answer.
        """
        if len(ids) > MOVEMENTS_MAX:
            return None
        return self._untold(await read_movements(self._store, ids=ids, limit=MOVEMENTS_MAX))

    async def unannounced(self) -> list[Happening] | None:
        """Those that changed since the last look and were not told yet; None: more than can be told.

        Raises:
            StoreError: the database does not answer.
        """
        now = datetime.now(UTC)
        since = (self._looked_at or now) - OVERLAP
        rows = await read_movements(self._store, since=since, limit=MOVEMENTS_MAX)
        self._looked_at = now
        self._told = {number: changed_at for number, changed_at in self._told.items() if changed_at >= since}
        untold = self._untold(rows)
        return untold if len(rows) < MOVEMENTS_MAX else None

    def _untold(self, rows: Iterable[Row]) -> list[Happening]:
        untold = [row for row in rows if self._told.get(row["id"]) != row["changed_at"]]
        self._told |= {row["id"]: row["changed_at"] for row in untold}
        return [_happening(row) for row in untold]


def _happening(row: Row) -> Happening:
    fields = {name: value for name, value in row.items() if name not in ("path", "zone_path", "changed_at")}
    return Happening(row["path"], row["zone_path"], fields)
