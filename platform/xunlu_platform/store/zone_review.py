"""A second look at zones: when fixes came late, and when none come any more."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from xunlu_gis.fence import FenceRules, Fences, Fixes, States, ZoneEvent, revised
from xunlu_gis.fence.event import EventKey
from xunlu_gis.fence.states import ENTERING, LEAVING
from xunlu_platform.store.queries import query
from xunlu_platform.store.store import SYSTEM, Row, Session, Store
from xunlu_platform.store.zones import (
    FILE,
    Holder,
    Shifts,
    Watched,
    ZoneNews,
    add_events,
    ids_of,
    instant,
    milliseconds,
    read_shifts,
    read_standing,
    read_watched,
    write_standing,
)

# Without a silence to begin at, the past is looked at from here on, and corrected from the first late fix on.
LOOK_BACK = timedelta(hours=48)
# A live fix is here within seconds; whoever has not been heard of for that long beyond the gap is silent.
ON_THE_WAY = timedelta(minutes=1)
PIECE_FIXES = 20_000


async def review_late(store: Store, time_zone: str, before: datetime) -> ZoneNews | None:
    """Look again at one device whose past has changed; None when there was none.

    Ingest keeps away from the device meanwhile, by the lock that its own workers keep each other away with; therefore
    a look takes at most `PIECE_FIXES` fixes, and a stretch that has more is put back to wait for another one.

    Args:
        store: with the jobs role.
        time_zone: IANA name, of daily windows.
        before: devices that were noted, or put back, later than this are left alone.
    """
    async with store.session(SYSTEM) as session:
        due = await session.one(FILE, "take_due", {"before": before})
        return None if due is None else await _review(session, due, time_zone)


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
        holders, states = await read_standing(connection, [row["device"] for row in rows], now - LOOK_BACK, now)
        evaluation = watched.fences.silence(States.from_json(states), milliseconds(now - ON_THE_WAY))
        told = [(event, holders[event.device].officer) for event in evaluation.events
                if watched.concerns(event.zone, holders[event.device], event.at_ms)]  # fmt: skip
        await write_standing(connection, evaluation.states)
        return ZoneNews(movements=await add_events(connection, watched, told))


@dataclass(frozen=True, kw_only=True, slots=True)
class Beginning:
    """Where a review begins.

    Attributes:
        states: of the device.
        after: fixes later than this are looked at.
        correct_after: events later than this are corrected.
    """

    states: States
    after: datetime
    correct_after: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """How far one piece of a review has come.

    Attributes:
        events: of the piece; those later than `until_ms` are seen again by the next one.
        states: after the piece.
        until_ms: events up to then will not change any more, UTC; None: this is the present.
        resting: the piece ended at a silence, and nothing after it has changed.
    """

    events: tuple[ZoneEvent, ...]
    states: States
    until_ms: int | None
    resting: bool = False


async def _review(session: Session, due: Row, time_zone: str) -> ZoneNews:
    """Look at one piece of a stretch, from before the oldest late fix to the first silence after the newest."""
    now = datetime.now(UTC)
    watched = await read_watched(session.connection, due["since"] - LOOK_BACK, now, time_zone)
    begin = await _beginning(session, due, watched.fences.rules)
    values = {"device": due["device"], "after": begin.after, "limit": PIECE_FIXES}
    fixes = _fixes(due["device"], await session.all(FILE, "fixes", values))
    look = _look(watched.fences, begin, fixes, milliseconds(due["until"]), milliseconds(now - ON_THE_WAY))
    if look.until_ms is None:
        await write_standing(session.connection, look.states)
    elif not look.resting:
        state = json.dumps(look.states.as_json()[due["device"]])
        await session.run(FILE, "go_on", {**due, "state": state})
    return await _correct(session, watched, due["device"], begin.correct_after, look)


async def _beginning(session: Session, due: Row, rules: FenceRules) -> Beginning:
    device, since = due["device"], due["since"]
    if due["state"] is not None:
        states = States.from_json({device: due["state"]})
        heard = instant(int(states.devices["heard_ms"][0]))
        return Beginning(states=states, after=heard, correct_after=heard)
    stretch = {"device": device, "from": since - LOOK_BACK, "since": since, "gap_s": rules.gap_s}
    rest = await session.one(FILE, "rest_before", stretch)
    if rest is None:
        correct_after = since - timedelta(seconds=rules.gap_s)
        return Beginning(states=States(), after=since - LOOK_BACK, correct_after=correct_after)
    states = States.resting(device, milliseconds(rest["fix_at"]), rest["lon"], rest["lat"])
    return Beginning(states=states, after=rest["fix_at"], correct_after=rest["fix_at"])


def _look(fences: Fences, begin: Beginning, fixes: Fixes, until_ms: int, now_ms: int) -> Look:
    """Judge fixes, of which there are `PIECE_FIXES` unless they reach the present."""
    times = np.concatenate(([milliseconds(begin.after)], fixes.time_ms))
    (rests,) = np.nonzero((np.diff(times) > fences.rules.gap_s * 1000) & (times[:-1] >= until_ms))
    seen = fences.evaluate(fixes[: rests[0]] if len(rests) else fixes, begin.states)
    if len(rests) or len(fixes) < PIECE_FIXES:
        silence = fences.silence(seen.states, int(times[rests[0] + 1]) if len(rests) else now_ms)
        events = (*seen.events, *silence.events)
        end_ms = int(times[rests[0]]) if len(rests) else None
        return Look(events=events, states=silence.states, until_ms=end_ms, resting=bool(len(rests)))
    settled = fixes[: _settled(seen.states, fixes)]
    states = fences.evaluate(settled, begin.states).states
    return Look(events=seen.events, states=states, until_ms=int(settled.time_ms[-1]))


def _settled(states: States, fixes: Fixes) -> int:
    """How many of some fixes can be the place of no event that is yet to be told.

    All of them when somebody has been coming or going since before, and so many fixes did not confirm it.
    """
    waits = np.isin(states.presences["phase"], (ENTERING, LEAVING))
    first_ms = min([int(fixes.time_ms[-1]), *states.presences["since_ms"][waits].tolist()])
    return int(fixes.time_ms.searchsorted(first_ms)) or len(fixes)


async def _correct(session: Session, watched: Watched, device: int, after: datetime, look: Look) -> ZoneNews:
    to_ms = math.inf if look.until_ms is None else look.until_ms
    stretch = {"device": device, "after": after, "to": None if look.until_ms is None else instant(look.until_ms)}
    worn = await session.all(FILE, "worn", {"device": device})
    shifts = await read_shifts(session.connection, {row["officer"] for row in worn}, after, datetime.now(UTC))
    told = [
        (event, holder)
        for event in look.events
        if milliseconds(after) < event.at_ms <= to_ms
        and watched.concerns(event.zone, holder := _holder(device, worn, shifts, event.at_ms), event.at_ms)
    ]
    rows = await session.all(FILE, "known_events", stretch)
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
    corrected = await session.connection.execute(query(FILE, "correct_alarms"), stretch)
    return ZoneNews(movements=movements, alarms=await ids_of(corrected))


def _holder(device: int, worn: Sequence[Row], shifts: Shifts, at_ms: int) -> Holder:
    """Whose the device was at a moment, by the rows of `worn`, newest first."""
    at = instant(at_ms)
    for row in worn:
        if row["since"] is not None and row["since"] <= at and (row["until"] is None or at < row["until"]):
            return Holder.of(row, shifts)
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
