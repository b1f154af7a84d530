"""The page that is handed to a stranger: opened from a disk, without any network."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.repository import ROOT
from tests.unit.xunlu_gis.tracks import START, track_at
from xunlu_gis.formats.page import to_page
from xunlu_gis.formats.playback import ExplainedGap, Footage, Happening, Playback, Walked
from xunlu_gis.map.prepare import prepare
from xunlu_gis.track import Stop

pytestmark = pytest.mark.console

LEAFLET = ROOT / "platform" / "xunlu_platform" / "console" / "vendor" / "leaflet-1.9.4"
HOSTILE = "`${alert(3)}`</script><script>alert(1)</script><img src=x onerror=alert(2)>{{ 6 * 7 }}"

FIRST = track_at([(step * 6, 0) for step in range(100)])
LATER = track_at([(900 + step * 6, 200) for step in range(100)], seconds=[1500 + step * 5 for step in range(100)])
OTHER = track_at([(step * 6, -150) for step in range(300)])


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def ms(second: float) -> int:
    return round(at(second).timestamp() * 1000)


PLAYBACK = Playback(
    title=f"SOS {HOSTILE}",
    walked=(
        Walked(
            name=f"周敏 016 {HOSTILE}",
            pieces=(tuple(FIRST), tuple(LATER)),
            gaps=(
                ExplainedGap(start=at(495), end=at(800), reason="no_signal"),
                ExplainedGap(start=at(800), end=at(1500), reason="server_down"),
            ),
            stops=(Stop(lat=31.23, lon=121.48, from_ms=ms(0), to_ms=ms(60), first=0, points=9),),
        ),
        Walked(name="李强 017", pieces=(tuple(OTHER), (OTHER[-1]._replace(fix_time=at(1995)),))),
        Walked(name="无人", pieces=()),
    ),
    zones=(
        {
            "type": "Feature",
            "properties": {"name": HOSTILE, "radius_m": 250},
            "geometry": {"type": "Point", "coordinates": [121.48, 31.23]},
        },
    ),
    happenings=(Happening(at=at(300), text=f"一键报警 {HOSTILE}", lat=31.23, lon=121.482, urgent=True),),
    footage=(
        Footage(
            kind="recording",
            start=at(290),
            end=at(600),
            who="周敏",
            text="a.mp4",
            href="v/a.mp4",
            sha256="ab" * 32,
            blank=((at(295), at(310)),),
        ),
        Footage(kind="burst", start=at(301), end=at(309), who="周敏", text="一中队"),
    ),
    cleaning={"speed_max_mps": "12"},
    hashes={"v/a.mp4": "ab" * 32},
    exported_by="王芳",
    exported_at=at(90_000),
    zone=timezone(timedelta(hours=8)),
)


@pytest_asyncio.fixture
async def opened(browser: Browser, tmp_path: Path) -> AsyncIterator[Page]:
    prepare(None, tmp_path / "map")
    path = tmp_path / "page.html"
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "a.mp4").write_bytes(b"no film")
    path.write_text(to_page(PLAYBACK, LEAFLET, tmp_path / "map"), "utf-8")
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
    page = await context.new_page()
    complaints: list[str] = []
    requests: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on("request", lambda request: requests.append(request.url))
    await page.goto(path.as_uri())
    yield page
    await context.close()
    assert not complaints
    beside = (path.as_uri(), (tmp_path / "v" / "a.mp4").as_uri())
    assert [url for url in requests if not url.startswith(("data:", *beside))] == []


async def test_everything_is_said_as_text_and_nothing_is_fetched(opened: Page) -> None:
    await expect(opened.locator("h1")).to_have_text(PLAYBACK.title)
    panel = opened.locator("aside")
    for words in ("周敏 016", "无信号", "0:05:05", "平台停机", "a.mp4", "一中队", "speed_max_mps", "UTC+08:00", "王芳"):
        await expect(panel).to_contain_text(words)
    await expect(panel.locator("a")).to_have_attribute("href", "v/a.mp4")
    await expect(opened.locator(".leaflet-container canvas")).to_be_visible()
    await expect(opened.locator(".leaflet-tooltip.gap").first).to_have_text("无信号 0:05:05 / 平台停机 0:11:40")


async def test_the_clock_runs_in_true_time_and_can_be_dragged(opened: Page) -> None:
    clock = opened.locator("#clock")
    await expect(clock).to_have_text("2026-03-01 16:00:00")
    await opened.locator(f'[data-at="{ms(300)}"]').first.click()
    await expect(clock).to_have_text("2026-03-01 16:05:00")
    await opened.locator("#speed").select_option("64")
    await opened.locator("#play").click()
    await expect(opened.locator("#play")).to_have_text("暂停")
    await expect(clock).not_to_have_text("2026-03-01 16:05:00")
    await opened.locator("#play").click()
    stood = await clock.text_content()
    assert stood is not None
    assert "2026-03-01 16:05:00" < stood < "2026-03-01 16:30:00"
    await opened.locator("#scrub").press("End")
    await expect(clock).to_have_text("2026-03-01 16:33:15")
    await opened.locator("#speed").select_option("-16")
    await opened.locator("#play").click()
    await expect(clock).not_to_have_text("2026-03-01 16:33:15")


async def test_who_is_in_a_gap_is_not_shown_as_walking(opened: Page) -> None:
    await opened.locator(f'[data-at="{ms(800)}"]').first.click()
    await expect(opened.locator(".leaflet-tooltip", has_text="· 平台停机")).to_have_count(1)
    await expect(opened.locator(".leaflet-tooltip", has_text="李强 017")).to_have_text("李强 017")


async def test_a_stretch_of_a_recording_without_a_picture_is_said(opened: Page) -> None:
    film = opened.locator("#footage figure")
    await opened.locator(f'[data-at="{ms(300)}"]').first.click()
    await expect(film).to_contain_text("无画面 5 s")
    await expect(film).to_have_class("blank")
    await opened.locator(f'[data-at="{ms(495)}"]').first.click()
    await expect(film).to_contain_text("周敏")
    await expect(film).not_to_contain_text("无画面")


async def test_a_page_of_nothing_has_no_controls(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(to_page(Playback(title="无数据", walked=(), language="en"), LEAFLET), "utf-8")
    context = await browser.new_context(offline=True)
    page = await context.new_page()
    await page.goto(path.as_uri())
    await expect(page.locator("h1")).to_have_text("无数据")
    await expect(page.locator("#controls")).to_be_hidden()
    await context.close()
