"""A composition, or one track, as the page that plays it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Final, Literal

import numpy as np

from xunlu_gis.errors import TrackError
from xunlu_gis.formats.playback import ExplainedGap, Footage, Happening, Language, Playback, Remark, Walked
from xunlu_gis.track import DEFAULT, Stop, TrackPoint
from xunlu_platform.errors import TooMuchError
from xunlu_platform.export.composition import Composition, Media
from xunlu_platform.export.words import told, words
from xunlu_platform.review.shape import Piece
from xunlu_platform.review.subjects import Subject
from xunlu_platform.review.tracks import Worn

PRESENT: Final = frozenset({"on_air", "back_filled"})
"""States in which there is a track."""

Fault = Literal["missing", "changed"]
"""Of a file beside what was registered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """For whom a page is made.

    Attributes:
        language: of its words.
        zone: of its times.
        shown_by: who shows or exports it.
        shown_at: when.
    """

    language: Language
    zone: tzinfo
    shown_by: str
    shown_at: datetime


def playback_of(whole: Composition, reader: Reader, faults: Mapping[str, Fault], hashes: Mapping[str, str]) -> Playback:
    """What the page plays.

    Args:
        whole: of an incident.
        reader: for whom.
        faults: of recordings and bursts, by the path beside the page.
        hashes: SHA-256 by path, of what lies beside the page.

    Raises:
        TooMuchError: more than one page can hold.
    """
    with _one_page():
        return _playback(whole, reader, faults, hashes)


def track_playback(title: str, name: str, worn: Sequence[Worn], reader: Reader) -> Playback:
    """What the page of one track plays.

    Args:
        title: heading.
        name: of whoever walked, as people write it.
        worn: of `find_tracks`.
        reader: for whom.

    Raises:
        TooMuchError: more than one page can hold.
    """
    with _one_page():
        return Playback(
            title=title,
            walked=(_walked(name, worn),),
            cleaning=cleaning(),
            exported_by=reader.shown_by,
            exported_at=reader.shown_at,
            zone=reader.zone,
            language=reader.language,
        )


@contextmanager
def _one_page() -> Iterator[None]:
    try:
        yield
    except TrackError as error:
        raise TooMuchError(str(error)) from error


def _playback(whole: Composition, reader: Reader, faults: Mapping[str, Fault], hashes: Mapping[str, str]) -> Playback:
    place = whole.incident.place
    shape = (
        ({**place, "properties": {**(place.get("properties") or {}), "name": whole.incident.title}},) if place else ()
    )
    known = words(reader.language)
    return Playback(
        title=whole.incident.title,
        walked=tuple(
            _walked(_with_devices(one, worn), worn) for one, worn in zip(whole.subjects, whole.tracks, strict=True)
        ),
        zones=shape,
        happenings=tuple(sorted(_happenings(whole, reader), key=lambda one: one.at)),
        footage=tuple(_footage(media, whole, known, faults.get(media.name)) for media in whole.media),
        remarks=tuple(_remarks(whole, known)),
        cleaning=cleaning(),
        hashes=hashes,
        exported_by=reader.shown_by,
        exported_at=reader.shown_at,
        zone=reader.zone,
        language=reader.language,
    )


def cleaning() -> dict[str, str]:
    """The limits by which fixes were set aside and gaps and stops were found."""
    return {name: str(value) for name, value in asdict(DEFAULT).items()}


def called(subject: Subject) -> str:
    """A subject as people write it."""
    officer = subject.officer
    return f"{officer.name} {officer.number}" if officer else subject.name


def gaps_of(worn: Sequence[Worn]) -> Iterator[ExplainedGap]:
    """The times without positions, explained."""
    for one in worn:
        for span in one.states:
            if span.state not in PRESENT:
                yield ExplainedGap(start=_instant(span.from_ms), end=_instant(span.to_ms), reason=span.state)


def _with_devices(subject: Subject, worn: Sequence[Worn]) -> str:
    dids = ", ".join(dict.fromkeys(one.stretch.did for one in worn))
    return f"{called(subject)} ({dids})" if subject.officer and dids else called(subject)


def _walked(name: str, worn: Sequence[Worn]) -> Walked:
    stays = [stay for one in worn for stay in one.shape.stops]
    return Walked(
        name=name,
        pieces=tuple(_points(piece) for one in worn for piece in one.shape.pieces),
        gaps=tuple(gaps_of(worn)),
        stops=tuple(Stop(lat=s.lat, lon=s.lon, from_ms=s.from_ms, to_ms=s.to_ms, first=0, points=0) for s in stays),
    )


def _points(piece: Piece) -> tuple[TrackPoint, ...]:
    rows = zip(piece.time_ms.tolist(), piece.lat.tolist(), piece.lon.tolist(), strict=True)
    at = [(_instant(time_ms), lat, lon) for time_ms, lat, lon in rows]
    return tuple(TrackPoint(0, 0, when, when, lat, lon) for when, lat, lon in at)


def _happenings(whole: Composition, reader: Reader) -> Iterator[Happening]:
    names = {one.key: called(one) for one in whole.subjects}
    tracks = {one.key: worn for one, worn in zip(whole.subjects, whole.tracks, strict=True)}
    for moment in whole.moments:
        lat, lon = moment.detail.get("lat"), moment.detail.get("lon")
        if lat is None or lon is None:
            lat, lon = _where(tracks[moment.subject], moment.at)
        urgent = moment.kind == "alarm"
        who = names[moment.subject]
        text = told(moment, reader.language)
        # An alarm from before that lasted into the time.
        if moment.at < whole.incident.since:
            text = f"{text} · {moment.at.astimezone(reader.zone):%Y-%m-%d %H:%M:%S}"
        at = max(moment.at, whole.incident.since)
        yield Happening(at=at, text=text, who=who, lat=lat, lon=lon, urgent=urgent)
    step = words(reader.language)["incident.mark"]
    for mark in whole.incident.marks:
        if mark["struck_at"] is None:
            lat, lon = _where(tracks.get(mark["subject"], []), mark["at"])
            who = names.get(mark["subject"], "")
            yield Happening(at=mark["at"], text=f"{step}: {mark['text']}", who=who, lat=lat, lon=lon, urgent=True)


def _where(worn: Sequence[Worn], at: datetime) -> tuple[float | None, float | None]:
    """Where a subject was on its way; None within a gap."""
    at_ms = at.timestamp() * 1000
    for piece in (piece for one in worn for piece in one.shape.pieces):
        if piece.time_ms[0] <= at_ms <= piece.time_ms[-1]:
            lat, lon = (float(np.interp(at_ms, piece.time_ms, column)) for column in (piece.lat, piece.lon))
            return lat, lon
    return None, None


def _footage(media: Media, whole: Composition, known: Mapping[str, str], fault: Fault | None) -> Footage:
    moment = media.moment
    # Of a burst that was heard: whoever said it is no subject, and stands in the text as well.
    by = moment.detail.get("by", "")
    who = next((called(one) for one in whole.subjects if one.key == moment.subject), by)
    # A clock that jumped back may have ended a file before it began.
    end = max(moment.at, moment.until or moment.at)
    text = Path(media.name).name if moment.kind == "recording" else moment.text.removesuffix(f" · {by}")
    return Footage(
        kind="recording" if moment.kind == "recording" else "burst",
        start=moment.at,
        end=end,
        who=who,
        text=f"{text} · {known[f'incident.file.{fault}']}" if fault else text,
        href=None if fault == "missing" else media.name,
        sha256=media.sha256,
        blank=tuple((_instant(gap["from_ms"]), _instant(gap["to_ms"])) for gap in media.gaps),
    )


def _remarks(whole: Composition, known: Mapping[str, str]) -> Iterator[Remark]:
    """What people wrote, and what the page does not show."""
    for note in whole.incident.notes:
        kind = "" if note["kind"] == "note" else f"{known['incident.did.' + note['kind']]} "
        fields = ", ".join(known[f"incident.field.{name}"] for name in note["changed"])
        yield Remark(at=note["at"], who=note["author"], text=f"{kind}{fields}{note['text']}")
    for mark in whole.incident.marks:
        if mark["struck_at"] is not None:
            text = f"{known['incident.struck']}: {mark['text']}"
            yield Remark(at=mark["struck_at"], who=mark["struck_by"], text=text)
    for row in whole.erased:
        who = " ".join(filter(None, (row["name"], row["did"])))
        text = known["incident.erased.row"].format(
            what=known[f"subject.{row['what']}"], who=who, at=f"{row['erased_at']:%Y-%m-%d}"
        )
        yield Remark(at=row["at"], text=text)
    if whole.missing:
        yield Remark(text=f"{known['incident.subject.missing']}: {', '.join(whole.missing)}")
    if whole.more:
        yield Remark(text=known["incident.more"])


def _instant(ms: float) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
