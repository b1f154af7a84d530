"""The page of reports: choosing, reading, following a number to its proof, and taking the sheet away."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, expect

from tests.console.bureau import SQUAD, Bureau
from tests.console.review_scene import BEGIN, Past, marks, officer, walks
from tests.integration.ingest_rig import eventually

pytestmark = [pytest.mark.console, pytest.mark.integration]

DATE = f"{BEGIN:%Y-%m-%d}"
WEEK = f"{BEGIN:%G-W%V}"
SLOW_MS = 30_000


async def patrolled(bureau: Bureau, name: str) -> Past:
    """An officer who walked for half an hour that afternoon and marked something."""
    who = await officer(bureau, name)
    await walks(bureau, who, 0, 30)
    await marks(bureau, who, 10)
    return who


def address(who: Past) -> str:
    return f"/reports?kind=officer-day&officer={who.id}&date={DATE}"


async def test_an_officers_day_is_chosen_read_and_checked_in_the_playback(page: Page, bureau: Bureau) -> None:
    who = await patrolled(bureau, "周敏")
    await bureau.sign_in(page, await bureau.account("supervisor"))
    await page.get_by_role("link", name="报表", exact=True).click()
    await expect(page.get_by_text("还没有选择")).to_be_visible()
    field = page.get_by_label("编号、姓名、拼音")
    await field.fill(who.number)
    await field.press("Enter")
    await page.get_by_label("日期").fill(DATE)
    sheet = page.get_by_role("article", name="队员日报")
    await expect(sheet).to_contain_text(f"周敏 {who.number}", timeout=SLOW_MS)
    await expect(page).to_have_url(re.compile(rf"/reports\?kind=officer-day&officer={who.id}&date={DATE}"))
    await expect(sheet.locator("[data-key=on_air]").first).to_have_text("0:30")
    await expect(sheet.get_by_role("img", name="巡查覆盖图")).to_be_visible()
    assert await sheet.get_by_role("img").evaluate("picture => picture.complete && picture.naturalWidth > 0")
    await sheet.locator("dd[data-key=marks] a").click()
    await expect(page).to_have_url(re.compile(rf"/review\?s=o{who.id}&"))
    await expect(page.get_by_role("link", name="当日报表")).to_have_attribute(
        "href", re.compile(f"officer={who.id}&date={DATE}")
    )


async def test_a_sheet_is_taken_away_under_a_chinese_name(page: Page, bureau: Bureau) -> None:
    who = await patrolled(bureau, "李倩")
    await bureau.sign_in(page, await bureau.account("supervisor"), address(who))
    for form in ("PDF", "XLSX", "HTML"):
        async with page.expect_download(timeout=SLOW_MS) as waited:
            await page.get_by_role("link", name=form, exact=True).click()
        download = await waited.value
        assert download.suggested_filename == f"队员日报-李倩 {who.number} · {SQUAD}-{DATE}.{form.lower()}"


async def test_a_squads_week_adds_its_officers_up(page: Page, bureau: Bureau) -> None:
    who = await patrolled(bureau, "赵婷")
    await bureau.sign_in(page, await bureau.account("supervisor"), address(who))
    await page.get_by_role("button", name="中队周报").click()
    [squad] = await bureau.rig.rows("select id::text from unit where name = %s", SQUAD)
    await page.get_by_label("单位").select_option(squad["id"])
    await page.get_by_label("周", exact=True).fill(WEEK)
    sheet = page.get_by_role("article", name="中队周报")
    row = sheet.locator("[data-table=officers_work] tbody tr", has_text=who.number)
    await expect(row.locator("[data-key=marks]")).to_have_text("1", timeout=SLOW_MS)
    await page.get_by_label("班次开始").fill("22:00")
    await page.get_by_label("班次结束").fill("06:00")
    await expect(row.locator("[data-key=marks]")).to_have_text("0", timeout=SLOW_MS)
    await expect(page).to_have_url(re.compile("shift=22:00-06:00"))


@asynccontextmanager
async def held(bureau: Bureau) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
    """The shapes of tracks are locked, and every sheet waits; tells whether any sheet still does."""
    connection = bureau.rig.connection

    async def idle() -> bool:
        await connection.execute("select pg_stat_clear_snapshot()")
        waiting = "select pid from pg_stat_activity where wait_event_type = 'Lock' and usename = 'xunlu_api'"
        return not await bureau.rig.rows(waiting)

    async with connection.transaction():
        await connection.execute("lock table track_piece in access exclusive mode")
        yield idle


async def test_a_sheet_that_takes_long_says_how_far_it_is_until_it_is_cancelled(page: Page, bureau: Bureau) -> None:
    who = await patrolled(bureau, "吴静")
    account = await bureau.account("supervisor")
    async with held(bureau) as idle:
        await bureau.sign_in(page, account, address(who))
        await expect(page.get_by_role("progressbar", name="正在制表")).to_be_visible(timeout=SLOW_MS)
        await expect(page.get_by_text("已读取 0 / 1 人日")).to_be_visible()
        await page.get_by_role("button", name="取消").press("Enter")
        await expect(page.get_by_text("已取消制表")).to_be_visible()
        await eventually(idle)
    await page.get_by_role("button", name="再试一次").press("Enter")
    await expect(page.get_by_role("article")).to_contain_text(who.number, timeout=SLOW_MS)


async def test_who_leaves_a_sheet_or_a_file_ends_the_work_on_the_server(page: Page, bureau: Bureau) -> None:
    who = await patrolled(bureau, "郑强")
    await bureau.sign_in(page, await bureau.account("supervisor"), address(who))
    await expect(page.get_by_role("article")).to_contain_text(who.number, timeout=SLOW_MS)
    bars = page.get_by_role("progressbar", name="正在制表")
    async with held(bureau) as idle:
        await page.get_by_role("link", name="PDF", exact=True).click()
        await expect(bars).to_be_visible(timeout=SLOW_MS)
        # The sheet stays while the file is made.
        await expect(page.get_by_role("article")).to_contain_text(who.number)
        await page.get_by_label("班次开始").fill("22:00")
        await page.get_by_label("班次结束").fill("06:00")
        await expect(page).to_have_url(re.compile("shift=22:00-06:00"))
        await expect(page.locator(".exports").get_by_role("progressbar")).to_have_count(0)
        await expect(bars).to_be_visible(timeout=SLOW_MS)
        await page.get_by_role("link", name="区域", exact=True).click()
        await expect(bars).to_have_count(0)
        await eventually(idle)


async def test_a_day_to_come_is_refused_in_the_words_of_the_desk(page: Page, bureau: Bureau) -> None:
    who = await officer(bureau, "<b>陈")
    await bureau.sign_in(page, await bureau.account("supervisor"), f"/reports?officer={who.id}&date=2150-01-01")
    await expect(page.get_by_role("alert")).to_contain_text("2150-01-01 尚未开始", timeout=SLOW_MS)
    await page.goto(f"{bureau.api.url}{address(who)}")
    await expect(page.get_by_role("article")).to_contain_text(f"<b>陈 {who.number}", timeout=SLOW_MS)


async def test_an_officer_reads_their_own_days_only(page: Page, bureau: Bureau) -> None:
    mine, others = await patrolled(bureau, "孙丽"), await officer(bureau, "钱亮")
    await bureau.sign_in(page, await bureau.account("officer", number=mine.number), address(others))
    await expect(page.get_by_role("alert")).to_be_visible(timeout=SLOW_MS)
    await expect(page.get_by_role("button", name="中队周报")).to_have_count(0)
    await page.goto(f"{bureau.api.url}{address(mine)}")
    await expect(page.locator("dd[data-key=recordings]")).to_have_text("—", timeout=SLOW_MS)
