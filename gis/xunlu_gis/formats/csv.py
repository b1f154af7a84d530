"""CSV of a track (RFC 4180), with the columns of docs/api.md, "Track"; any sensible names come in."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import tee
from typing import Final

from xunlu_gis.errors import TrackError
from xunlu_gis.formats.rows import Row, names_of, rows_of, text_of
from xunlu_gis.track.point import TrackPoint

COLUMNS: Final = ("device", *TrackPoint._fields)

_DEVICE_NAMES: Final = ("device", "did", "name", "设备")
_DATUM_NAMES: Final = ("datum", "crs", "坐标系")

_FORMULA: Final = re.compile(r"'*[=+\-@\t\r]")
"""How a cell begins that a spreadsheet would run (OWASP, "CSV injection"), also behind the sign that disarms it."""


def to_csv(device: str, points: Iterable[TrackPoint]) -> str:
    """A header and one row for each point; times in ISO 8601, what is not known is left empty."""
    return "".join(write_csv(device, points))


def write_csv(device: str, points: Iterable[TrackPoint]) -> Iterator[str]:
    """The same row by row, so that a long track never stands in memory."""
    line = io.StringIO()
    writer = csv.writer(line)
    name = disarmed(device)

    def written(row: Iterable[object]) -> str:
        line.seek(0)
        line.truncate()
        writer.writerow(row)
        return line.getvalue()

    yield written(COLUMNS)
    for point in points:
        yield written((name, *(text_of(value) for value in point)))


def disarmed(text: str) -> str:
    """A text that no spreadsheet takes for a formula; numbers must not go through here, a longitude may be negative."""
    return f"'{text}" if _FORMULA.match(text) else text


def rearmed(text: str) -> str:
    """The text that `disarmed` was given."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def read_csv(text: str) -> Iterator[Row]:
    """Rows of a file with any of the usual names of columns, divided by commas, semicolons or tabs.

    Raises:
        TrackError: no column for the place.
        csv.Error: a cell is endless.
    """
    head = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count))
    columns = [name.strip().lower() for name in next(reader, [])]
    for wanted in ("lat", "lon"):
        if set(columns).isdisjoint(names_of(wanted)):
            raise TrackError(f"it has no column {wanted}; name one of its columns so.")
    said = {field: _column(columns, names) for field, names in (("name", _DEVICE_NAMES), ("datum", _DATUM_NAMES))}
    lines, copies = tee(cells for cells in reader if cells)
    for row, cells in zip(rows_of(columns, lines), copies, strict=True):
        for field, column in said.items():
            if column is not None and column < len(cells):
                row[field] = rearmed(cells[column])
        yield row


def _column(columns: Sequence[str], names: tuple[str, ...]) -> int | None:
    return next((columns.index(name) for name in names if name in columns), None)
