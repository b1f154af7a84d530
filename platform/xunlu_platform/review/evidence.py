"""What explains a track besides its fixes: availability, telemetry, the roster, and whether the server was there."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

import numpy as np

from xunlu_gis.track import DEFAULT, Availability, Evidence, Span, Telemetry, Track, explain
from xunlu_platform.errors import TooMuchError
from xunlu_platform.review.roster import WEEK_MS, RosteredShift, off_duty, on_duty, rostered
from xunlu_platform.review.shape import Piece, Shape
from xunlu_platform.review.shifts import Interval
from xunlu_platform.store.review import (
    CHANGES_MAX,
    Columns,
    Stretch,
    read_availability,
    read_neighbours,
    read_server_states,
    read_telemetry,
)
from xunlu_platform.store.store import Row, Scope, Session, Store

WORDS_MAX: Final = 250_000
STEP_MS: Final = int(DEFAULT.gap_min_s * 1000)
# A piece has no gap inside, however slowly its device reports: so many milliseconds apart it is asserted to be there.
PIECES: Final = replace(DEFAULT, report_s=0.0)


async def find_states(
    store: Store, scope: Scope, stretches: Sequence[Stretch], wearers: Sequence[int | None], found: Sequence[Shape]
) -> list[tuple[Span, ...]]:
    """Every moment of each stretch explained.

    Args:
        store: holds no connection while something is computed.
        scope: of whoever asks.
        stretches: of any devices.
        wearers: the officer who wore each; None where nobody did.
        found: the shape of each.

    Raises:
        TooMuchError: more than `WORDS_MAX` reports, or `CHANGES_MAX` changes of one stretch, would have to be read.
        StoreError: the database does not answer.
    """
    if not stretches:
        return []
    gaps = [(n, gap) for n, one in enumerate(stretches) for gap in _gaps(one, found[n].pieces)]
    async with store.session(scope) as session:
        down = server_down(await _servers(session, stretches))
        beside = _by_stretch(await read_neighbours(session, stretches), len(stretches))
        said = _by_stretch(await read_availability(session, stretches), len(stretches))
        words = await read_telemetry(session, [gap for _, gap in gaps], words_max=WORDS_MAX)
        duties = await _duties(session, stretches, wearers)
    restless = any(len(changes) > CHANGES_MAX for changes in said)
    if restless or sum(len(columns["time_ms"]) for _, columns in words) > WORDS_MAX:
        raise TooMuchError("There is too much to explain at once. Ask for a shorter time or for fewer subjects.")
    told: list[list[Columns]] = [[] for _ in stretches]
    for number, columns in words:
        told[gaps[number][0]].append(columns)
    work = zip(stretches, found, beside, said, told, duties, strict=True)
    return await asyncio.to_thread(lambda: [_explained(*one, down=down) for one in work])


async def _duties(
    session: Session, stretches: Sequence[Stretch], wearers: Sequence[int | None]
) -> list[Sequence[RosteredShift]]:
    """The shifts of whoever wore each, with those a week before and after, which say that there was a roster."""
    officers = {officer for officer in wearers if officer is not None}
    since, until = min(one.since for one in stretches), max(one.until for one in stretches)
    roster = await rostered(session, officers, Interval(_ms(since) - WEEK_MS, _ms(until) + WEEK_MS))
    return [() if officer is None else roster[officer] for officer in wearers]


async def _servers(session: Session, stretches: Sequence[Stretch]) -> list[Row]:
    since, until = min(one.since for one in stretches), max(one.until for one in stretches)
    return await read_server_states(session, since, until)


def server_down(rows: Iterable[Row]) -> list[tuple[int, int]]:
    """When no process took positions in, UTC milliseconds; before the first word of any, nothing is known.

    A process is known by its name before the `@`: the broker lets one of a name in, so a new machine replaces the old.
    Its end is noted when it is heard of, which may be after the time that its next beginning claims.

    Args:
        rows: `host`, `at`, `online`; of each process in the order in which they were heard of.
    """
    begun: dict[str, int] = {}
    first_ms = now_ms = _ms(datetime.now(UTC))
    there: list[tuple[int, int]] = []
    for row in rows:
        name, at_ms = row["host"].partition("@")[0], _ms(row["at"])
        first_ms = min(first_ms, at_ms)
        if row["online"]:
            begun.setdefault(name, at_ms)
        elif name in begun:
            there.append((begun.pop(name), at_ms))
    there += [(at_ms, now_ms) for at_ms in begun.values()]
    down, last_ms = [], first_ms
    for begin_ms, end_ms in [*sorted(there), (now_ms, now_ms)]:
        if begin_ms > last_ms:
            down.append((last_ms, begin_ms))
        last_ms = max(last_ms, end_ms)
    return down


def _explained(
    stretch: Stretch,
    shape: Shape,
    beside: Sequence[Row],
    said: Sequence[Row],
    told: Sequence[Columns],
    shifts: Sequence[RosteredShift],
    *,
    down: Sequence[tuple[int, int]],
) -> tuple[Span, ...]:
    evidence = Evidence(
        availability=[Availability(_ms(row["at"]), row["availability"], row["why"], row["sid"]) for row in said],
        telemetry=[one for columns in told for one in _words(columns)],
        server_down=down,
        on_duty=on_duty(shifts),
        off_duty=off_duty(shifts),
    )
    since_ms, until_ms = _ms(stretch.since), _ms(stretch.until)
    silent = any(word.state != "online" and word.at_ms <= until_ms for word in evidence.availability[-1:])
    presence = _presence(shape.pieces, beside, since_ms if silent else until_ms)
    return tuple(explain(presence, since_ms, until_ms, evidence, PIECES))


def _presence(pieces: Sequence[Piece], beside: Sequence[Row], until_ms: int) -> Track:
    """Fixes of whoever was there: the ends of each piece as they were, and between them so many that no gap opens.

    Whoever reported less than a gap before `until_ms`, and did not say goodbye, is there up to it.
    """
    times, received, sids, seqs = [], [], [], []
    for piece in pieces:
        first_ms, last_ms = int(piece.time_ms[0]), int(piece.time_ms[-1])
        end_ms = until_ms if piece is pieces[-1] and 0 < until_ms - last_ms <= STEP_MS else last_ms
        inner = np.arange(first_ms, end_ms, STEP_MS)[1:]
        times.append(np.concatenate(((first_ms,), inner, (end_ms,))))
        received.append(times[-1] + (2 * DEFAULT.late_s * 1000 if piece.late else 0))
        sids.append(np.concatenate(((piece.ends.first_sid,), np.full(len(inner) + 1, piece.ends.last_sid))))
        seqs.append(np.concatenate(((piece.ends.first_seq,), np.full(len(inner) + 1, piece.ends.last_seq))))
    for row in beside:
        for column, value in (
            (times, row["time_s"] * 1000),
            (received, row["received_s"] * 1000),
            (sids, row["sid"]),
            (seqs, row["seq"]),
        ):
            column.append(np.array((value,)))
    if not times:
        return Track.of((), (), ())
    at = np.concatenate(times).astype(np.int64)
    nowhere = np.zeros(len(at))
    return Track.of(
        at, nowhere, nowhere, received_ms=np.concatenate(received), sid=np.concatenate(sids), seq=np.concatenate(seqs)
    )


def _words(columns: Columns) -> list[Telemetry]:
    rows = zip(columns["time_ms"].tolist(), columns["fix"].tolist(), columns["signal_dbm"].tolist(), strict=True)
    return [Telemetry(at_ms, None if fix < 0 else fix, None if np.isnan(dbm) else dbm) for at_ms, fix, dbm in rows]


def _gaps(stretch: Stretch, pieces: Sequence[Piece]) -> list[Stretch]:
    """The times of a stretch without fixes; only of these the telemetry matters."""
    begin, end = _ms(stretch.since), _ms(stretch.until)
    edges = [begin, *(int(at) for piece in pieces for at in (piece.time_ms[0], piece.time_ms[-1])), end]
    quiet = [(low, high) for low, high in list(pairwise(edges))[::2] if high - low > STEP_MS]
    return [replace(stretch, since=_instant(max(low, begin)), until=_instant(min(high, end))) for low, high in quiet]


def _by_stretch(rows: Iterable[Row], count: int) -> list[list[Row]]:
    found: list[list[Row]] = [[] for _ in range(count)]
    for row in rows:
        found[row["n"]].append(row)
    return found


def _ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


def _instant(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
