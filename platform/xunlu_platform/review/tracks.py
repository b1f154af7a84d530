"""Tracks of subjects: joined from hours that have their shape and from fixes where they have none yet."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from xunlu_gis.track import DEFAULT, LEVELS_M, Span, Track
from xunlu_gis.track.piece import step_lengths_m
from xunlu_platform.errors import TooMuchError
from xunlu_platform.review.evidence import find_states
from xunlu_platform.review.shape import AFTER_MS, BEFORE_MS, Piece, Shape, Stop, shapes
from xunlu_platform.review.subjects import Subject
from xunlu_platform.store.review import PIECES_BYTES_MAX, Stretch, read_fixes, read_pieces
from xunlu_platform.store.store import Row, Scope, Store

POINTS_MAX: Final = 250_000
HOUR: Final = timedelta(hours=1)
LEVELS: Final = tuple(int(bound_m) for bound_m in LEVELS_M)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Worn:
    """What is known of a stretch.

    Attributes:
        stretch: the device and the time.
        shape: everything that is drawn, and its measures.
        states: the whole time, explained.
    """

    stretch: Stretch
    shape: Shape
    states: tuple[Span, ...]


async def find_tracks(store: Store, scope: Scope, subjects: Sequence[Subject], level: float) -> list[list[Worn]]:
    """For each subject what each stretch comes to, on one level of detail.

    Args:
        store: holds no connection while something is computed.
        scope: of whoever asks.
        subjects: of `find_subjects`.
        level: one of `LEVELS`; with another bound everything is made from the fixes, and 0 keeps every believed one.

    Raises:
        TooMuchError: more points than `POINTS_MAX`.
        StoreError: the database does not answer.
    """
    stretches = [stretch for subject in subjects for stretch in subject.worn]
    found = await find_shapes(store, scope, stretches, level)
    wearers = [subject.officer.id if subject.officer else None for subject in subjects for _ in subject.worn]
    states = await find_states(store, scope, stretches, wearers, found)
    worn = iter([Worn(stretch=a, shape=b, states=c) for a, b, c in zip(stretches, found, states, strict=True)])
    return [[next(worn) for _ in subject.worn] for subject in subjects]


async def find_shapes(store: Store, scope: Scope, stretches: Sequence[Stretch], level: float) -> list[Shape]:
    """The shape of each stretch on one level.

    Raises:
        TooMuchError: more points than `POINTS_MAX`, drawn or to be read.
        StoreError: the database does not answer.
    """
    async with store.session(scope) as session:
        rows = await read_pieces(session, stretches, level)
        if rows and rows[-1]["bytes"] > PIECES_BYTES_MAX:
            raise too_much()
        hours: list[list[Row]] = [[] for _ in stretches]
        for row in rows:
            hours[row["n"]].append(row)
        missing = [(n, one) for n, stretch in enumerate(stretches) for one in _missing(stretch, hours[n])]
        around = [_around(stretches[n], one) for n, one in missing]
        tracks = await read_fixes(session, around, fixes_max=POINTS_MAX)
    if sum(map(len, tracks)) > POINTS_MAX:
        raise too_much()
    made = [(n, one, track) for (n, one), track in zip(missing, tracks, strict=True) if len(track)]
    whole = await asyncio.to_thread(_compose, stretches, hours, made, level)
    if sum(shape.points for shape in whole) > POINTS_MAX:
        raise too_much()
    return whole


def too_much() -> TooMuchError:
    """The answer would be too large."""
    return TooMuchError(
        f"There are more than {POINTS_MAX:,} points. Ask for a shorter time, for fewer subjects, or with a larger "
        "tolerance_m; hours that are just being prepared count more."
    )


def _missing(stretch: Stretch, hours: Iterable[Row]) -> list[Stretch]:
    """The times of a stretch that have no shape yet: its ends, what is newer, and what changed."""
    found, since = [], stretch.since
    for row in hours:
        if row["hour"] > since:
            found.append(replace(stretch, since=since, until=row["hour"]))
        since = row["hour"] + HOUR
    return [*found, replace(stretch, since=since)] if since < stretch.until else found


def _around(stretch: Stretch, part: Stretch) -> Stretch:
    """A part with the fixes around it that belong to the same stretch."""
    since = max(stretch.since, part.since - timedelta(milliseconds=BEFORE_MS))
    return replace(part, since=since, until=min(stretch.until, part.until + timedelta(milliseconds=AFTER_MS)))


def _compose(
    stretches: Sequence[Stretch],
    hours: Sequence[Sequence[Row]],
    made: Iterable[tuple[int, Stretch, Track]],
    level: float,
) -> list[Shape]:
    found = [[(_ms(row["hour"]), Shape.unpacked(row, _ms(row["hour"]))) for row in rows] for rows in hours]
    for n, part, track in made:
        begin_ms = _ms(part.since)
        found[n].append((begin_ms, shapes(track, begin_ms, _ms(part.until), (level,))[0]))
    parts = [[shape for _, shape in sorted(one, key=lambda each: each[0])] for one in found]
    return [_joined(one, _ms(stretch.since)) for stretch, one in zip(stretches, parts, strict=True)]


def _joined(parts: Sequence[Shape], since_ms: int) -> Shape:
    """One shape of neighbouring ones; what lies before `since_ms` belonged to somebody else."""
    pieces: list[Piece] = []
    for piece in (piece for part in parts for piece in part.pieces):
        before = pieces[-1] if pieces else None
        if before and before.late == piece.late and before.time_ms[-1] == piece.time_ms[0]:
            pieces[-1] = before.joined(piece)
        else:
            pieces.append(piece if piece.time_ms[0] >= since_ms else piece.since(since_ms))
    stops: list[Stop] = []
    for stop in (stop for part in parts for stop in part.stops):
        if stops and _same(stops[-1], stop):
            stops[-1] = stops[-1]._replace(to_ms=max(stops[-1].to_ms, stop.to_ms))
        else:
            stops.append(stop)
    return Shape(
        pieces=tuple(pieces),
        stops=tuple(stops),
        length_m=sum(part.length_m for part in parts),
        moving_s=sum(part.moving_s for part in parts),
    )


def _same(one: Stop, other: Stop) -> bool:
    """Whether two stops that follow each other are one, seen in two hours."""
    if other.from_ms - one.to_ms >= DEFAULT.stop_merge_s * 1000:
        return False
    return bool(step_lengths_m(np.array(((one.lon, one.lat), (other.lon, other.lat))))[0] <= DEFAULT.stop_radius_m)


def _ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)
