"""The roster as a file: CSV (RFC 4180) as spreadsheets write and read it, in Chinese and English."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo

from xunlu_gis.formats import disarmed
from xunlu_gis.report.document import Language
from xunlu_platform.api.problems import Complaint, Problem, invalid
from xunlu_platform.reports.period import day_of
from xunlu_platform.review.shifts import SHIFT_PATTERN, Shift
from xunlu_platform.store.store import Row

ROWS_MAX: Final = 5000
NOTE_LENGTH_MAX: Final = 200
HOURS_MAX: Final = 24
YEARS: Final = range(2000, 2200)

Column = Literal["number", "name", "date", "shift", "post", "note"]

HEADINGS: Final[Mapping[Language, Sequence[str]]] = {
    "zh-CN": ("编号", "姓名", "日期", "班次", "岗位", "备注"),
    "en": get_args(Column),
}
NAMES: Final[Mapping[str, Column]] = {
    **{name: column for names in HEADINGS.values() for name, column in zip(names, get_args(Column), strict=True)},
    "警号": "number", "工号": "number", "队员编号": "number", "officer_number": "number", "officer number": "number",
    "队员": "name", "officer": "name", "时段": "shift", "责任区": "post", "zone": "post",
}  # fmt: skip
"""What a column may be called, in small letters."""

_DATE: Final = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?")
_SHIFT: Final = re.compile(r"([0-9]{1,2}:[0-9]{2})\s*[-–—~至]\s*([0-9]{1,2}:[0-9]{2})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A row that says a shift; whose it is and where is still to be looked up.

    Attributes:
        row: as a spreadsheet counts, the heading is 1.
        number: of the officer; empty: by name.
        name: of the officer; empty: by number.
        begins_at: included, UTC.
        ends_at: excluded, UTC.
        post: name of a zone, or empty.
        note: at most `NOTE_LENGTH_MAX` characters.
    """

    row: int
    number: str
    name: str
    begins_at: datetime
    ends_at: datetime
    post: str
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RosterFile:
    """What was read.

    Attributes:
        lines: rows that can be understood.
        wrong: what is wrong with the others, each with its `row`.
    """

    lines: list[Line] = field(default_factory=list)
    wrong: list[Complaint] = field(default_factory=list)


def read_roster(body: bytes, zone: ZoneInfo) -> RosterFile:
    """Rows with the columns of `HEADINGS` in any order, in UTF-8 or GB18030; empty ones are passed over.

    Args:
        body: of the file.
        zone: of its local times. A shift belongs to the day on which it begins, and may run over midnight.

    Raises:
        Problem: no CSV, no such columns, no rows, or more than `ROWS_MAX`.
    """
    found = RosterFile()
    try:
        rows = csv.reader(io.StringIO(_decoded(body), newline=""), strict=True)
        columns = _columns(next(rows, []))
        for row, cells in enumerate(rows, 2):
            if row > ROWS_MAX + 1:
                raise invalid("body", "roster-rows", "Import at most {rows} rows at once.", rows=ROWS_MAX)
            if any(cell.strip() for cell in cells):
                _read(found, row, dict(zip(columns, cells, strict=False)), zone)
    except csv.Error as error:
        raise invalid("body", "csv-form", "This is not CSV: {error}", error=str(error)) from error
    if not found.lines and not found.wrong:
        raise invalid("body", "roster-empty", "The file has no rows below its heading.")
    return found


def write_roster(shifts: Iterable[Row], zone: ZoneInfo, language: Language) -> Iterator[str]:
    """A heading and a line for each shift, in the form that `read_roster` takes; no cell is taken for a formula.

    Args:
        shifts: with `officer`, `begins_at`, `ends_at`, `zone`, `note`.
        zone: of the local times.
        language: of the heading.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    # Spreadsheets read UTF-8 only with a byte order mark.
    text.write("\ufeff")
    writer.writerow(HEADINGS[language])
    for shift in shifts:
        begins, ends = (shift[name].astimezone(zone) for name in ("begins_at", "ends_at"))
        post = shift["zone"]["name"] if shift["zone"] else ""
        words = (shift["officer"]["number"], shift["officer"]["name"], begins.date().isoformat())
        writer.writerow(map(disarmed, (*words, f"{begins:%H:%M}-{ends:%H:%M}", post, shift["note"])))
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()


def at_row(row: int, complaint: Complaint) -> Complaint:
    """What is wrong, and where."""
    return {**complaint, "values": {**complaint["values"], "row": row}}


def _decoded(body: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise invalid("body", "csv-encoding", "This is not text in UTF-8 or GB18030. Save it as CSV again.")


def _columns(heading: Sequence[str]) -> list[str]:
    """What each column holds; those that nobody knows keep their name."""
    columns = [NAMES.get(name.strip().lower(), name) for name in heading]
    known = {*columns}
    if not {"date", "shift"} <= known or known.isdisjoint({"number", "name"}):
        wanted = " / ".join(", ".join(names) for names in HEADINGS.values())
        raise invalid("body", "csv-columns", "The first line must name the columns {columns}.", columns=wanted)
    return columns


def _read(found: RosterFile, row: int, cells: Mapping[str, str], zone: ZoneInfo) -> None:
    try:
        found.lines.append(_line(row, {name: cells.get(name, "").strip() for name in get_args(Column)}, zone))
    except Problem as problem:
        found.wrong.extend(at_row(row, complaint) for complaint in problem.errors)


def _line(row: int, cells: Mapping[str, str], zone: ZoneInfo) -> Line:
    for name, text in cells.items():
        if "\0" in text or disarmed(text) != text:
            raise invalid(name, "cell-formula", "It begins like a formula: write it as plain text.")
    if not cells["number"] and not cells["name"]:
        raise invalid("number", "missing", "Give the number or the name of an officer.")
    if len(cells["note"]) > NOTE_LENGTH_MAX:
        raise invalid("note", "string_too_long", "At most {max_length} characters.", max_length=NOTE_LENGTH_MAX)
    begins_at, ends_at = _times(_date(cells["date"]), _shift(cells["shift"]), zone)
    return Line(
        row=row, number=cells["number"], name=cells["name"], begins_at=begins_at, ends_at=ends_at, post=cells["post"],
        note=cells["note"],
    )  # fmt: skip


def _date(text: str) -> date:
    match = _DATE.fullmatch(unicodedata.normalize("NFKC", text))
    try:
        day = date(*map(int, match.groups())) if match else None
    except ValueError:
        day = None
    if day is None or day.year not in YEARS:
        raise invalid("date", "roster-date", "Write a date as 2026-11-26.")
    return day


def _shift(text: str) -> Shift:
    match = _SHIFT.fullmatch(unicodedata.normalize("NFKC", text))
    ends = [end.zfill(5) for end in match.groups()] if match else []
    # Midnight ends a day as 24:00 and begins one as 00:00.
    written = "-".join(ends).replace("-24:00", "-00:00")
    if not re.match(SHIFT_PATTERN, written):
        raise invalid("shift", "roster-shift", "Write a shift as 22:00-06:00.")
    return Shift.parsed(written)


def _times(day: date, shift: Shift, zone: ZoneInfo) -> tuple[datetime, datetime]:
    when = day_of(day, shift, zone)
    if when.until <= when.since:
        raise invalid("shift", "no-shift", "Clocks change on {date}: this shift does not exist.", date=day.isoformat())
    check_length(when.since, when.until)
    return when.since, when.until


def check_length(begins_at: datetime, ends_at: datetime) -> None:
    """Refuse a shift that nobody can work."""
    if (ends_at - begins_at).total_seconds() > HOURS_MAX * 3600:
        raise invalid("ends_at", "shift-length", "A shift lasts at most {hours} hours.", hours=HOURS_MAX)
