"""What the API keeps in memory, read from the database: see `sql/fleet.sql`."""

from collections.abc import Iterable
from datetime import datetime

from xunlu_platform.store.store import SYSTEM, Row, Store

FILE = "fleet"


async def read_devices(store: Store, dids: Iterable[str] | None = None) -> list[Row]:
    """Approved devices with the newest known of each; all of them when `dids` is None."""
    async with store.session(SYSTEM) as session:
        return await session.all(FILE, "devices", {"dids": None if dids is None else list(dids)})


async def read_alarms(store: Store, ids: Iterable[int] | None = None) -> list[Row]:
    """Alarms by id, in any state; all open ones when `ids` is None."""
    async with store.session(SYSTEM) as session:
        return await session.all(FILE, "alarms", {"ids": None if ids is None else list(ids)})


async def read_events(store: Store, ids: Iterable[int]) -> list[Row]:
    """Events by id."""
    async with store.session(SYSTEM) as session:
        return await session.all(FILE, "events", {"ids": list(ids)})


async def read_movements(
    store: Store, *, ids: Iterable[int] = (), since: datetime | None = None, limit: int
) -> list[Row]:
    """Comings and goings by id, and those that changed since a moment; the oldest change first."""
    values = {"ids": list(ids), "since": since, "limit": limit}
    async with store.session(SYSTEM) as session:
        return await session.all(FILE, "movements", values)


async def read_commands(store: Store, rids: Iterable[str]) -> list[Row]:
    """Commands by id."""
    async with store.session(SYSTEM) as session:
        return await session.all(FILE, "commands", {"rids": list(rids)})
