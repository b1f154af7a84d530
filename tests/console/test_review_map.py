"""What the map of a look back shows: ways as fine as it can, every fix for a close look, who is in need."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.console.bureau import Bureau
from tests.console.review_scene import CENTRE, calls_for_help, leaps, officer, walks
from tests.console.test_review import face, looks_back

pytestmark = [pytest.mark.console, pytest.mark.integration]

STILL = "() => document.querySelector('.review-still').toDataURL()"
# Pixels of the sign of an SOS among those who move.
SOS = """
() => {
  const pixels = (sheet) => sheet.getContext("2d").getImageData(0, 0, sheet.width, sheet.height).data;
  const one = document.createElement("canvas");
  one.getContext("2d").fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--sos");
  one.getContext("2d").fillRect(0, 0, 1, 1);
  const [r, g, b] = pixels(one);
  const seen = pixels(document.querySelector(".review-movers"));
  let count = 0;
  for (let i = 0; i < seen.length; i += 4) count += seen[i] === r && seen[i + 1] === g && seen[i + 2] === b;
  return count;
}
"""
DRAWN = """
() => {
  const { width, height } = document.querySelector(".review-still");
  const context = document.querySelector(".review-still").getContext("2d");
  return width > 0 && context.getImageData(0, 0, width, height).data.some(Boolean);
}
"""


async def test_an_sos_that_nobody_closed_stands_on_the_map_until_the_end(page: Page, bureau: Bureau) -> None:
    one = await officer(bureau, "周敏")
    await walks(bureau, one, 0, 50)
    await calls_for_help(bureau, one, 31, lasting=None)
    await looks_back(page, bureau, one, t=30)
    await expect(page.locator(".key-moments")).to_contain_text("一键报警")
    await page.wait_for_function(DRAWN)
    assert await page.evaluate(SOS) == 0
    await page.keyboard.press("n")
    await page.wait_for_function(f"() => ({SOS})() > 50")
    await page.keyboard.press("End")
    await expect(face(page)).to_have_text("06:40:00")
    await page.wait_for_function(f"() => ({SOS})() > 50")


async def test_an_sos_from_before_stands_on_the_map_from_the_beginning(page: Page, bureau: Bureau) -> None:
    one = await officer(bureau, "周敏")
    await walks(bureau, one, 0, 50)
    await calls_for_help(bureau, one, -15, lasting=25)
    await looks_back(page, bureau, one, t=5)
    await expect(page.locator(".key-moments")).to_contain_text("11-22 05:35:00")
    await page.wait_for_function(f"() => ({SOS})() > 50")
    await page.keyboard.press("End")
    await page.wait_for_function(f"() => ({SOS})() === 0")


async def test_a_finer_shape_is_asked_for_once_when_the_map_comes_closer(page: Page, bureau: Bureau) -> None:
    one = await officer(bureau, "周敏")
    await walks(bureau, one, 0, 20)
    asked: list[str] = []
    page.on("request", lambda request: asked.extend(re.findall(r"/review/tracks\?.*tolerance_m=(\d+)", request.url)))
    await looks_back(page, bureau, one, more=f"&z={CENTRE[1]},{CENTRE[0]},10")
    # Now that there is a map, it says how much it can show.
    await page.get_by_role("button", name="重新读取").click()
    await expect(page.locator(".subject", has_text=one.number)).to_be_visible()
    closer = page.get_by_role("button", name="放大")
    for zoom in (11, 12, 13):
        await closer.click()
        await page.wait_for_url(re.compile(rf"z=[\d.,]+,{zoom}&"))
    await page.get_by_role("button", name="缩小").click()
    await page.wait_for_url(re.compile(r"z=[\d.,]+,12&"))
    assert asked == ["5", "80", "20", "5"]


async def test_raw_shows_what_was_rejected(page: Page, bureau: Bureau) -> None:
    one = await officer(bureau, "周敏")
    await walks(bureau, one, 0, 20)
    await leaps(bureau, one, 10)
    await looks_back(page, bureau, one, t=10)
    async with page.expect_response(lambda answer: "raw=true" in answer.url) as told:
        await page.keyboard.press("r")
    pieces = (await (await told.value).json())["subjects"][0]["pieces"]
    assert "spike" in {flag for piece in pieces for flag in piece["flags"]}
    raw = await page.evaluate(STILL)
    await page.keyboard.press("r")
    await expect(page.get_by_role("button", name="原始 / 清洗")).to_have_attribute("aria-pressed", "false")
    await page.wait_for_function(f"before => ({STILL})() !== before", arg=raw)


async def test_raw_comes_back_as_often_as_it_is_asked_for(page: Page, bureau: Bureau) -> None:
    one = await officer(bureau, "周敏")
    await walks(bureau, one, 0, 20)
    await leaps(bureau, one, 10)
    await looks_back(page, bureau, one, t=10)
    await page.wait_for_function(DRAWN)
    clean = await page.evaluate(STILL)
    await page.keyboard.press("r")
    await page.wait_for_function(f"before => ({STILL})() !== before", arg=clean)
    await page.keyboard.press("r")
    await page.wait_for_function(f"before => ({STILL})() === before", arg=clean)
    await page.keyboard.press("r")
    await page.wait_for_function(f"before => ({STILL})() !== before", arg=clean)


async def test_a_step_goes_from_fix_to_fix_however_often_and_fast_it_is_pressed(page: Page, bureau: Bureau) -> None:
    one = await officer(bureau, "周敏")
    await walks(bureau, one, 0, 20)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "raw=true" in request.url else None)
    await looks_back(page, bureau, one, t=9)
    await expect(face(page)).to_have_text("05:59:00")
    await page.keyboard.press(".")
    await expect(face(page)).to_have_text("05:59:05")
    # The address is written once the clock has come to rest.
    await page.wait_for_url(re.compile("t=2026-11-22T05:59:05"))
    await page.keyboard.press(".")
    await expect(face(page)).to_have_text("05:59:10")
    for _ in range(8):
        await page.keyboard.press(".")
    await expect(face(page)).to_have_text("05:59:50")
    # Over the edge of the half hour, and back.
    for _ in range(4):
        await page.keyboard.press(".")
    await expect(face(page)).to_have_text("06:00:10")
    for _ in range(4):
        await page.keyboard.press(",")
    await expect(face(page)).to_have_text("05:59:50")
    assert len(asked) == 2
