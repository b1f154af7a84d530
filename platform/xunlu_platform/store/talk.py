"""What is kept of push-to-talk for everybody: groups, invitations, the floor log, bursts. See `sql/talk.sql`."""

from collections.abc import Iterable
from datetime import UTC, datetime

from xunlu_platform.store.store import SYSTEM, Row, Store
from xunlu_protocol.talk_reports import BurstReport, FloorEntry

FILE = "talk"

_AS_REPORTED = {
    "id", "gid", "talker", "did", "grant", "urgency", "file", "size_bytes", "sha256", "lost", "complete",
}  # fmt: skip


def _instant(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


async def published_groups(store: Store, tenant: str) -> list[Row]:
    """Every open group with its members."""
    async with store.session(SYSTEM) as session:
        return await session.all(FILE, "published", {"tenant": tenant, "gid": None})


async def published_group(store: Store, tenant: str, gid: str) -> Row | None:
    """One open group with all of its members, whoever asks."""
    async with store.session(SYSTEM) as session:
        return await session.one(FILE, "published", {"tenant": tenant, "gid": gid})


async def invited_recorders(store: Store, tenant: str) -> list[Row]:
    """Every recorder that can talk, with the group of its key and those that it hears beside that, by rank."""
    async with store.session(SYSTEM) as session:
        return await session.all(FILE, "invited", {"tenant": tenant})


async def call_for_sos(store: Store, *, nearest: int, after_sos_s: int) -> list[str]:
    """Make the emergency group of every new SOS, and time those whose alarm was closed; the groups that are new."""
    async with store.session(SYSTEM) as session:
        made = await session.all(FILE, "call_for_sos")
        for call in made:
            await session.run(FILE, "join_sos", {**call, "count": nearest})
        await session.run(FILE, "time_calls_for_sos", {"after_s": after_sos_s})
    return [call["gid"] for call in made]


async def put_off_ends(store: Store) -> int:
    """Let groups in which somebody talks live longer; returns how many."""
    async with store.session(SYSTEM) as session:
        return await session.run(FILE, "put_off_ends")


async def keep_log(store: Store, tenant: str, entries: Iterable[FloorEntry]) -> None:
    """Keep what is new of the floor log."""
    rows = list({one.id: one for one in entries}.values())
    values = {
        "tenant": tenant,
        "id": [one.id for one in rows],
        "gid": [one.gid for one in rows],
        "at": [_instant(one.tms) for one in rows],
        "what": [one.what for one in rows],
        "who": [one.who for one in rows],
        "by": [one.by for one in rows],
        "grant": [one.grant for one in rows],
        "urgency": [one.urgency for one in rows],
        "priority": [one.priority for one in rows],
    }
    async with store.session(SYSTEM) as session:
        await session.run(FILE, "keep_log", values)


async def register_burst(store: Store, tenant: str, report: BurstReport) -> None:
    """Keep a burst; one that is reported twice counts once."""
    values = {
        **report.model_dump(include=_AS_REPORTED),
        "tenant": tenant,
        "started_at": _instant(report.started_ms),
        "ended_at": _instant(report.ended_ms),
    }
    async with store.session(SYSTEM) as session:
        await session.run(FILE, "register_burst", values)
