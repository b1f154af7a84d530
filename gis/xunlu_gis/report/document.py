"""What a report says, apart from how it looks: the one value that HTML, PDF and xlsx are made from."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from math import isfinite
from typing import Any, Literal
from urllib.parse import urlsplit

from xunlu_gis.errors import ReportError

Unit = Literal["text", "count", "duration_s", "distance_m", "share", "time", "date"]
"""How a figure is shown: hours and minutes, kilometres, per cent; a time with its date in the report's zone."""

Kind = Literal["zone", "seen", "unseen", "track"]
"""What a patch of the coverage map is."""

Language = Literal["zh-CN", "en"]

ROWS_MAX = 20_000
"""Of one report: a squad-week has a few hundred. A table that nobody can read is a download, not a sheet."""

COLUMNS_MAX = 20
"""Of a table; more do not fit on paper."""

PATCHES_MAX = 5_000
POSITIONS_MAX = 400_000
"""Of one coverage map, all patches together."""


_MISREAD = re.compile(r"[\x00- \\]")
"""Browsers drop or turn these and find another host."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One cell: a number, a time or words, and the address of what proves it.

    Attributes:
        value: of the unit's type: text a str, time and date an aware datetime, all others a number; None is shown as a
            dash, because not known is not nought.
        unit: how it is shown.
        link: `http(s)` address or a path on the same server, for instance the playback of exactly this stretch.

    Raises:
        ReportError: value and unit do not fit, or the link is neither.
    """

    value: str | int | float | datetime | None
    unit: Unit = "text"
    link: str | None = None

    def __post_init__(self) -> None:
        fits = {"text": str, "time": datetime, "date": datetime}.get(self.unit, (int, float))
        if self.value is not None and not (isinstance(self.value, fits) and _finite(self.value)):
            raise ReportError(f"{self.value!r} is no {self.unit}; give the figure a value of its unit.")
        if isinstance(self.value, datetime) and self.value.tzinfo is None:
            raise ReportError(f"{self.value} has no zone; give the figure an aware time.")
        if self.link is not None and not _followed(self.link):
            raise ReportError(
                f"{self.link!r} is no address of a page; link to http(s) or to a path that begins with /."
            )


def _finite(value: str | float | datetime) -> bool:
    return not isinstance(value, float) or isfinite(value)


def _followed(link: str) -> bool:
    """Whether a click leads to a page: a script or a file of the reader's disk never does."""
    if _MISREAD.search(link):
        return False
    parts = urlsplit(link)
    return parts.scheme in {"http", "https"} or (not parts.scheme and link.startswith("/") and not parts.netloc)


Row = tuple[Figure, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A table.

    Attributes:
        title: heading, and the name of the sheet in xlsx.
        columns: headings of the columns.
        rows: as long as `columns` each.
        totals: last row, set apart; empty for none.

    Raises:
        ReportError: no column, more than `COLUMNS_MAX`, or a row that is not as long as the columns.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    totals: Row = ()

    def __post_init__(self) -> None:
        if not 0 < len(self.columns) <= COLUMNS_MAX:
            raise ReportError(f"“{self.title}” has {len(self.columns)} columns; give it 1 to {COLUMNS_MAX}.")
        for row in self.lines:
            if len(row) != len(self.columns):
                raise ReportError(f"A row of “{self.title}” has {len(row)} figures for {len(self.columns)} columns.")

    @property
    def lines(self) -> tuple[Row, ...]:
        """The rows, and the totals where there are any."""
        return (*self.rows, self.totals) if self.totals else self.rows

    @property
    def numeric(self) -> list[bool]:
        """Which columns hold anything but words; they stand to the right."""
        return [any(row[column].unit != "text" for row in self.lines) for column in range(len(self.columns))]


@dataclass(frozen=True, kw_only=True, slots=True)
class Patch:
    """A piece of the coverage map.

    Attributes:
        kind: zones lie below, then what was seen, what was not, then tracks.
        geometry: GeoJSON (RFC 7946) LineString, MultiLineString, Polygon or MultiPolygon, WGS-84.
    """

    kind: Kind
    geometry: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """The map of a report: where somebody was expected, was, and was not."""

    title: str
    patches: tuple[Patch, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """A sheet.

    Attributes:
        title: what it is, for instance 队员日报.
        subject: officer with number, or squad.
        since: begin of the period, aware.
        until: its end, not included.
        zone: in which times are shown; the offset is printed.
        sections: tables, in order.
        coverage: a map, or None.
        summary: figures in large type above the tables, by their names.
        notes: how the figures were made: cleaning parameters, datum, what is missing and why.
        made_by: who asked for the report.
        made_at: when, aware.
        language: of the words that the renderers add.
        base: address of the server before links that are paths, for files that leave it (PDF, xlsx); empty keeps paths.

    Raises:
        ReportError: more than `ROWS_MAX` rows.
    """

    title: str
    subject: str
    since: datetime
    until: datetime
    zone: tzinfo
    sections: tuple[Section, ...]
    made_by: str
    made_at: datetime
    coverage: Coverage | None = None
    summary: Mapping[str, Figure] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    language: Language = "zh-CN"
    base: str = ""

    def __post_init__(self) -> None:
        rows = sum(len(section.rows) for section in self.sections)
        if rows > ROWS_MAX:
            raise ReportError(f"The report has {rows} rows, more than {ROWS_MAX}; choose a shorter period.")

    def address(self, figure: Figure) -> str | None:
        """Where a figure leads."""
        return figure.link and (self.base + figure.link if figure.link.startswith("/") else figure.link)
