"""What the jobs process asks of the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from xunlu_platform.store.queries import query
from xunlu_platform.store.store import SYSTEM, Row, Store

FILE = "housekeeping"


async def keep_watch(store: Store) -> None:
    """Somebody listens for who comes and goes."""
    async with store.session(SYSTEM) as session:
        if not await session.run(FILE, "keep_watch"):
            await session.run(FILE, "begin_watch")


async def note_server_state(store: Store, *, host: str, at: datetime, online: bool) -> None:
    """A server process came or went; one that comes again, and that nobody heard go, went when the watch was broken."""
    async with store.session(SYSTEM) as session:
        if online:
            await session.run(FILE, "end_unheard", {"host": host, "at": at})
        await session.run(FILE, "server_state", {"host": host, "at": at, "online": online})


async def reconcile_availability(store: Store, did: str, state: dict[str, Any]) -> None:
    """A retained state that nobody heard while we were away; one that is known changes nothing.

    Args:
        store: with the jobs role.
        did: whose state.
        state: `sid`, `st`, `why`, `at`, `received_at`.
    """
    async with store.session(SYSTEM) as session:
        if device := await session.one(FILE, "device_id", [did]):
            await session.connection.execute(query("arrivals", "availability"), {**state, "device": device["id"]})


async def expire_commands(store: Store) -> list[Row]:
    """Commands that nobody answered; returns `rid` and `did` of each."""
    async with store.session(SYSTEM) as session:
        return await session.all(FILE, "expire_commands")


async def tidy(store: Store) -> None:
    """Forget ended logins, old watches, and the oldest dead letters beyond the bound."""
    async with store.session(SYSTEM) as session:
        await session.run(FILE, "forget_logins")
        await session.run(FILE, "forget_watches")
        await session.run(FILE, "trim_dead_letters")


async def last_rolled_up(store: Store) -> datetime | None:
    """The newest hour that has a roll-up."""
    async with store.session(SYSTEM) as session:
        row = await session.one(FILE, "last_rolled_up")
        return row["hour"] if row else None


async def hour_over(store: Store, hour: datetime) -> int:
    """Mark an hour that is over as due; returns the number of devices."""
    async with store.session(SYSTEM) as session:
        return await session.run(FILE, "hour_over", {"hour": hour})


async def hours_due(store: Store, *, hours_max: int) -> list[Row]:
    """Some of the hours due: `device_id`, `hour`, and the `mark` under which their roll-up counts."""
    async with store.session(SYSTEM) as session:
        return await session.all(FILE, "hours_due", {"hours_max": hours_max})


async def roll_up(store: Store, due: Sequence[Row], pieces: Sequence[Row]) -> int:
    """Settle hours that are still due under the same mark; returns how many.

    Args:
        store: with the jobs role.
        due: of `hours_due`.
        pieces: rows of `track_piece` of these hours.
    """
    values = {name: [row[name] for row in due] for name in ("device_id", "hour", "mark")}
    async with store.session(SYSTEM) as session:
        settled = {(row["device_id"], row["hour"]) for row in await session.all(FILE, "roll_up", values)}
        rows = [_with_json(row) for row in pieces if (row["device_id"], row["hour"]) in settled]
        await session.connection.cursor().executemany(query(FILE, "track_piece"), rows)
    return len(settled)


def _with_json(row: Row) -> Row:
    return {name: Jsonb(value) if isinstance(value, list) else value for name, value in row.items()}


async def apply_retention(store: Store) -> list[Row]:
    """Erase what the switched-on rules say; returns their runs."""
    async with store.session(SYSTEM) as session:
        subjects = [row["subject"] for row in await session.all(FILE, "retention_rules")]
    runs = []
    for subject in subjects:
        async with store.session(SYSTEM) as session:
            runs += await session.all(FILE, "apply_retention", [subject])
    return runs


async def files_to_erase(store: Store, *, limit: int) -> list[str]:
    """Files whose rows a rule has erased, the oldest notes first."""
    async with store.session(SYSTEM) as session:
        return [row["file"] for row in await session.all(FILE, "files_to_erase", {"limit": limit})]


async def forget_files(store: Store, files: list[str]) -> None:
    """These files are gone."""
    async with store.session(SYSTEM) as session:
        await session.run(FILE, "forget_files", {"files": files})


async def sort_chunk(store: Store) -> str | None:
    """Put one day of positions that is over into the order of its devices; returns its name, None when all are."""
    async with store.session(SYSTEM) as session:
        await session.one(FILE, "allow_sorting")
        row = await session.one(FILE, "sort_position_chunk")
        return row["chunk"] if row else None
