"""Who was here: a place on the map, a time, and everybody who was there."""

import asyncio
import csv
import io
import json
import math
import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.console.bureau import Bureau
from tests.console.review_scene import CENTRE, METRES_LAT, Past, address, films, officer, speaks, walks
from xunlu_platform.review.subjects import SUBJECTS_MAX

pytestmark = [pytest.mark.console, pytest.mark.integration]

# Where a walk is after a minute, in metres to the east of where it began.
MINUTE_M = 78
# Where no other test lets anybody walk on that day.
LONELY_M = -1500
METRES_LON = METRES_LAT * math.cos(math.radians(CENTRE[0]))


async def opens(page: Page, bureau: Bureau, *, east: float = 0, north: float = 0) -> None:
    """The map, its middle where somebody was a minute after they began so far to the east."""
    lat, lon = CENTRE[0] + north / METRES_LAT, CENTRE[1] + (east + MINUTE_M) / METRES_LON
    place = json.dumps({"lat": lat, "lon": lon, "zoom": 17})
    await page.add_init_script(f"localStorage.setItem('xunlu.place', {json.dumps(place)})")
    await bureau.sign_in(page, await bureau.account("supervisor"))
    await expect(page.get_by_role("button", name="谁来过")).to_be_visible()
    await expect(page.locator(".attribution")).to_be_visible()


async def middle(page: Page) -> tuple[float, float]:
    box = await page.locator(".map").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


async def asks(page: Page, since: str, until: str) -> Locator:
    """Fill the question in; returns the drawer."""
    dialog = page.get_by_role("dialog", name="谁来过")
    await dialog.get_by_label("从").fill(since)
    await dialog.get_by_label("到").fill(until)
    await dialog.get_by_role("button", name="查询").click()
    await expect(dialog).to_have_count(0)
    return page.get_by_role("complementary", name="详情")


async def walks_by(bureau: Bureau, name: str, *, east: float = 0) -> Past:
    """Somebody walks for five minutes."""
    one = await officer(bureau, name)
    await walks(bureau, one, 0, 5, east=east)
    return one


async def somebody(bureau: Bureau, *, east: float = 0) -> Past:
    one = await walks_by(bureau, "周敏", east=east)
    await films(bureau, one, 0, there=False)
    await speaks(bureau, one, 1)
    return one


async def test_a_click_on_the_map_finds_who_was_there_and_opens_the_replay_with_exactly_them(
    page: Page, bureau: Bureau
) -> None:
    one = await somebody(bureau, east=LONELY_M)
    await walks_by(bureau, "陈志远", east=LONELY_M + 900)
    await opens(page, bureau, east=LONELY_M)
    await page.keyboard.press("h")
    await page.mouse.click(*await middle(page))
    drawer = await asks(page, "2026-11-22T05:50:00", "2026-11-22T06:30:00")
    await expect(drawer).to_contain_text("来过 1 人")
    await expect(drawer).to_contain_text(one.number)
    await expect(drawer).to_contain_text(re.compile(r"05:50:[23]\d – 2026-11-22 05:51:[34]\d"))
    await expect(drawer).to_contain_text("在内")
    await expect(drawer).to_contain_text("录像 1")
    await expect(drawer).to_contain_text("讲话 1")
    await expect(page.locator("path.who-place")).to_be_visible()
    await drawer.get_by_role("link", name="在回放中打开").click()
    await expect(page).to_have_url(re.compile(rf"/review\?s={one.subject}&"))
    await expect(page.locator(".subject", has_text=one.number)).to_be_visible()


async def test_a_line_around_a_place_is_a_question_and_its_answer_a_table(page: Page, bureau: Bureau) -> None:
    one = await somebody(bureau, east=-LONELY_M)
    await opens(page, bureau, east=-LONELY_M)
    x, y = await middle(page)
    await page.get_by_role("button", name="谁来过").click()
    await page.mouse.move(x - 60, y - 60)
    await page.mouse.down()
    for dx, dy in ((60, -60), (60, 60), (-60, 60), (-60, -40)):
        await page.mouse.move(x + dx, y + dy, steps=4)
    await page.mouse.up()
    drawer = await asks(page, "2026-11-22T05:50:00", "2026-11-22T06:30:00")
    await expect(drawer).to_contain_text(one.number)
    async with page.expect_download() as download:
        await drawer.get_by_role("button", name="CSV").click()
    text = await asyncio.to_thread((await (await download.value).path()).read_text, "utf-8-sig")
    [row] = csv.DictReader(io.StringIO(text))
    assert (row["subject"], row["number"], row["confidence"]) == (one.subject, one.number, "inside")
    await page.keyboard.press("Escape")
    await expect(drawer).to_be_hidden()
    await expect(page.locator("path.who-place")).to_have_count(0)


async def test_a_question_that_is_refused_says_why_and_an_empty_answer_what_to_do(page: Page, bureau: Bureau) -> None:
    await opens(page, bureau)
    await page.keyboard.press("h")
    await page.mouse.click(*await middle(page))
    dialog = page.get_by_role("dialog", name="谁来过")
    await dialog.get_by_label("从").fill("2026-11-20T05:50:00")
    await dialog.get_by_label("到").fill("2026-11-22T05:50:00")
    await dialog.get_by_role("button", name="查询").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("一次最多查询 24 小时")
    drawer = await asks(page, "2026-11-22T01:00:00", "2026-11-22T02:00:00")
    await expect(drawer).to_contain_text("没有人来过")


async def test_the_search_leads_to_the_tool_from_any_view(page: Page, bureau: Bureau) -> None:
    await opens(page, bureau)
    await page.goto(f"{bureau.api.url}/review")
    await expect(page.locator(".top .search input")).to_be_visible()
    await page.keyboard.press("/")
    await page.keyboard.type("谁来过")
    await page.get_by_role("option", name="谁来过").click()
    await expect(page.get_by_role("button", name="谁来过")).to_have_attribute("aria-pressed", "true")


async def test_a_place_is_drawn_by_keys_alone(page: Page, bureau: Bureau) -> None:
    one = await somebody(bureau, east=LONELY_M / 1.5)
    await opens(page, bureau, east=LONELY_M / 1.5)
    await page.keyboard.press("h")
    await expect(page.locator(".map-hint")).to_contain_text("逐点画")
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="谁来过")
    await dialog.get_by_role("button", name="查询").press("Enter")
    await expect(dialog.get_by_role("alert")).to_contain_text("还没有画出地点")
    await dialog.get_by_role("button", name="圆").press("Enter")
    await dialog.get_by_role("button", name="在地图中心加点").press("Enter")
    await expect(dialog.locator(".sketch circle.corner")).to_have_count(1)
    drawer = await asks(page, "2026-11-22T05:50:00", "2026-11-22T06:30:00")
    await expect(drawer).to_contain_text("来过 1 人")
    await expect(drawer).to_contain_text(one.number)


async def test_of_a_crowd_the_buttons_say_how_many_they_take(page: Page, bureau: Bureau) -> None:
    # At a time that no other test asks about.
    people = [await officer(bureau, "周敏") for _ in range(SUBJECTS_MAX + 1)]
    for one in people:
        await walks(bureau, one, 44, 45)
    await opens(page, bureau, east=44 * 20, north=44 * 10)
    await page.keyboard.press("h")
    await page.mouse.click(*await middle(page))
    drawer = await asks(page, "2026-11-22T06:34:00", "2026-11-22T06:36:00")
    cut = re.compile(r"前 50 人，共 \d+ 人")
    await expect(drawer.get_by_role("button", name="案事件")).to_contain_text(cut)
    await expect(drawer.get_by_role("link", name="在回放中打开")).to_contain_text(cut)
    await page.goto(f"{bureau.api.url}{address(people[0], t=44.5)}")
    await expect(page.locator(".subject", has_text=people[0].number)).to_be_visible()
    await page.get_by_role("button", name="当时在场").click()
    await expect(page.locator(".toast", has_text=cut)).to_be_visible()
    await expect(page.locator(".subject")).to_have_count(SUBJECTS_MAX)
