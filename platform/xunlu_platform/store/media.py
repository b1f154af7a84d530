"""What the jobs process keeps of live video: viewings, recordings, orders to record. See `sql/media.sql`."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from psycopg.types.json import Jsonb

from xunlu_platform.store.store import SYSTEM, Row, Store
from xunlu_protocol.media import RecordingReport, Viewing

FILE = "media"

_AS_REPORTED = {"id", "did", "why", "order", "file", "size_bytes", "sha256", "video", "audio", "complete"}


def _instant(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


async def note_viewings(store: Store, viewings: Iterable[Viewing], told_ms: int) -> None:
    """Keep what a relay says of viewings.

    Args:
        store: with the jobs role.
        viewings: as told; one that is told twice counts once.
        told_ms: UTC milliseconds of the frame.
    """
    rows = list({one.id: one for one in viewings}.values())
    values = {
        "id": [one.id for one in rows],
        "did": [one.did for one in rows],
        "began_at": [_instant(one.from_ms) for one in rows],
        "seen_at": [_instant(one.to_ms or told_ms) for one in rows],
        "ended_at": [None if one.to_ms is None else _instant(one.to_ms) for one in rows],
        "sent_bytes": [one.sent_bytes for one in rows],
        "why": [one.why for one in rows],
    }
    async with store.session(SYSTEM) as session:
        await session.run(FILE, "note_viewings", values)


async def close_viewings(store: Store, named: Collection[str]) -> int:
    """End the viewings that no relay names any more; returns how many."""
    async with store.session(SYSTEM) as session:
        return await session.run(FILE, "close_viewings", {"named": list(named)})


async def register_recording(store: Store, report: RecordingReport) -> bool:
    """Keep a recording; whether the database holds it now, from this report or an earlier one."""
    values = {
        **report.model_dump(include=_AS_REPORTED),
        "started_at": _instant(report.started_ms),
        "ended_at": _instant(report.ended_ms),
        "gaps": Jsonb([gap.model_dump() for gap in report.gaps]),
    }
    async with store.session(SYSTEM) as session:
        await session.run(FILE, "register_recording", values)
        row = await session.one(FILE, "registered", {"id": report.id})
        return row is not None and bool(row["registered"])


async def end_orders(store: Store, *, after_sos_s: int) -> None:
    """End the orders whose time has come; those of an SOS go on for `after_sos_s` seconds after it was closed."""
    async with store.session(SYSTEM) as session:
        await session.run(FILE, "time_orders_for_sos", {"after_s": after_sos_s})
        await session.run(FILE, "end_orders")


async def open_orders(store: Store) -> list[Row]:
    """The order that counts of every device that has one."""
    async with store.session(SYSTEM) as session:
        return await session.all("live", "orders", {"did": None})
