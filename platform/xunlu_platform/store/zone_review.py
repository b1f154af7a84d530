"""A second look at zones: when fixes came late, and when none come any more."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from xunlu_gis.fence import Fixes, States, ZoneEvent, revised
from xunlu_gis.fence.event import EventKey
from xunlu_platform.store.queries import query
from xunlu_platform.store.store import SYSTEM, Row, Session, Store
from xunlu_platform.store.zones import (
    FILE,
    Holder,
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

# Without a silence to begin at, the past is looked at from here on, and corrected from the first late fix on.
LOOK_BACK = timedelta(hours=48)
# A live fix is here within seconds; whoever has not been heard of for that long beyond the gap is silent.
ON_THE_WAY = timedelta(minutes=1)
PIECE_FIXES = 20_000
FIRST_PLACE = {"after_sid": -1, "after_seq": -1}


async def review_late(store: Store, time_zone: str) -> ZoneNews | None:
    """Look again at one device whose past has changed; None when there was none.

    Ingest keeps away from the device meanwhile, by the lock that its own workers keep each other away with.
    """
    async with store.session(SYSTEM) as session:
        due = await session.one(FILE, "take_due")
        return None if due is None else await _review(session, due["device"], due["since"], time_zone)


async def end_silent(store: Store, time_zone: str) -> ZoneNews | None:
    """End the visits of those who are not heard of any more; None when there was nobody."""
    now = datetime.now(UTC)
    async with store.session(SYSTEM) as session:
        connection = session.connection
        watched = await read_watched(connection, now - LOOK_BACK, now, time_zone)
        before = now - ON_THE_WAY - timedelta(seconds=watched.fences.rules.gap_s)
        rows = await session.all(FILE, "silent", {"before": before})
        if not rows:
            return None
        holders, states = await read_standing(connection, [row["device"] for row in rows])
        evaluation = watched.fences.silence(States.from_json(states), milliseconds(now - ON_THE_WAY))
        told = [(event, holders[event.device].officer) for event in evaluation.events
                if watched.concerns(event.zone, holders[event.device])]  # fmt: skip
        await write_standing(connection, evaluation.states)
        return ZoneNews(movements=await add_events(connection, watched, told))


async def _review(session: Session, device: int, since: datetime, time_zone: str) -> ZoneNews:
    now = datetime.now(UTC)
    watched = await read_watched(session.connection, since - LOOK_BACK, now, time_zone)
    gap = timedelta(seconds=watched.fences.rules.gap_s)
    stretch = {"device": device, "from": since - LOOK_BACK, "since": since, "gap_s": gap.total_seconds()}
    rest = await session.one(FILE, "rest_before", stretch)
    if rest is None:
        states, after, correct_from = States(), since - LOOK_BACK, since - gap
    else:
        states = States.resting(device, milliseconds(rest["fix_at"]), rest["lon"], rest["lat"])
        after = correct_from = rest["fix_at"]
    events, states = await _run(session, watched, device, after, states)
    silence = watched.fences.silence(states, milliseconds(now - ON_THE_WAY))
    worn = await session.all(FILE, "worn", {"device": device})
    told = [
        (event, holder)
        for event in [*events, *silence.events]
        if event.at_ms >= milliseconds(correct_from)
        and watched.concerns(event.zone, holder := _holder(device, worn, event.at_ms))
    ]
    await write_standing(session.connection, silence.states)
    return await _correct(session, watched, device, correct_from, told)


async def _run(
    session: Session, watched: Watched, device: int, after: datetime, states: States
) -> tuple[list[ZoneEvent], States]:
    """Evaluate all fixes after a moment, in order of fix time and in bounded pieces."""
    events: list[ZoneEvent] = []
    place = {"after_at": after, **FIRST_PLACE}
    more = True
    while more:
        values = {"device": device, "after": after, **place, "limit": PIECE_FIXES}
        rows = await session.all(FILE, "fixes", values)
        evaluation = watched.fences.evaluate(_fixes(device, rows), states)
        states = evaluation.states
        events += evaluation.events
        if more := len(rows) == PIECE_FIXES:
            place = {"after_at": rows[-1]["fix_at"], "after_sid": rows[-1]["sid"], "after_seq": rows[-1]["seq"]}
    return events, states


async def _correct(
    session: Session, watched: Watched, device: int, since: datetime, told: Sequence[tuple[ZoneEvent, Holder]]
) -> ZoneNews:
    rows = await session.all(FILE, "known_events", {"device": device, "from": since})
    known: list[EventKey] = [(device, row["version"], row["kind"], row["at_ms"]) for row in rows]
    revision = revised(known, [event for event, _ in told])
    officers = {event.key: holder.officer for event, holder in told}
    added = [(event, officers[event.key]) for event in revision.added]
    movements = await add_events(session.connection, watched, added)
    if revision.withdrawn:
        columns: dict[str, Any] = {
            "device": device,
            "version": [version for _, version, _, _ in revision.withdrawn],
            "kind": [kind for _, _, kind, _ in revision.withdrawn],
            "fix_at": [instant(at_ms) for _, _, _, at_ms in revision.withdrawn],
        }
        movements += await ids_of(await session.connection.execute(query(FILE, "withdraw"), columns))
    corrected = await session.connection.execute(query(FILE, "correct_alarms"), {"device": device, "from": since})
    return ZoneNews(movements=movements, alarms=await ids_of(corrected))


def _holder(device: int, worn: Sequence[Row], at_ms: int) -> Holder:
    """Whose the device was at a moment, by the rows of `worn`, newest first."""
    at = instant(at_ms)
    for row in worn:
        if (
            row["bound_at"] is not None
            and row["bound_at"] <= at
            and (row["released_at"] is None or at < row["released_at"])
        ):
            return Holder(device=device, officer=row["officer"], path=row["path"])
    return Holder(device=device, officer=None, path=worn[0]["device_path"])


def _fixes(device: int, rows: Sequence[Row]) -> Fixes:
    return Fixes.of(
        device=device,
        time_ms=[row["time_ms"] for row in rows],
        lon=[row["lon"] for row in rows],
        lat=[row["lat"] for row in rows],
        accuracy_m=[row["accuracy_m"] if row["accuracy_m"] is not None else float("nan") for row in rows],
        confident=[row["confident"] for row in rows],
    )
