"""Who was here: the subjects that were at a place, when, and what was recorded and said meanwhile."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Final

import numpy as np

from xunlu_gis.stays import Place, Stay
from xunlu_gis.track import Track, clean
from xunlu_platform.errors import TooMuchError
from xunlu_platform.review.moments import Kind, Moment
from xunlu_platform.review.subjects import Officer
from xunlu_platform.store.review import Stretch, read_fixes, read_moments, read_officers
from xunlu_platform.store.store import Row, Scope, Session, Store
from xunlu_platform.store.who import read_near, read_wearers

FIXES_MAX: Final = 500_000
VISITORS_MAX: Final = 500
STAYS_MAX: Final = 50
"""Of one subject: more is somebody who lives there."""
MOMENTS_MAX: Final = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """A stay with the device that proves it."""

    device_id: int
    did: str
    stay: Stay

    @property
    def stretch(self) -> Stretch:
        """As a stretch of the device."""
        return Stretch(
            device_id=self.device_id, did=self.did, since=_time(self.stay.entered_ms), until=_time(self.stay.left_ms)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Visitor:
    """Somebody who was here.

    Attributes:
        key: `o{officer id}`, or `d{did}` of a device that nobody wore.
        officer: None of a device.
        visits: in order of time, at most `STAYS_MAX`.
        recordings: that cover a part of a visit.
        bursts: what they said meanwhile.
    """

    key: str
    officer: Officer | None
    visits: tuple[Visit, ...]
    recordings: tuple[Moment, ...] = ()
    bursts: tuple[Moment, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Visitors:
    """Everybody, who came first before who came later; `more` says that a bound cut something off."""

    visitors: list[Visitor]
    more: bool


async def find_visitors(
    store: Store, scope: Scope, place: Place, since: datetime, until: datetime, *, media: bool
) -> Visitors:
    """Who was at a place, officers who have left and devices that were disabled as well.

    Args:
        store: no connection is held while positions are judged.
        scope: of whoever asks.
        place: where.
        since: included.
        until: excluded.
        media: whether the reader may know of recordings and bursts.

    Raises:
        TooMuchError: more positions than `FIXES_MAX` would have to be looked at.
        StoreError: the database does not answer.
    """
    async with store.session(scope) as session:
        stretches = await read_near(session, place.bounds, since, until)
        tracks = await read_fixes(session, stretches, fixes_max=FIXES_MAX)
        if sum(map(len, tracks)) > FIXES_MAX:
            raise TooMuchError(
                f"There are more than {FIXES_MAX:,} positions near this place. "
                "Ask for a shorter time or draw a smaller shape."
            )
        worn = await read_wearers(session, sorted({one.device_id or 0 for one in stretches}), since, until)
        officers = {row["id"]: Officer.of(row) for row in await read_officers(session, [r["officer_id"] for r in worn])}
    # An officer out of the reader's sight is not told: the device is.
    known = [row for row in worn if row["officer_id"] in officers]
    found = await asyncio.to_thread(_visits, place, stretches, tracks, known)
    ordered = sorted(found.items(), key=lambda item: (item[1][0].stay.entered_ms, item[0]))
    more = len(ordered) > VISITORS_MAX or any(len(visits) > STAYS_MAX for _, visits in ordered)
    visitors = [
        Visitor(key=key, officer=officers[int(key[1:])] if key[0] == "o" else None, visits=tuple(visits[:STAYS_MAX]))
        for key, visits in ordered[:VISITORS_MAX]
    ]
    if not media:
        return Visitors(visitors=visitors, more=more)
    async with store.session(scope) as session:
        recordings, more_recordings = await _covering(session, "recording", visitors)
        bursts, more_bursts = await _covering(session, "burst", visitors)
    told = [replace(one, recordings=recordings.get(one.key, ()), bursts=bursts.get(one.key, ())) for one in visitors]
    return Visitors(visitors=told, more=more or more_recordings or more_bursts)


def _visits(
    place: Place, stretches: Sequence[Stretch], tracks: Sequence[Track], worn: Sequence[Row]
) -> dict[str, list[Visit]]:
    """By subject, in order of time."""
    wearers = {device: list(rows) for device, rows in groupby(worn, key=itemgetter("device_id"))}
    found: dict[str, list[Visit]] = {}
    for stretch, track in zip(stretches, tracks, strict=True):
        device_id = stretch.device_id
        if device_id is None:
            continue
        cleaned = clean(track).cleaned
        for key, since_ms, until_ms in _owners(stretch, wearers.get(device_id, [])):
            first, end = np.searchsorted(cleaned.time_ms, (since_ms, until_ms))
            for stay in place.stays(cleaned[first:end]):
                found.setdefault(key, []).append(Visit(device_id=device_id, did=stretch.did, stay=stay))
    for visits in found.values():
        visits.sort(key=lambda visit: (visit.stay.entered_ms, visit.did))
    return found


def _owners(stretch: Stretch, worn: Sequence[Row]) -> Iterator[tuple[str, int, int]]:
    """The whole of a stretch by subject; the device itself where nobody wore it."""
    at = stretch.since
    for row in worn:
        since, until = max(row["since"], at), min(row["until"], stretch.until)
        if since >= until:
            continue
        if since > at:
            yield f"d{stretch.did}", _ms(at), _ms(since)
        yield f"o{row['officer_id']}", _ms(since), _ms(until)
        at = until
    if at < stretch.until:
        yield f"d{stretch.did}", _ms(at), _ms(stretch.until)


async def _covering(
    session: Session, kind: Kind, visitors: Sequence[Visitor]
) -> tuple[dict[str, tuple[Moment, ...]], bool]:
    """Moments of one kind during the visits, by subject, and whether there are more."""
    owners = [(visitor, visit.stretch) for visitor in visitors for visit in visitor.visits]
    officers = [visitor.officer.id if visitor.officer else None for visitor, _ in owners]
    rows = await read_moments(session, kind, [one for _, one in owners], officers, limit=MOMENTS_MAX + 1)
    found: dict[str, dict[str, Moment]] = {}
    for row in rows[:MOMENTS_MAX]:
        key = owners[row.pop("n")][0].key
        found.setdefault(key, {}).setdefault(row["id"], Moment(**{"kind": kind, "subject": key, **row}))
    return {key: tuple(moments.values()) for key, moments in found.items()}, len(rows) > MOMENTS_MAX


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
