"""A report as an Excel workbook (ECMA-376): numbers as numbers, words as words, never a formula."""

import io
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import xlsxwriter

from xunlu_gis.report.document import Figure, Report, Row, Section, Unit
from xunlu_gis.report.words import NOT_KNOWN, WORDS, made, period, printable, shown

_FORMATS: Final[dict[Unit, str]] = {
    "text": "@",
    "count": "#,##0",
    "duration_s": "[h]:mm",
    "distance_m": '0.00 "km"',
    "share": "0.0%",
    "time": "yyyy-mm-dd hh:mm:ss",
    "date": "yyyy-mm-dd",
}

_DIVISORS: Final[dict[Unit, float]] = {"duration_s": 86_400, "distance_m": 1000}
"""Excel counts time in days; distances are shown in kilometres."""

CELL_CHARACTERS_MAX: Final = 32_767
"""Of Excel; a longer text would damage the file."""

LINK_CHARACTERS_MAX: Final = 2_079
LINKS_MAX: Final = 65_530
"""Of Excel, for an address and for a sheet; what is beyond stays a number without a link."""

_SHEET_NAME_MAX: Final = 31
_WIDTH_MAX: Final = 60


def to_xlsx(report: Report) -> bytes:
    """The report as a workbook: a cover sheet, then a sheet for each section.

    Words are written as strings even where they look like formulas, and no text becomes a link by itself; links
    are those of the figures. Times are local to the report's zone, because Excel knows none; the cover names it.
    """
    data = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(data, options) as book:
        book.set_properties({"title": _text(report.title), "subject": _text(report.subject), "author": "Xunlu"})
        book.set_custom_property("made", report.made_at.isoformat())
        desk = _Desk(book, report)
        names = _sheet_names([report.title, *(section.title for section in report.sections)])
        desk.cover(next(names))
        for section in report.sections:
            desk.section(next(names), section)
    return data.getvalue()


def _text(text: str) -> str:
    return printable(text)[:CELL_CHARACTERS_MAX]


def _sheet_names(titles: list[str]) -> Iterator[str]:
    """Names that Excel takes: unlike each other whatever their case, at most 31 characters, without its signs."""
    taken: set[str] = set()
    for number, title in enumerate(titles, 1):
        plain = re.sub(r"[\[\]:*?/\\\x00-\x1f]", " ", printable(title)).strip().strip("'")[:_SHEET_NAME_MAX].strip("'")
        name = plain if plain and plain.casefold() not in taken | {"history"} else f"{plain[:26]} {number}"
        taken.add(name.casefold())
        yield name


class _Desk:
    """Writes cells of one workbook."""

    def __init__(self, book: Any, report: Report) -> None:  # noqa: ANN401  xlsxwriter carries no types
        self._book, self._report, self._links = book, report, 0
        self._heading = book.add_format({"bold": True, "bottom": 1})
        self._title = book.add_format({"bold": True, "font_size": 16})
        self._styles = {
            (unit, bold, linked): book.add_format(
                {"num_format": form, "bold": bold} | ({"font_color": "#0b4fad", "underline": 1} if linked else {})
            )
            for unit, form in _FORMATS.items()
            for bold in (False, True)
            for linked in (False, True)
        }

    def cover(self, name: str) -> None:
        report, words = self._report, WORDS[self._report.language]
        sheet = self._book.add_worksheet(name)
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, _WIDTH_MAX)
        sheet.write_string(0, 0, _text(report.title), self._title)
        head: list[tuple[str, Figure]] = [
            (words["subject"], Figure(value=report.subject)),
            (words["period"], Figure(value=period(report))),
            (words["made"], Figure(value=made(report))),
            *report.summary.items(),
            *((words["notes"], Figure(value=note)) for note in report.notes),
        ]
        for line, (label, figure) in enumerate(head, 2):
            sheet.write_string(line, 0, _text(label))
            self._write(sheet, (line, 1), figure)

    def section(self, name: str, section: Section) -> None:
        sheet, self._links = self._book.add_worksheet(name), 0
        sheet.freeze_panes(1, 0)
        for column, heading in enumerate(section.columns):
            sheet.write_string(0, column, _text(heading), self._heading)
            sheet.set_column(column, column, self._width(section, column))
        rows: list[tuple[Row, bool]] = [(row, False) for row in section.rows]
        if section.totals:
            rows.append((section.totals, True))
        for line, (row, bold) in enumerate(rows, 1):
            for column, figure in enumerate(row):
                self._write(sheet, (line, column), figure, bold=bold)
        if section.rows:
            sheet.autofilter(0, 0, len(section.rows), len(section.columns) - 1)

    def _leads(self, address: str | None) -> bool:
        """Whether an address can stand in a workbook: a path without a server would be one of the reader's disk."""
        if address is None or address.startswith("/") or len(address) > LINK_CHARACTERS_MAX:
            return False
        self._links += 1
        return self._links <= LINKS_MAX

    def _width(self, section: Section, column: int) -> float:
        """A Chinese sign takes the room of two letters."""
        texts = [section.columns[column], *(shown(row[column], self._report.zone) for row in section.rows[:200])]
        return min(_WIDTH_MAX, 3 + max(sum(2 if sign > "⺀" else 1 for sign in text) for text in texts))

    def _write(self, sheet: Any, cell: tuple[int, int], figure: Figure, *, bold: bool = False) -> None:  # noqa: ANN401
        address = self._report.address(figure)
        linked = self._leads(address)
        style = self._styles[figure.unit, bold, linked]
        if linked:
            sheet.write_url(*cell, address, style, string=_text(shown(figure, self._report.zone)))
        # After the link, so that a linked number stays a number.
        match figure.value:
            case None:
                sheet.write_string(*cell, NOT_KNOWN, style)
            case str(text):
                sheet.write_string(*cell, _text(text), style)
            case datetime() as at:
                sheet.write_datetime(*cell, at.astimezone(self._report.zone).replace(tzinfo=None), style)
            case number:
                sheet.write_number(*cell, number / _DIVISORS.get(figure.unit, 1), style)
