import io
import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from xunlu_gis.errors import ReportError
from xunlu_gis.report import Coverage, Figure, Patch, Report, Section, pdf, to_html
from xunlu_gis.report.document import COLUMNS_MAX, ROWS_MAX
from xunlu_gis.report.pdf import to_pdf
from xunlu_gis.report.xlsx import to_xlsx

START = datetime(2026, 3, 1, tzinfo=UTC)
HOSTILE = "=cmd|'/c calc'!A0 </title><script>alert(1)</script> #link(\"x\")[y] {{ 6 * 7 }}"
ZONE = {"type": "Polygon", "coordinates": [[[121.47, 31.22], [121.49, 31.22], [121.48, 31.24], [121.47, 31.22]]]}
WALKED = {"type": "MultiLineString", "coordinates": [[[121.475, 31.222], [121.48, 31.23]]]}

SECTION = Section(
    title="值勤/统计",
    columns=("队员", "在线", "里程", "覆盖率", "断点", "首个定位"),
    rows=(
        (
            Figure(value=HOSTILE),
            Figure(value=25_500, unit="duration_s", link="/review?officer=016&from=1"),
            Figure(value=12_345.6, unit="distance_m"),
            Figure(value=0.865, unit="share"),
            Figure(value=None, unit="count"),
            Figure(value=START, unit="time"),
        ),
    ),
)
REPORT = Report(
    title="队员日报",
    subject="周敏 016",
    since=START,
    until=START + timedelta(days=1),
    zone=timezone(timedelta(hours=8)),
    sections=(SECTION,),
    made_by="王芳",
    made_at=START + timedelta(days=2),
    coverage=Coverage(title="巡查图", patches=(Patch(kind="seen", geometry=WALKED), Patch(kind="zone", geometry=ZONE))),
    summary={"在线": Figure(value=25_500, unit="duration_s", link="https://xunlu.example/review")},
    notes=("WGS-84；断点不计入里程",),
    base="https://xunlu.example",
)


class Page(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def sheets(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        return {name: book.read(name).decode() for name in book.namelist()}


def test_a_page_shows_every_figure_in_the_time_of_the_place() -> None:
    texts = Page(to_html(REPORT)).texts
    for text in ("队员日报", "周敏 016", "7:05", "12.35 km", "86.5 %", "—", "2026-03-01 08:00:00"):
        assert text in texts
    assert "2026-03-01 08:00 – 2026-03-02 08:00 (UTC+0800)" in texts


def test_a_page_takes_names_for_text_and_leads_only_where_a_figure_does() -> None:
    page = Page(to_html(REPORT))
    assert HOSTILE in page.texts
    assert not {"script", "img", "link", "iframe"} & set(page.tags)
    assert page.links == ["https://xunlu.example/review", "https://xunlu.example/review?officer=016&from=1"]


def test_zones_lie_below_what_was_seen_and_lines_have_no_inside() -> None:
    paths = re.findall(r"<path [^>]*>", to_html(REPORT))
    assert "stroke-dasharray" in paths[0]
    assert paths[0].count("L") == 3
    assert "Z" in paths[0]
    assert "fill:none" in paths[1]
    assert "Z" not in paths[1]


def test_a_map_of_nothing_and_of_one_place_is_no_failure() -> None:
    spot = {"type": "LineString", "coordinates": [[121.47, 31.22], [121.47, 31.22]]}
    for patches in ((), (Patch(kind="track", geometry=spot),)):
        page = to_html(replace(REPORT, coverage=Coverage(title="图", patches=patches)))
        assert ("<svg" in page) == bool(patches)
        assert "nan" not in page


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point", "coordinates": [1, 2]},
        {"type": "LineString", "coordinates": [[1, float("nan")], [2, 3]]},
        {},
    ],
)
def test_what_cannot_be_drawn_says_so(geometry: dict[str, object]) -> None:
    with pytest.raises(ReportError, match="map"):
        to_html(replace(REPORT, coverage=Coverage(title="图", patches=(Patch(kind="seen", geometry=geometry),))))


def test_a_pdf_is_an_archive_document_in_chinese_and_the_same_every_time() -> None:
    data = to_pdf(REPORT)
    assert data.startswith(b"%PDF-")
    assert data == to_pdf(REPORT)
    assert b"pdfaid:part" in data
    assert b"https://xunlu.example/review?officer=016" in data
    assert b"CJK" in data


def test_a_pdf_in_english_with_many_columns_and_without_a_map_is_made_too() -> None:
    wide = Section(title="x", columns=tuple("abcdefghij"), rows=((Figure(value=1, unit="count"),) * 10,) * 60)
    assert to_pdf(replace(REPORT, language="en", coverage=None, sections=(wide,), notes=())).startswith(b"%PDF-")


def test_a_map_of_a_whole_day_is_printed() -> None:
    way = {"type": "LineString", "coordinates": [[121.47 + n % 7 / 1000, 31.22 + n / 100_000] for n in range(3000)]}
    patches = (Patch(kind="track", geometry=way),)
    assert to_pdf(replace(REPORT, coverage=Coverage(title="图", patches=patches))).startswith(b"%PDF-")


@pytest.mark.parametrize("words", ["\0\x1b\ufffe", "ไทย עברית 😀 𠮷", "\u200b\r\n", "", "长" * 40_000])
def test_any_words_can_be_printed_and_filed(words: str) -> None:
    section = Section(
        title=words, columns=(words,) * COLUMNS_MAX, rows=((Figure(value=words, link="/x"),) * COLUMNS_MAX,)
    )
    report = replace(
        REPORT, title=words, subject=words, made_by=words, notes=(words,), sections=(section,), coverage=None
    )
    assert to_pdf(report).startswith(b"%PDF-")
    for name, text in sheets(to_xlsx(report)).items():
        if name.endswith((".xml", ".rels")):
            ET.fromstring(text)


def test_a_workbook_holds_numbers_links_and_no_formula() -> None:
    parts = sheets(to_xlsx(REPORT))
    first = ET.fromstring(parts["xl/worksheets/sheet2.xml"])
    space = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    assert not [name for name, text in parts.items() if "<f>" in text]
    values = {cell.get("r"): cell.findtext("x:v", "", space) for cell in first.iterfind(".//x:c", space)}
    assert float(values["B2"] or 0) == pytest.approx(25_500 / 86_400)
    assert float(values["C2"] or 0) == pytest.approx(12.3456)
    assert float(values["F2"] or 0) == pytest.approx(46082 + 8 / 24)
    assert "=cmd|" in parts["xl/sharedStrings.xml"]
    assert "officer=016" in parts["xl/worksheets/_rels/sheet2.xml.rels"]


def test_a_workbook_takes_any_titles() -> None:
    titles = ("a/b", "A:B", "", "'quoted'", "长" * 40, "长" * 40, "History", "\0")
    book = to_xlsx(replace(REPORT, sections=tuple(replace(SECTION, title=title) for title in titles)))
    names = re.findall(r'<sheet name="([^"]*)"', sheets(book)["xl/workbook.xml"])
    assert len({name.casefold() for name in names}) == len(titles) + 1
    assert all(0 < len(name) <= 31 and not set(name) & set("[]:*?/\\") for name in names)


def test_a_path_without_a_server_is_no_link_of_a_workbook() -> None:
    parts = sheets(to_xlsx(replace(REPORT, base="")))
    assert not [text for name, text in parts.items() if "officer=016" in text]


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "//evil.example/x",
        "/\\evil.example",
        "/\t/evil.example",
        "file:///etc/passwd",
        "review",
        "",
    ],
)
def test_a_figure_leads_to_a_page_or_nowhere(link: str) -> None:
    with pytest.raises(ReportError, match="no address"):
        Figure(value=1, unit="count", link=link)


@pytest.mark.parametrize(
    ("value", "unit"), [("7", "count"), (float("nan"), "share"), (float("inf"), "count"), (1, "time"), (1, "text")]
)
def test_a_figure_is_of_its_unit(value: float | str, unit: str) -> None:
    with pytest.raises(ReportError, match="no "):
        Figure(value=value, unit=unit)  # type: ignore[arg-type]


def test_a_time_without_a_zone_a_ragged_row_and_an_endless_report_are_refused() -> None:
    with pytest.raises(ReportError, match="zone"):
        Figure(value=START.replace(tzinfo=None), unit="time")
    with pytest.raises(ReportError, match="2 figures for 1 columns"):
        Section(title="x", columns=("a",), rows=((Figure(value=1, unit="count"),) * 2,))
    with pytest.raises(ReportError, match="give it 1 to"):
        Section(title="x", columns=("a",) * (COLUMNS_MAX + 1), rows=())
    endless = Section(title="x", columns=("a",), rows=((Figure(value=1, unit="count"),),) * (ROWS_MAX + 1))
    with pytest.raises(ReportError, match="shorter period"):
        replace(REPORT, sections=(endless,))


def test_a_folder_of_fonts_is_looked_into_besides_the_system(tmp_path: Path) -> None:
    assert to_pdf(REPORT, tmp_path) == to_pdf(REPORT)


def test_a_machine_without_a_chinese_font_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "FAMILIES", ("No such font",))
    with pytest.raises(ReportError, match="fonts-noto-cjk"):
        to_pdf(REPORT, tmp_path / "empty")
