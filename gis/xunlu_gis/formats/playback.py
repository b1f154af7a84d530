"""What the stand-alone page of `formats.page` plays: officers, their tracks, and all that happened, on one clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from xunlu_gis.errors import TrackError
from xunlu_gis.track.gap import State
from xunlu_gis.track.point import TrackPoint
from xunlu_gis.track.stop import Stop

Reason = State | Literal["unknown"]
"""Why there is no line; `unknown` where the place leapt, which nothing explains."""

Language = Literal["zh-CN", "en"]

POINTS_MAX: Final = 500_000
"""Of one page, all officers together: about 12 MB, which a browser still plays."""

ENTRIES_MAX: Final = 20_000
"""Events, recordings, bursts, remarks, stops and gaps of one page, all together."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExplainedGap:
    """A time without positions, and why."""

    start: datetime
    end: datetime
    reason: State


@dataclass(frozen=True, kw_only=True, slots=True)
class Walked:
    """An officer's share of the page.

    Attributes:
        name: officer with number and device, as people write it.
        pieces: unbroken stretches in order of time, each with at least one point; no line is drawn between two.
        gaps: times without positions; those between pieces are drawn dashed, all are listed.
        stops: stays.
    """

    name: str
    pieces: tuple[tuple[TrackPoint, ...], ...]
    gaps: tuple[ExplainedGap, ...] = ()
    stops: tuple[Stop, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Happening:
    """An alarm, order, mark, note or zone event.

    Attributes:
        at: when.
        text: what, in the reader's words.
        who: name of the officer, or empty.
        lat: where, degrees north; None where only the time is known.
        lon: degrees east.
        urgent: drawn to be seen first.
    """

    at: datetime
    text: str
    who: str = ""
    lat: float | None = None
    lon: float | None = None
    urgent: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Footage:
    """A recording of video or a burst of voice.

    Attributes:
        kind: `burst` for what was said over push-to-talk.
        start: first picture or sound.
        end: last one.
        who: whose recorder, or who talked.
        text: file name, category, or talk group.
        href: path of the file beside the page, with `/` between folders; None where it is not handed over.
        sha256: of the file in hexadecimal, or empty.
        blank: from when to when a recording shows nothing new.

    Raises:
        TrackError: the path leads out of the page's folder.
    """

    kind: Literal["recording", "burst"]
    start: datetime
    end: datetime
    who: str
    text: str = ""
    href: str | None = None
    sha256: str = ""
    blank: tuple[tuple[datetime, datetime], ...] = ()

    def __post_init__(self) -> None:
        if self.href is None:
            return
        parts = urlsplit(self.href)
        inside = not parts.scheme and not parts.netloc and not self.href.startswith("/") and "\\" not in self.href
        if not inside or ".." in self.href.split("/"):
            raise TrackError(f"{self.href!r} leads out of the folder of the page; name a file beside it.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Remark:
    """What somebody wrote, or what a reader must know; its time may lie far from that of the page.

    Attributes:
        text: in the reader's words.
        at: when it was written; None where that says nothing.
        who: author, or empty.
    """

    text: str
    at: datetime | None = None
    who: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Playback:
    """The whole page.

    Attributes:
        title: heading.
        walked: an officer each, in the order of their colours.
        zones: GeoJSON features with the properties of `formats.zone`.
        happenings: in order of time.
        footage: recordings and bursts.
        remarks: what people wrote about it, and what is missing, in their order.
        cleaning: parameters by which points were set aside, by name; shown as given.
        hashes: SHA-256 by file name, of what is handed over beside the page.
        exported_by: who asked for it; empty leaves the line out.
        exported_at: when.
        zone: of the times that are shown; the offset at the first moment holds for the whole page.
        language: of the words around.

    Raises:
        TrackError: more than `POINTS_MAX` positions or `ENTRIES_MAX` entries.
    """

    title: str
    walked: tuple[Walked, ...]
    zones: tuple[Mapping[str, Any], ...] = ()
    happenings: tuple[Happening, ...] = ()
    footage: tuple[Footage, ...] = ()
    remarks: tuple[Remark, ...] = ()
    cleaning: Mapping[str, str] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    exported_by: str = ""
    exported_at: datetime | None = None
    zone: tzinfo = UTC
    language: Language = "zh-CN"

    def __post_init__(self) -> None:
        points = sum(len(piece) for walked in self.walked for piece in walked.pieces)
        entries = sum(len(walked.gaps) + len(walked.stops) for walked in self.walked)
        entries += len(self.happenings) + len(self.footage) + len(self.remarks)
        if points > POINTS_MAX:
            raise TrackError(
                f"The page has {points} positions, more than {POINTS_MAX}; simplify or take a shorter time."
            )
        if entries > ENTRIES_MAX:
            raise TrackError(f"The page has {entries} entries, more than {ENTRIES_MAX}; take a shorter time.")
