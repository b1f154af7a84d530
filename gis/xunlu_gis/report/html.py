"""A report as one HTML page that needs nothing else: no script, no address but the links of its figures."""

from html import escape
from typing import Final

from xunlu_gis.report.coverage_map import to_svg
from xunlu_gis.report.document import Coverage, Figure, Report, Row, Section
from xunlu_gis.report.words import COLOURS, WORDS, made, period, shown

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
"""Even if a name were taken for markup, nothing would run and nothing would be fetched."""

_STYLE: Final = """
:root { color-scheme: light; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c1c1a; background: #fff;
  font: 14px/1.5 "Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", system-ui, sans-serif;
  font-variant-numeric: tabular-nums; }
h1 { margin: 0; font-size: 1.6rem; } h2 { margin: 1.8rem 0 .4rem; font-size: 1.1rem; }
dl.head { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin: .5rem 0 1rem; }
dl.head dt { color: #66645c; } dl.head dd { margin: 0; }
dl.summary { display: flex; flex-wrap: wrap; gap: 1rem 2rem; margin: 1rem 0; }
dl.summary dt { color: #66645c; } dl.summary dd { margin: 0; font-size: 1.5rem; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .25rem .5rem; border-bottom: 1px solid #dcd9d0; text-align: left; vertical-align: top; }
th { border-bottom-color: #8a8577; font-weight: 600; } .number { text-align: right; } td.number { white-space: nowrap; }
tfoot td { border-bottom: 0; border-top: 1px solid #8a8577; font-weight: 600; }
a { color: #0b4fad; } svg { max-width: 100%; height: auto; border: 1px solid #dcd9d0; }
ul.legend { display: flex; flex-wrap: wrap; gap: 0 1.2rem; margin: .3rem 0; padding: 0; list-style: none; }
ul.legend i { display: inline-block; width: 1.4em; height: .45em; margin-right: .4em; vertical-align: middle; }
footer { margin-top: 2rem; color: #66645c; }
@media print { body { margin: 0; max-width: none; } a { color: inherit; } thead { display: table-header-group; }
  tr, svg { break-inside: avoid; } }
"""


def to_html(report: Report) -> str:
    """The report as a page; all words in it are text, whatever they hold.

    Raises:
        ReportError: the map cannot be drawn.
    """
    words = WORDS[report.language]
    body = [
        f"<h1>{escape(report.title)}</h1>",
        '<dl class="head">',
        *(
            f"<dt>{escape(words[name])}</dt><dd>{escape(value)}</dd>"
            for name, value in (("subject", report.subject), ("period", period(report)), ("made", made(report)))
        ),
        "</dl>",
        _summary(report),
        _coverage(report.coverage, words) if report.coverage is not None else "",
        *(_section(section, report) for section in report.sections),
        _notes(report, words),
    ]
    return (
        f'<!DOCTYPE html><html lang="{report.language}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer">'
        f"<title>{escape(report.title)} {escape(report.subject)}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(body)}</body></html>"
    )


def _summary(report: Report) -> str:
    pairs = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{_linked(figure, report)}</dd></div>"
        for name, figure in report.summary.items()
    )
    return f'<dl class="summary">{pairs}</dl>' if pairs else ""


def _coverage(coverage: Coverage, words: dict[str, str]) -> str:
    kinds = {patch.kind for patch in coverage.patches}
    legend = "".join(
        f'<li><i style="background:{colour}"></i>{escape(words[kind])}</li>'
        for kind, colour in COLOURS.items()
        if kind in kinds
    )
    return f'<h2>{escape(coverage.title)}</h2>{to_svg(coverage)}<ul class="legend">{legend}</ul>'


def _section(section: Section, report: Report) -> str:
    heads = "".join(
        f"<th scope=col class={'number' if numbers else 'words'}>{escape(column)}</th>"
        for column, numbers in zip(section.columns, section.numeric, strict=True)
    )
    rows = "".join(_row(row, report) for row in section.rows)
    foot = f"<tfoot>{_row(section.totals, report)}</tfoot>" if section.totals else ""
    return f"<h2>{escape(section.title)}</h2><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody>{foot}</table>"


def _row(row: Row, report: Report) -> str:
    cells = (f"<td class={_kind(figure)}>{_linked(figure, report)}</td>" for figure in row)
    return f"<tr>{''.join(cells)}</tr>"


def _kind(figure: Figure) -> str:
    return "words" if figure.unit == "text" else "number"


def _linked(figure: Figure, report: Report) -> str:
    text = escape(shown(figure, report.zone))
    address = report.address(figure)
    return f'<a href="{escape(address)}">{text}</a>' if address else text


def _notes(report: Report, words: dict[str, str]) -> str:
    if not report.notes:
        return ""
    notes = "".join(f"<li>{escape(note)}</li>" for note in report.notes)
    return f"<footer><h2>{escape(words['notes'])}</h2><ul>{notes}</ul></footer>"
