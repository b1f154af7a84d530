"""A report as PDF, typeset by Typst with a Chinese font of the machine; nothing is fetched."""

from functools import cache
from importlib.resources import files
from json import dumps
from pathlib import Path
from typing import Any, Final, Literal

import typst

from xunlu_gis.errors import ReportError
from xunlu_gis.report.coverage_map import to_svg
from xunlu_gis.report.document import Figure, Report, Row, Section
from xunlu_gis.report.words import COLOURS, WORDS, clipped, made, period, printable, shown

FAMILIES: Final = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Noto Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "SimHei",
)
"""Fonts that hold Chinese, best first."""

COLUMNS_UPRIGHT_MAX: Final = 7
"""A wider table turns the paper."""

HEADING_CHARACTERS_MAX: Final = 120
COLUMN_CHARACTERS_MAX: Final = 40
"""What stands on every page must leave room on it, or typesetting never ends."""

CELL_CHARACTERS_MAX: Final = 2_000
"""Half a page."""


def to_pdf(report: Report, fonts: Path | None = None) -> bytes:
    """The report on A4; equal reports give equal bytes.

    It is PDF/A-2b, which archives ask for, unless a name holds a sign that no font of the machine has: PDF/A forbids
    the box that then stands for it, so such a report is plain PDF 1.7.

    Args:
        report: what to print.
        fonts: folder with a Chinese font, besides those of the system; None looks in the system alone.

    Raises:
        ReportError: no Chinese font is installed, or the report cannot be typeset.
    """
    found, family = _fonts(fonts)
    # The map is no words: cut like them it would be none.
    data = dumps({**_printable(_plain(report, family)), "map": _map(report)})
    try:
        return _typeset(data, found, report, "a-2b")
    except typst.TypstError:
        try:
            return _typeset(data, found, report, "1.7")
        except typst.TypstError as error:
            raise ReportError(f"The report cannot be typeset: {error.message}") from error


def _typeset(data: str, fonts: typst.Fonts, report: Report, standard: Literal["a-2b", "1.7"]) -> bytes:
    template = files(__package__).joinpath("sheet.typ").read_bytes()
    return typst.compile(
        template,
        format="pdf",
        font_paths=fonts,
        sys_inputs={"report": data},
        pdf_standards=standard,
        timestamp=int(report.made_at.timestamp()),
    )


def _printable(value: Any) -> Any:  # noqa: ANN401  JSON
    """The same JSON with printable words."""
    match value:
        case str():
            return clipped(printable(value), CELL_CHARACTERS_MAX)
        case dict():
            return {name: _printable(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_printable(inner) for inner in value]
        case _:
            return value


@cache
def _fonts(folder: Path | None) -> tuple[typst.Fonts, str]:
    """The fonts that there are and the Chinese one to use; the search takes a moment and is made once."""
    found = typst.Fonts(include_system_fonts=True, font_paths=[] if folder is None else [folder])
    families = set(found.families())
    for family in FAMILIES:
        if family in families:
            return found, family
    raise ReportError(
        "A PDF needs a Chinese font and none is installed; install Debian's fonts-noto-cjk, "
        "or put NotoSansCJK-Regular.ttc into the folder of fonts."
    )


def _plain(report: Report, family: str) -> dict[str, Any]:
    """The report as the template reads it."""
    words = WORDS[report.language]
    lang, _, region = report.language.partition("-")
    return {
        "title": clipped(report.title, HEADING_CHARACTERS_MAX),
        "subject": clipped(report.subject, HEADING_CHARACTERS_MAX),
        "lang": lang,
        "region": region or None,
        "fonts": [family],
        "words": words,
        "wide": max((len(section.columns) for section in report.sections), default=0) > COLUMNS_UPRIGHT_MAX,
        "head": [
            [words["subject"], report.subject],
            [words["period"], period(report)],
            [words["made"], made(report)],
        ],
        "summary": [{"name": name, **_cell(figure, report)} for name, figure in report.summary.items()],
        "sections": [_section(section, report) for section in report.sections],
        "notes": report.notes,
    }


def _map(report: Report) -> dict[str, Any] | None:
    if report.coverage is None or not (svg := to_svg(report.coverage)):
        return None
    words = WORDS[report.language]
    title = clipped(printable(report.coverage.title), HEADING_CHARACTERS_MAX)
    kinds = {patch.kind for patch in report.coverage.patches}
    legend = [{"name": words[kind], "colour": colour} for kind, colour in COLOURS.items() if kind in kinds]
    return {"title": title, "svg": svg, "legend": legend}


def _section(section: Section, report: Report) -> dict[str, Any]:
    return {
        "title": section.title,
        "columns": [clipped(column, COLUMN_CHARACTERS_MAX) for column in section.columns],
        "numbers": section.numeric,
        "rows": [_cells(row, report) for row in section.rows],
        "totals": _cells(section.totals, report),
    }


def _cells(row: Row, report: Report) -> list[dict[str, str | None]]:
    return [_cell(figure, report) for figure in row]


def _cell(figure: Figure, report: Report) -> dict[str, str | None]:
    return {"text": shown(figure, report.zone), "link": report.address(figure)}
