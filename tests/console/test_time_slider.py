"""The live map's own slider: the whole console goes back in time, and says so."""

import asyncio
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Locator, Page, Route, expect

from tests.console.bureau import Bureau, Worn
from tests.console.review_scene import BEGIN, CENTRE, END, Past, afternoon, calls_for_help, guards, officer, walks

pytestmark = [pytest.mark.console, pytest.mark.integration]

# 05:50 UTC is the beginning of the afternoon.
FLEET = "**/api/v1/fleet/at?*"
MINUTE_10 = "/?at=2026-11-22T06:00:00Z"
PLACE = """
async (did) => {
  const main = document.querySelector('script[type="module"]').src;
  const { fleet } = await import(new URL("state/fleet.js", main));
  const device = fleet.devices.get(did);
  return device && [device.lat, device.lon, device.tms];
}
"""
# Two snapshots a minute apart, and what is known half way between them.
BETWEEN = """
async ([before, after]) => {
  const main = document.querySelector('script[type="module"]').src;
  const { between } = await import(new URL("past/between.js", main));
  const snapshot = (at_ms, device) => ({ at_ms, devices: new Map([["d", device]]), alarms: device.alarms ?? [] });
  return between(snapshot(0, before), snapshot(60000, after), 30000);
}
"""


def banner(page: Page) -> Locator:
    return page.locator(".past-banner")


def row(page: Page, one: Past | Worn) -> Locator:
    return page.get_by_role("row", name=one.number)


async def looks(page: Page, bureau: Bureau, address: str = MINUTE_10, *people: Past) -> None:
    """A dispatcher opens the console as it was."""
    await bureau.sign_in(page, await bureau.account("dispatcher"), address)
    for one in people:
        await expect(row(page, one)).to_contain_text("在岗")


async def test_the_console_shows_how_it_was_and_says_so_until_it_goes_back_to_now(page: Page, bureau: Bureau) -> None:
    one, two, three = await afternoon(bureau)
    await looks(page, bureau, MINUTE_10, one, two, three)
    await expect(banner(page)).to_contain_text("2026-11-22 06:00:00")
    await expect(page.locator(".command")).to_have_class(re.compile(r"\bpast\b"))
    await expect(page.locator(".left .figures")).to_contain_text(re.compile(r"([3-9]|\d\d) 在岗"))
    await banner(page).get_by_role("button", name="回到现在").click()
    await expect(banner(page)).to_be_hidden()
    await expect(row(page, one).filter(has_text="在岗")).to_have_count(0)
    await expect(page).to_have_url(re.compile(r"/$"))


async def test_a_device_that_was_silent_then_stands_where_it_was_heard_last(page: Page, bureau: Bureau) -> None:
    *_, three = await afternoon(bureau)
    # In the drawer: a table of many shows those first who are there.
    drawer = page.get_by_role("complementary", name="详情")
    await looks(page, bureau, f"/?at=2026-11-22T06:06:00Z&device={three.did}")
    await expect(drawer).to_contain_text("位置过时")
    await expect(drawer).to_contain_text("2 分")
    before = await page.evaluate(PLACE, three.did)
    await page.get_by_role("button", name="前进一分钟").click()
    await expect(drawer).to_contain_text("3 分")
    assert await page.evaluate(PLACE, three.did) == before


async def test_play_goes_on_by_itself_and_everybody_walks(page: Page, bureau: Bureau) -> None:
    one, *_ = await afternoon(bureau)
    await looks(page, bureau, MINUTE_10, one)
    before = await page.evaluate(PLACE, one.did)
    await page.get_by_label("倍速").select_option("64")
    await page.locator(".past-slider input").press(" ")
    await expect(banner(page)).to_contain_text(re.compile("06:0[1-9]"))
    await page.locator(".past-slider input").press(" ")
    after = await page.evaluate(PLACE, one.did)
    assert after[2] > before[2] + 30_000
    assert after[:2] != before[:2]
    await expect(page).to_have_url(re.compile(r"at=2026-11-22T06(:|%3A)0[1-9]"))


async def test_the_slider_is_walked_by_keys_and_its_key_opens_and_closes_it(page: Page, bureau: Bureau) -> None:
    await bureau.worn("周敏")
    await bureau.sign_in(page, await bureau.account("dispatcher"))
    bar = page.get_by_role("region", name="时间机")
    await expect(page.get_by_role("row").first).to_be_visible()
    await page.keyboard.press("b")
    await expect(bar).to_be_visible()
    await expect(banner(page)).to_be_hidden()
    slider = page.get_by_role("slider", name="时刻")
    await expect(slider).to_be_focused()
    await expect(slider).to_have_attribute("aria-valuetext", "现在")
    await slider.press("PageDown")
    await expect(banner(page)).to_be_visible()
    await expect(slider).to_have_attribute("aria-valuetext", re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$"))
    await slider.press("End")
    await expect(banner(page)).to_be_hidden()
    await slider.press("ArrowLeft")
    await expect(banner(page)).to_be_visible()
    await slider.press("Escape")
    await expect(banner(page)).to_be_hidden()
    await expect(bar).to_be_hidden()


async def test_what_acts_on_the_present_is_off_and_says_why(page: Page, bureau: Bureau) -> None:
    one, *_ = await afternoon(bureau)
    await looks(page, bureau, f"{MINUTE_10}&device={one.did}", one)
    drawer = page.get_by_role("complementary", name="详情")
    await expect(drawer).to_contain_text("实时视频、对讲和指令已停用")
    for name in ("拍照", "实时视频", "个呼"):
        await expect(drawer.get_by_role("button", name=name)).to_have_count(0)
    await row(page, one).focus()
    await page.keyboard.press("v")
    await expect(page.locator(".toast")).to_contain_text("回到现在")
    await banner(page).get_by_role("button", name="回到现在").click()
    await expect(drawer).not_to_contain_text("对讲和指令")


async def test_alarms_of_then_are_listed_and_those_of_now_still_ring(page: Page, bureau: Bureau) -> None:
    then = await officer(bureau, "周敏")
    await walks(bureau, then, 0, 50)
    await calls_for_help(bureau, then, 9)
    now = await bureau.worn("李倩")
    await bureau.stands(now, 31.2275, 121.4760)
    await looks(page, bureau)
    await expect(row(page, then)).to_contain_text("SOS")
    await banner(page).get_by_role("button", name="当时告警 1").click()
    await expect(page.get_by_role("menuitem")).to_contain_text("周敏")
    await page.keyboard.press("Escape")
    await bureau.presses_sos(now)
    strip = page.get_by_role("region", name="告警")
    await expect(strip).to_contain_text("李倩")
    await expect(strip).to_contain_text("现在")
    await strip.get_by_role("button", name="李倩").click()
    await expect(banner(page)).to_be_hidden()
    await expect(row(page, now)).to_contain_text("SOS")


async def test_the_banner_says_the_moment_that_is_shown_while_another_is_on_its_way(page: Page, bureau: Bureau) -> None:
    one, *_ = await afternoon(bureau)
    await looks(page, bureau, MINUTE_10, one)
    come = asyncio.Event()

    async def linger(route: Route) -> None:
        await come.wait()
        await route.continue_()

    await page.route(FLEET, linger)
    await page.get_by_role("button", name="前进一分钟").click()
    await expect(page.locator(".past-words")).to_contain_text("正在")
    await expect(page.get_by_role("slider", name="时刻")).to_have_attribute("aria-valuetext", "2026-11-22 06:01:00")
    await expect(banner(page)).to_contain_text("2026-11-22 06:00:00")
    await expect(row(page, one)).to_be_visible()
    come.set()
    await expect(banner(page)).to_contain_text("2026-11-22 06:01:00")


async def test_a_moment_that_cannot_be_had_shows_nobody(page: Page, bureau: Bureau) -> None:
    one, *_ = await afternoon(bureau)
    await looks(page, bureau, MINUTE_10, one)
    await page.route(FLEET, lambda route: route.abort("connectionrefused"))
    await page.get_by_role("button", name="前进一分钟").click()
    words = page.locator(".past-words")
    await expect(words.get_by_role("button")).to_be_visible()
    await expect(banner(page)).to_contain_text("2026-11-22 06:01:00")
    await expect(row(page, one)).to_have_count(0)
    await page.unroute(FLEET)
    await words.get_by_role("button").click()
    await expect(row(page, one)).to_contain_text("在岗")


async def test_zones_are_those_of_the_moment_that_is_shown(page: Page, bureau: Bureau) -> None:
    await guards(bureau, "那时的岗", BEGIN - timedelta(days=2), END)
    await guards(bureau, "现在的岗", END, None)
    place = json.dumps({"lat": CENTRE[0], "lon": CENTRE[1], "zoom": 16})
    await page.add_init_script(f"localStorage.setItem('xunlu.place', {json.dumps(place)})")
    await looks(page, bureau)
    then, now = [page.get_by_role("button", name=name) for name in ("那时的岗", "现在的岗")]
    await expect(then).to_be_visible()
    await expect(now).to_have_count(0)
    await banner(page).get_by_role("button", name="回到现在").click()
    await expect(now).to_be_visible()
    await expect(then).to_have_count(0)


@pytest.mark.parametrize(
    ("tms", "far", "moves"), [(60_000, 0.0005, True), (61_000, 0.0005, False), (60_000, 0.5, False)]
)
async def test_nobody_moves_across_a_gap_or_a_leap(
    page: Page, bureau: Bureau, tms: int, far: float, *, moves: bool
) -> None:
    await bureau.sign_in(page, await bureau.account("dispatcher"))
    place: dict[str, Any] = {"did": "d", "lon": 121.47, "st_ms": None, "sos": None}
    then, after = {**place, "lat": 31.23, "tms": 0}, {**place, "lat": 31.23 + far, "tms": tms}
    parts = await page.evaluate(BETWEEN, [then, after])
    assert [round(part["lat"], 5) for part in parts] == ([31.23025] if moves else [])
