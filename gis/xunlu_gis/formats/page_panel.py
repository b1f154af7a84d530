"""The readable part of the stand-alone page: what happened, as tables that say the same without a script."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from html import escape
from typing import Final

from xunlu_gis.formats.page_data import colour, milliseconds, offset, period
from xunlu_gis.formats.page_words import REASONS, WORDS, clock, duration
from xunlu_gis.formats.playback import Footage, Playback

CONTROLS: Final = """<div id="controls" role="toolbar">
<button id="play" type="button">{play}</button>
<input id="scrub" type="range" step="1000" aria-label="{clock}">
<output id="clock"></output>
<label>{speed} <select id="speed"><option>-16<option>-4<option>-1<option selected>1<option>2<option>4<option>8
<option>16<option>32<option>64</select></label>
<label><input id="skip" type="checkbox"> {skip}</label></div>"""


def panel(playback: Playback) -> str:
    """Heading, tables, and the controls of the replay."""
    words = WORDS[playback.language]
    tables = (
        _table(words["officers"], _officers(playback)),
        _table(words["gaps"], _gaps(playback)),
        _table(words["stops"], _stops(playback)),
        _table(words["happenings"], _happenings(playback)),
        _table(words["recordings"], _footage(playback, "recording")),
        _table(words["bursts"], _footage(playback, "burst")),
        _table(words["remarks"], _remarks(playback)),
        _table(words["about"], _about(playback)),
    )
    controls = CONTROLS.format(**{name: escape(word) for name, word in words.items()})
    return f"<h1>{escape(playback.title)}</h1><aside>{''.join(tables)}</aside>{controls}"


def _table(title: str, rows: Iterable[Sequence[str]]) -> str:
    lines = ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    if not lines:
        return ""
    return f"<details open><summary>{escape(title)}</summary><table><tr>{'<tr>'.join(lines)}</table></details>"


def _moment(at: datetime, playback: Playback) -> str:
    """A time that can be gone to; its date stands behind it."""
    words = clock(at, playback)
    return f'<button type="button" data-at="{milliseconds(at)}" title="{words}">{words[11:]}</button>'


def _span(start: datetime, end: datetime, playback: Playback) -> str:
    return f"<span>{_moment(start, playback)} – {_moment(end, playback)}</span>"


def _length(start: datetime, end: datetime) -> str:
    return f"<span>{duration((end - start).total_seconds())}</span>"


def _officers(playback: Playback) -> Iterator[Sequence[str]]:
    words = WORDS[playback.language]
    for number, walked in enumerate(playback.walked):
        points = sum(len(piece) for piece in walked.pieces)
        times = (
            _span(walked.pieces[0][0].fix_time, walked.pieces[-1][-1].fix_time, playback)
            if walked.pieces
            else escape(words["nowhere"])
        )
        swatch = f'<i style="background:{colour(number)}"></i>'
        yield f"{swatch}{escape(walked.name)}", times, f"{points:,} {escape(words['points'])}"


def _gaps(playback: Playback) -> Iterator[Sequence[str]]:
    for walked in playback.walked:
        for gap in walked.gaps:
            reason = REASONS[playback.language][gap.reason]
            span, length = _span(gap.start, gap.end, playback), _length(gap.start, gap.end)
            yield span, escape(walked.name), length, escape(reason)


def _stops(playback: Playback) -> Iterator[Sequence[str]]:
    for walked in playback.walked:
        for stop in walked.stops:
            yield _span(stop.start, stop.end, playback), escape(walked.name), _length(stop.start, stop.end)


def _happenings(playback: Playback) -> Iterator[Sequence[str]]:
    for it in playback.happenings:
        text = f"<strong>{escape(it.text)}</strong>" if it.urgent else escape(it.text)
        yield _moment(it.at, playback), escape(it.who), text


def _footage(playback: Playback, kind: str) -> Iterator[Sequence[str]]:
    for footage in playback.footage:
        if footage.kind == kind:
            span, length = _span(footage.start, footage.end, playback), _length(footage.start, footage.end)
            yield span, escape(footage.who), length, f"{_file(footage)}{_hash(footage.sha256)}"


def _file(footage: Footage) -> str:
    text = escape(footage.text or footage.href or "")
    return text if footage.href is None else f'<a href="{escape(footage.href)}">{text}</a>'


def _hash(sha256: str) -> str:
    return f"<br><code>SHA-256 {escape(sha256)}</code>" if sha256 else ""


def _remarks(playback: Playback) -> Iterator[Sequence[str]]:
    for remark in playback.remarks:
        # It may be written long after the time that the page plays: no moment to go to.
        when = "" if remark.at is None else f"<span>{clock(remark.at, playback)}</span>"
        yield when, escape(remark.who), escape(remark.text)


def _about(playback: Playback) -> Iterator[Sequence[str]]:
    words = WORDS[playback.language]
    minutes = round(offset(playback).total_seconds() / 60)
    if (whole := period(playback)) is not None:
        yield escape(words["period"]), " – ".join(clock(at, playback) for at in whole)
    yield escape(words["datum"]), escape(words["wgs84"])
    yield escape(words["offset"]), f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    for name, value in playback.cleaning.items():
        yield escape(name), escape(value)
    if playback.exported_by:
        when = "" if playback.exported_at is None else f" · {clock(playback.exported_at, playback)}"
        yield escape(words["exported"]), f"{escape(playback.exported_by)}{when}"
    for name, sha256 in playback.hashes.items():
        yield escape(name), _hash(sha256)
