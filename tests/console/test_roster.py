"""The roster of a squad: made by keyboard, copied, imported after a look, and read by those who make none."""

import secrets
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests.console.bureau import SQUAD, Bureau

pytestmark = [pytest.mark.console, pytest.mark.integration]

# Weeks that no other test looks at.
FIRST, SECOND, THIRD = "2031-W10", "2031-W11", "2031-W12"
MONDAY = "2031-03-03"
CIRCLE = """{"type": "Feature", "properties": {"radius_m": 50},
  "geometry": {"type": "Point", "coordinates": [121.4, 31.2]}}"""


async def week(page: Page, bureau: Bureau, role: str, which: str) -> None:
    [squad] = await bureau.rig.rows("select id from unit where name = %s", SQUAD)
    await bureau.sign_in(page, await bureau.account(role), f"/manage/roster?unit={squad['id']}&week={which}")


def row(page: Page, number: str) -> Locator:
    return page.get_by_role("grid", name="排班").get_by_role("row").filter(has_text=number)


async def fills(page: Page, begins: str, ends: str) -> None:
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("开始").fill(begins)
    await dialog.get_by_label("结束").fill(ends)
    await dialog.get_by_role("button", name="保存").click()
    await expect(dialog).to_have_count(0)


async def test_a_week_is_made_by_keyboard_and_copied_to_the_next(page: Page, bureau: Bureau) -> None:
    number = await bureau.officer("周敏")
    await week(page, bureau, "clerk", FIRST)
    cells = row(page, number).get_by_role("gridcell")
    await cells.nth(0).focus()
    await page.keyboard.press("ArrowRight")
    await expect(cells.nth(1)).to_be_focused()
    await page.keyboard.press("Enter")
    await fills(page, "22:00", "06:00")
    await expect(cells.nth(1)).to_contain_text("22:00–06:00")
    await expect(cells.nth(7)).to_have_text("8")
    # The keyboard is where it was.
    await expect(cells.nth(1)).to_be_focused()
    await page.keyboard.press("n")
    await fills(page, "08:00", "12:00")
    await expect(cells.nth(1).get_by_role("button")).to_have_count(2)
    # Over another one: the dialog stays and says why.
    await cells.nth(2).focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("开始").fill("05:00")
    await dialog.get_by_label("结束").fill("09:00")
    await dialog.get_by_role("button", name="保存").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("那时已有班次")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="下一周").click()
    await expect(page.get_by_text(SECOND)).to_be_visible()
    await expect(cells.nth(1).get_by_role("button")).to_have_count(0)
    await page.get_by_role("button", name="复制上周").click()
    await expect(cells.nth(1).get_by_role("button")).to_have_count(2)
    await cells.nth(1).focus()
    await page.keyboard.press("Delete")
    await page.get_by_role("dialog").get_by_role("button", name="删除班次").click()
    await expect(cells.nth(1).get_by_role("button")).to_have_count(0)


async def test_a_file_is_looked_at_before_it_is_imported(page: Page, bureau: Bureau, tmp_path: Path) -> None:
    number = await bureau.officer("吴静")
    await week(page, bureau, "supervisor", FIRST)
    await page.get_by_role("button", name="导入排班").click()
    file = tmp_path / "roster.csv"
    good = f"编号,姓名,日期,班次,岗位\n{number},吴静,{MONDAY},22:00-06:00,\n"
    file.write_text(f"{good}NOBODY,,{MONDAY},8点,\n", "gb18030")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("文件").set_input_files(file)
    await expect(dialog.get_by_role("alert").or_(dialog.locator(".notice"))).to_contain_text("1 行有误")
    await expect(dialog.get_by_role("row").filter(has_text="班次请写作")).to_contain_text("3")
    await expect(dialog.get_by_role("button", name="导入 1 个班次")).to_have_count(0)
    file.write_text(good, "utf-8-sig")
    await dialog.get_by_label("文件").set_input_files([])
    await dialog.get_by_label("文件").set_input_files(file)
    await dialog.get_by_role("button", name="导入 1 个班次").click()
    # The file is in the time of the bureau, the page in that of the desk.
    await expect(row(page, number).get_by_role("button")).to_have_count(1)


async def test_a_dispatcher_reads_the_roster_and_changes_nothing(page: Page, bureau: Bureau) -> None:
    number = await bureau.officer("郑洋")
    await bureau.rig.connection.execute(
        "insert into shift (officer_id, begins_at, ends_at) select id, %s, %s from officer where number = %s",
        [f"{MONDAY}T01:00Z", f"{MONDAY}T02:00Z", number],
    )
    await week(page, bureau, "dispatcher", FIRST)
    await expect(row(page, number)).to_contain_text(":00–")
    await expect(page.get_by_label("单位").locator("option:checked")).to_contain_text(SQUAD)
    await expect(page.get_by_role("grid").get_by_role("button")).to_have_count(0)
    await expect(page.get_by_role("button", name="导入排班")).to_have_count(0)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    # The first one of the list, too: the choice shows the unit whose roster it is.
    [district] = await bureau.rig.rows("select id from unit where parent_id is null")
    await page.goto(f"{bureau.api.url}/manage/roster?unit={district['id']}&week={FIRST}")
    await expect(row(page, number)).to_contain_text(":00–")
    await expect(page.get_by_label("单位", exact=True)).to_have_value(str(district["id"]))


async def test_a_week_without_a_roster_says_what_to_do(page: Page, bureau: Bureau) -> None:
    await bureau.officer(f"空{secrets.token_hex(2)}")
    await week(page, bureau, "clerk", THIRD)
    await expect(page.get_by_text("本周还没有排班")).to_be_visible()
    await page.get_by_role("button", name="上一周").click()
    await expect(page.get_by_text(SECOND)).to_be_visible()


async def test_who_is_on_a_shift_now_is_told_in_the_list_of_officers(page: Page, bureau: Bureau) -> None:
    number = await bureau.officer("孙勇")
    ends = datetime.now().astimezone() + timedelta(hours=2)
    await bureau.rig.connection.execute(
        "insert into shift (officer_id, begins_at, ends_at)"
        " select id, %s::timestamptz - interval '3 h', %s from officer where number = %s",
        [ends, ends, number],
    )
    await bureau.sign_in(page, await bureau.account("clerk"), "/manage/officers")
    await page.get_by_role("searchbox", name="编号").fill(number)
    await expect(page.get_by_role("row").filter(has_text=number)).to_contain_text("至 ")


async def test_presence_goes_by_the_roster_and_names_who_has_none(page: Page, bureau: Bureau) -> None:
    name = f"岗{secrets.token_hex(3)}"
    due, free = await bureau.officer("何丽"), await bureau.officer("高翔")
    [zone] = await bureau.rig.rows(
        "insert into zone (unit_id, kind, name) select id, 'post', %s from unit where name = %s returning id",
        name,
        SQUAD,
    )
    await bureau.rig.connection.execute(
        "insert into zone_audience (zone_id, officer_id) select %s, id from officer where number = any(%s)",
        [zone["id"], [due, free]],
    )
    await bureau.rig.connection.execute(
        "insert into zone_version (zone_id, shape, valid_from) values (%s, %s, now() - interval '2 days')",
        [zone["id"], CIRCLE],
    )
    await bureau.sign_in(page, await bureau.account("dispatcher"), f"/zones?zone={zone['id']}")
    presence = page.locator(".presence")
    await page.get_by_role("button", name="显示").click()
    await expect(presence).to_contain_text("这天没有人排班")
    await bureau.rig.connection.execute(
        "insert into shift (officer_id, begins_at, ends_at, zone_id)"
        " select id, now() - interval '1 h', now() + interval '1 h', %s from officer where number = %s",
        [zone["id"], due],
    )
    await page.get_by_role("button", name="显示").click()
    await expect(presence).to_contain_text("1 人这天没有排班：高翔")
    await expect(presence.get_by_role("row").filter(has_text=due)).to_contain_text(name)
