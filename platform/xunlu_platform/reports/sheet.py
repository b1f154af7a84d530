"""A sheet without its words: tables of figures by name, for people in any language and for programs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from xunlu_gis.report import Coverage, Figure, Report, Row, Section
from xunlu_gis.report.coverage_map import to_svg
from xunlu_gis.report.document import Language
from xunlu_gis.report.words import shown
from xunlu_platform.reports.period import Day
from xunlu_platform.reports.words import WORDS

Kind = Literal["officer-day", "squad-week"]
Note = tuple[str, Mapping[str, str | int]]
"""Name of a sentence, and what is filled in."""


class Word(str):
    """Text that is a name of `WORDS`, such as a state; any other text is somebody's own."""

    __slots__ = ()

    @classmethod
    def of(cls, vocabulary: str, value: str) -> str:
        """The name of a value of an open vocabulary, else the value itself."""
        name = f"{vocabulary}.{value}"
        return cls(name) if name in WORDS["en"] else value


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """Rows of figures; title and columns by their names in `words.WORDS`."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    totals: Row = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """What a sheet says.

    Attributes:
        kind: which sheet.
        subject: of whom, by the names that people use.
        period: which time.
        summary: the figures that matter most.
        tables: all others.
        coverage: the map; its title is a name of `words.WORDS`.
        notes: how the figures were made.
    """

    kind: Kind
    subject: str
    period: Day
    summary: Mapping[str, Figure]
    tables: tuple[Table, ...]
    coverage: Coverage
    notes: tuple[Note, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Making:
    """For whom a sheet is made.

    Attributes:
        language: of its words.
        zone: of its times.
        made_by: who asked.
        made_at: when.
        base: address of the server, before links of files that leave it.
    """

    language: Language
    zone: ZoneInfo
    made_by: str
    made_at: datetime
    base: str


def report_of(sheet: Sheet, making: Making) -> Report:
    """The sheet in words, ready to be rendered.

    Raises:
        ReportError: more rows than a sheet holds.
    """
    words = WORDS[making.language]
    return Report(
        title=words[sheet.kind],
        subject=sheet.subject,
        since=sheet.period.since,
        until=sheet.period.until,
        zone=making.zone,
        sections=tuple(
            Section(
                title=words[table.name],
                columns=tuple(words[column] for column in table.columns),
                rows=tuple(_spoken(row, words) for row in table.rows),
                totals=_spoken(table.totals, words),
            )
            for table in sheet.tables
        ),
        made_by=making.made_by,
        made_at=making.made_at,
        coverage=Coverage(title=words[sheet.coverage.title], patches=sheet.coverage.patches),
        summary={words[name]: figure for name, figure in sheet.summary.items()},
        notes=tuple(words[name].format(**values) for name, values in sheet.notes),
        language=making.language,
        base=making.base,
    )


def json_of(sheet: Sheet, making: Making) -> dict[str, Any]:
    """The sheet for programs, which read `key` and `value`, and for pages, which show `name` and `text`.

    Links stay paths: whoever reads this is on the server already.

    Raises:
        ReportError: the map cannot be drawn.
    """
    words = WORDS[making.language]

    def cells(keys: Iterable[str], row: Row) -> list[dict[str, Any]]:
        return [
            {"key": key, "value": figure.value, "unit": figure.unit, "link": figure.link,
             "text": shown(_spoken((figure,), words)[0], making.zone)}
            for key, figure in zip(keys, row, strict=True)
        ]  # fmt: skip

    return {
        "kind": sheet.kind,
        "title": words[sheet.kind],
        "subject": sheet.subject,
        "from": sheet.period.since.astimezone(making.zone),
        "to": sheet.period.until.astimezone(making.zone),
        "summary": [
            {"name": words[cell["key"]], **cell} for cell in cells(sheet.summary, tuple(sheet.summary.values()))
        ],
        "map": {"title": words[sheet.coverage.title], "svg": to_svg(sheet.coverage)},
        "tables": [
            {
                "key": table.name,
                "title": words[table.name],
                "columns": [{"key": column, "name": words[column]} for column in table.columns],
                "rows": [cells(table.columns, row) for row in table.rows],
                "totals": cells(table.columns, table.totals) if table.totals else None,
            }
            for table in sheet.tables
        ],
        "notes": [words[name].format(**values) for name, values in sheet.notes],
    }


def _spoken(row: Row, words: Mapping[str, str]) -> Row:
    """The same row with names put into words."""
    return tuple(Figure(value=words[one.value], link=one.link) if isinstance(one.value, Word) else one for one in row)
