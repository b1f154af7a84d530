"""Tracks as the API tells them: columns, with times in milliseconds after the beginning of the question."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import numpy as np
from pydantic_core import to_json

from xunlu_gis.plane import Floats
from xunlu_gis.track import Track, clean, gap_limit_s
from xunlu_platform.api.paging import encode_cursor
from xunlu_platform.review.raw import Part, RawPage
from xunlu_platform.review.shape import Piece, shapes
from xunlu_platform.review.subjects import Subject
from xunlu_platform.review.tracks import Worn
from xunlu_platform.store.review import Stretch

DEGREE_DIGITS = 7
SPEED_DIGITS = 2

Fields = dict[str, Any]


def tracks_body(
    subjects: Sequence[Subject], found: Sequence[Sequence[Worn]], since: datetime, until: datetime, tolerance_m: int
) -> bytes:
    """The whole answer on one level of detail."""
    base_ms = _ms(since)
    told = [_subject(subject) | _worn(worn, base_ms) for subject, worn in zip(subjects, found, strict=True)]
    return _body(told, since, until, tolerance_m, None)


def raw_body(subjects: Sequence[Subject], page: RawPage, since: datetime, until: datetime, *, flagged: bool) -> bytes:
    """A page of every fix: believed ones only, or all with their reasons."""
    base_ms = _ms(since)
    told = []
    for number, subject in enumerate(subjects):
        parts = [part for part in page.parts if part.subject == number]
        pieces = [piece for part in parts for piece in (_flagged if flagged else _believed)(part, base_ms)]
        told.append(_subject(subject) | {"pieces": pieces})
    following = page.next and encode_cursor([page.next[0], page.next[1].isoformat(), *page.next[2:]])
    return _body(told, since, until, 0, following)


def _body(subjects: list[Fields], since: datetime, until: datetime, tolerance_m: int, following: str | None) -> bytes:
    told = {"from": since, "to": until, "tolerance_m": tolerance_m, "subjects": subjects, "next": following}
    return to_json(told, inf_nan_mode="null")


def _subject(subject: Subject) -> Fields:
    worn = [{"did": one.did, "from": one.since, "to": one.until} for one in subject.worn]
    return {"subject": subject.key, "officer": subject.officer and asdict(subject.officer), "worn": worn}


def _worn(worn: Iterable[Worn], base_ms: int) -> Fields:
    told: Fields = {"pieces": [], "states": [], "stops": [], "length_m": 0.0, "moving_s": 0.0}
    for one in worn:
        did = one.stretch.did
        told["pieces"] += [_piece(did, piece, base_ms) for piece in one.shape.pieces]
        told["states"] += [
            {"from_ms": low - base_ms, "to_ms": high - base_ms, "state": state, "did": did}
            for low, high, state in one.states
        ]
        told["stops"] += [
            {"from_ms": low - base_ms, "to_ms": high - base_ms, "lon": round(lon, 7), "lat": round(lat, 7)}
            for low, high, lon, lat in one.shape.stops
        ]
        told["length_m"] += one.shape.length_m
        told["moving_s"] += one.shape.moving_s
    return told | {"length_m": round(told["length_m"], 1), "moving_s": round(told["moving_s"], 1)}


def _piece(did: str, piece: Piece, base_ms: int) -> Fields:
    return {
        "did": did,
        "t": (piece.time_ms - base_ms).tolist(),
        "lon": _rounded(piece.lon, DEGREE_DIGITS),
        "lat": _rounded(piece.lat, DEGREE_DIGITS),
        "speed": _rounded(piece.speed_mps, SPEED_DIGITS),
        "late": piece.late,
    }


def _believed(part: Part, base_ms: int) -> list[Fields]:
    since_ms = int(part.track.time_ms[part.before - 1]) + 1 if part.before else _ms(part.stretch.since)
    [shape] = shapes(part.track, since_ms, _ms(part.stretch.until), (0.0,))
    return [_piece(part.stretch.did, piece, base_ms) for piece in shape.pieces]


def _flagged(part: Part, base_ms: int) -> list[Fields]:
    """Every fix as it came, cut only where it was silent; where it was not, a page begins with the last one before."""
    track, first = part.track, part.before
    if len(track) == first:
        return []
    names = clean(track).names()
    silent = np.diff(track.time_s) > gap_limit_s(track.time_ms)
    if first and not silent[first - 1]:
        first -= 1
    cuts = (np.flatnonzero(silent[first:]) + first + 1).tolist()
    ends = zip([first, *cuts], [*cuts, len(track)], strict=True)
    return [_fixes(part.stretch, track[first:end], names[first:end], base_ms) for first, end in ends]


def _fixes(stretch: Stretch, track: Track, flags: Sequence[str | None], base_ms: int) -> Fields:
    return {
        "did": stretch.did,
        "t": (track.time_ms - base_ms).tolist(),
        "lon": _rounded(track.lon, DEGREE_DIGITS),
        "lat": _rounded(track.lat, DEGREE_DIGITS),
        "speed": _rounded(track.speed_mps, SPEED_DIGITS),
        "late": None,
        "flags": flags,
        "accuracy_m": _rounded(track.accuracy_m, 1),
        "sid": track.sid.tolist(),
        "seq": track.seq.tolist(),
        "received": (track.received_ms - base_ms).tolist(),
    }


def _rounded(values: Floats, digits: int) -> list[float]:
    rounded: list[float] = np.round(values, digits).tolist()
    return rounded


def _ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)
