"""What the script of the stand-alone page reads: places, times and words, and never a piece of markup."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from xunlu_gis.formats.page_words import REASONS, WORDS
from xunlu_gis.formats.playback import Playback, Walked
from xunlu_gis.track.point import TrackPoint

COLOURS: Final = ("#0b62d6", "#c2410c", "#15803d", "#9333ea", "#b91c8c", "#0e7490", "#a16207", "#4338ca")
"""Of officers; every one has contrast of at least 4.5 on the ground of the map. After eight they begin again."""

_DEGREE_DIGITS: Final = 7
"""A centimetre."""


def data_of(playback: Playback) -> dict[str, Any]:
    """The page's one block of data; times are UTC milliseconds."""
    start, end = period(playback) or (None, None)
    return {
        "start": start and milliseconds(start),
        "end": end and milliseconds(end),
        "offset": round(offset(playback).total_seconds() * 1000),
        "words": WORDS[playback.language],
        "reasons": REASONS[playback.language],
        "walked": [_walked(walked, number) for number, walked in enumerate(playback.walked)],
        "zones": list(playback.zones),
        "happenings": [
            {"at": milliseconds(it.at), "text": it.text, "who": it.who, "place": [it.lat, it.lon], "urgent": it.urgent}
            for it in playback.happenings
            if it.lat is not None and it.lon is not None
        ],
        "footage": [
            {
                "kind": it.kind,
                "from": milliseconds(it.start),
                "to": milliseconds(it.end),
                "who": it.who,
                "href": it.href,
                "blank": [[milliseconds(start), milliseconds(end)] for start, end in it.blank],
            }
            for it in playback.footage
            if it.href is not None
        ],
    }


def period(playback: Playback) -> tuple[datetime, datetime] | None:
    """The first and the last moment of the page; None where nothing happened."""
    moments = list(_moments(playback))
    return (min(moments), max(moments)) if moments else None


def offset(playback: Playback) -> timedelta:
    """Between UTC and the times of the page, at its first moment."""
    whole = period(playback)
    return (whole and whole[0].astimezone(playback.zone).utcoffset()) or timedelta()


def colour(number: int) -> str:
    """Of an officer by number."""
    return COLOURS[number % len(COLOURS)]


def milliseconds(at: datetime) -> int:
    """UTC milliseconds."""
    return round(at.timestamp() * 1000)


def in_script(data: object) -> str:
    """JSON that no parser of HTML takes for the end of its script.

    HTML Living Standard, "Restrictions for contents of script elements".
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026").replace("\u2028", "\\u2028")


def _moments(playback: Playback) -> Iterator[datetime]:
    for walked in playback.walked:
        for piece in walked.pieces:
            yield from (piece[0].fix_time, piece[-1].fix_time)
        for gap in walked.gaps:
            yield from (gap.start, gap.end)
        for stop in walked.stops:
            yield from (stop.start, stop.end)
    yield from (it.at for it in playback.happenings)
    for footage in playback.footage:
        yield from (footage.start, footage.end)


def _walked(walked: Walked, number: int) -> dict[str, Any]:
    return {
        "name": walked.name,
        "colour": colour(number),
        "pieces": [_columns(piece) for piece in walked.pieces],
        "gaps": [
            {"from": milliseconds(gap.start), "to": milliseconds(gap.end), "reason": gap.reason} for gap in walked.gaps
        ],
        "stops": [
            {"from": milliseconds(stop.start), "to": milliseconds(stop.end), "place": [stop.lat, stop.lon]}
            for stop in walked.stops
        ],
    }


def _columns(piece: tuple[TrackPoint, ...]) -> dict[str, list[Any]]:
    return {
        "times": [milliseconds(point.fix_time) for point in piece],
        "places": [[round(point.lat, _DEGREE_DIGITS), round(point.lon, _DEGREE_DIGITS)] for point in piece],
    }
