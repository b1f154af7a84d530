"""A sheet as the bytes of a file."""

from typing import Literal

from pydantic_core import to_json

from xunlu_platform.reports.sheet import Making, Sheet, json_of, report_of

Format = Literal["html", "pdf", "xlsx", "json"]

MEDIA_TYPES: dict[Format, str] = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}


def rendered(sheet: Sheet, making: Making, form: Format) -> bytes:
    """The file; computing for a moment, so call it off the loop.

    Raises:
        ReportError: more rows than a sheet holds, a map that cannot be drawn, or no Chinese font for a PDF.
    """
    if form == "json":
        return to_json(json_of(sheet, making), inf_nan_mode="null")
    report = report_of(sheet, making)
    match form:
        case "html":
            from xunlu_gis.report.html import to_html  # noqa: PLC0415

            return to_html(report).encode()
        case "pdf":
            from xunlu_gis.report.pdf import to_pdf  # noqa: PLC0415  Typst takes time to load, and few ask for it

            return to_pdf(report)
        case "xlsx":
            from xunlu_gis.report.xlsx import to_xlsx  # noqa: PLC0415  as above

            return to_xlsx(report)
