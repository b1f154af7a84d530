"""The command view: officers on map and in the table, search, keys, SOS, commands."""

import pytest
from playwright.async_api import Locator, Page, expect

from tests.console.bureau import SQUAD, Bureau, Worn
from tests.console.dead_spot import dead_spot
from tests.integration.desk_rig import press_marks
from tests.integration.ingest_rig import eventually, now_s
from xunlu_protocol.command import UNSUPPORTED, Reply

pytestmark = [pytest.mark.console, pytest.mark.integration]

LEFT_PX, RIGHT_PX, BAR_PX = 300, 388, 44


def row_of(page: Page, worn: Worn) -> Locator:
    return page.get_by_role("row", name=worn.number)


def drawer(page: Page) -> Locator:
    return page.get_by_role("complementary", name="详情")


async def test_an_officer_who_reports_stands_in_the_table_and_on_the_map(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("周敏")
    await bureau.sign_in(page, await bureau.account("dispatcher"))
    await bureau.stands(worn, 31.2281, 121.4771)
    await expect(row_of(page, worn)).to_contain_text("在岗")
    await row_of(page, worn).click()
    await expect(drawer(page)).to_contain_text("9 / 15 星")
    await page.keyboard.press("Escape")
    await expect(drawer(page)).to_be_hidden()
    stage = await page.locator(".stage").bounding_box()
    assert stage is not None
    middle = (LEFT_PX + (stage["width"] - LEFT_PX - RIGHT_PX) / 2, BAR_PX + stage["height"] / 2)
    await expect(page.locator(".leaflet-zoom-anim")).to_have_count(0)
    await page.mouse.move(*middle)
    await expect(page.locator(".tip:visible")).to_contain_text("周敏")
    await page.mouse.click(*middle)
    await expect(drawer(page)).to_contain_text(worn.number)
    assert page.url.endswith(f"/?device={worn.did}")
    await page.go_back()
    await expect(drawer(page)).to_be_hidden()


async def test_a_position_that_is_not_the_present_says_its_age(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("朱琳")
    await bureau.stands(worn, 31.2281, 121.4771, age_s=400)
    await bureau.sign_in(page, await bureau.account("dispatcher"))
    await expect(row_of(page, worn)).to_contain_text("位置过时")
    await expect(row_of(page, worn)).to_contain_text("6 分")


async def test_a_device_has_an_address_of_its_own(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("陈志远")
    await bureau.sign_in(page, await bureau.account("dispatcher"), f"/?device={worn.did}")
    await expect(drawer(page)).to_contain_text("陈志远")
    await expect(drawer(page)).to_contain_text("没有定位")


@pytest.mark.parametrize("typed", ["欧阳倩", "ouyangqian", "oyq", "number"])
async def test_search_finds_by_name_pinyin_and_number(page: Page, bureau: Bureau, typed: str) -> None:
    worn = await bureau.worn("欧阳倩")
    await bureau.sign_in(page, await bureau.account("dispatcher"))
    await expect(row_of(page, worn)).to_be_visible()
    await page.keyboard.press("/")
    await page.keyboard.type(worn.number if typed == "number" else typed)
    await expect(page.get_by_role("option").first).to_contain_text("欧阳倩")
    await page.get_by_role("option", name=worn.number).click()
    await expect(drawer(page)).to_contain_text(worn.number)


async def test_search_finds_places_of_the_map(page: Page, bureau: Bureau) -> None:
    await bureau.sign_in(page, await bureau.account("dispatcher"))
    await page.keyboard.press("/")
    await page.keyboard.type("人民广场")
    await expect(page.get_by_role("option").first).to_contain_text("人民广场")


async def test_a_unit_limits_the_table(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("何雪")
    await bureau.sign_in(page, await bureau.account("dispatcher"))
    await page.get_by_role("treeitem", name=SQUAD).click()
    await expect(page.locator(".table-title")).to_contain_text(SQUAD)
    await expect(row_of(page, worn)).to_be_visible()
    await page.get_by_role("button", name="取消单位筛选").click()
    await expect(page.locator(".table-title")).to_contain_text("全部队员")


async def test_the_table_is_walked_by_keys(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("林峰")
    await bureau.sign_in(page, await bureau.account("dispatcher"))
    await row_of(page, worn).focus()
    await page.keyboard.press("End")
    await page.keyboard.press("Home")
    await page.keyboard.press("Enter")
    await expect(drawer(page)).to_be_visible()
    await expect(page.locator(".officer").first).to_have_attribute("aria-selected", "true")


async def test_keys_are_listed_and_work(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("高翔")
    await bureau.stands(worn, 31.2290, 121.4790)
    await bureau.sign_in(page, await bureau.account("dispatcher"))
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="快捷键")).to_contain_text("跟随所选队员")
    await page.keyboard.press("Escape")
    await page.keyboard.press("t")
    await expect(page.get_by_role("button", name="尾迹")).to_have_attribute("aria-pressed", "true")
    await row_of(page, worn).click()
    await page.keyboard.press("f")
    await expect(page.get_by_role("button", name="跟随")).to_have_attribute("aria-pressed", "true")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="跟随")).to_have_attribute("aria-pressed", "false")
    await page.keyboard.press("n")
    await expect(drawer(page)).to_contain_text("离 高翔")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("sb")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="设备", exact=True)).to_be_visible()


async def test_an_sos_is_seen_acknowledged_and_closed_with_a_note(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("李倩")
    await bureau.stands(worn, 31.2275, 121.4760)
    await bureau.sign_in(page, await bureau.account("dispatcher"))
    await expect(row_of(page, worn)).to_be_visible()
    await bureau.presses_sos(worn)
    strip = page.get_by_role("region", name="告警")
    await expect(strip).to_contain_text("李倩")
    await expect(strip).to_contain_text("未确认")
    await expect(page.locator(".officer").first).to_contain_text("SOS")
    await page.keyboard.press("a")
    await expect(strip).to_contain_text("确认")
    await expect(strip.get_by_role("button", name="确认", exact=False)).to_have_count(0)
    await strip.get_by_role("button", name="误报").click()
    await page.get_by_label("处置说明").fill("误触")
    await page.get_by_role("dialog").get_by_role("button", name="误报").click()
    await expect(strip).to_be_hidden()
    [row] = await bureau.rig.rows(
        "select a.state, a.note from alarm a join device d on d.id = a.device_id where did = %s", worn.did
    )
    assert row == {"state": "false", "note": "误触"}


async def test_a_command_that_the_recorder_refuses_is_shown_as_refused(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("徐静")
    await bureau.sign_in(page, await bureau.account("dispatcher"), f"/?device={worn.did}")
    await page.get_by_role("button", name="拍照").click()
    log = page.locator(".command-log")
    await expect(log).to_contain_text("已排队")
    rid = await bureau.command(worn, "photo")
    await bureau.answers(worn, rid, Reply(st="rejected", code=UNSUPPORTED, why="no camera", tst=now_s()))
    await expect(log).to_contain_text("被拒绝 · 不支持")


@pytest.mark.parametrize("meanwhile", [0, 1001], ids=["told-again", "read-again"])
async def test_what_became_of_a_command_while_the_desk_was_cut_off_is_shown(
    page: Page, bureau: Bureau, meanwhile: int
) -> None:
    worn = await bureau.worn("徐静")
    line = await dead_spot(page, "/api/v1/events/stream")
    await bureau.sign_in(page, await bureau.account("dispatcher"), f"/?device={worn.did}")
    await page.get_by_role("button", name="拍照").click()
    log = page.locator(".command-log")
    await expect(log).to_contain_text("已排队")
    rid = await bureau.command(worn, "photo")
    await line.cut()
    await bureau.answers(worn, rid, Reply(st="rejected", code=UNSUPPORTED, why="no camera", tst=now_s()))
    await eventually(lambda: bureau.rig.rows("select rid from command where rid = %s and state = 'rejected'", rid))
    if meanwhile:
        await press_marks(bureau.rig, worn.did, meanwhile)
    line.end()
    await expect(log).to_contain_text("被拒绝 · 不支持", timeout=30_000)


async def test_a_track_is_drawn_and_told_in_figures(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("孙浩")
    for seq in range(1, 6):
        await bureau.stands(worn, 31.2281 + seq * 1e-5, 121.4771, seq)
    await eventually(lambda: bureau.rig.positions(worn.did))
    await bureau.sign_in(page, await bureau.account("dispatcher"), f"/?device={worn.did}")
    await page.get_by_role("button", name="显示轨迹").click()
    await expect(page.locator(".track-result")).to_contain_text("处断点")
    async with page.expect_download() as download:
        await page.get_by_role("link", name="GPX").click()
    assert (await download.value).suggested_filename.endswith(".gpx")


async def test_an_officer_sees_the_own_recorder_and_nothing_else(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("吴杰")
    other = await bureau.worn("胡斌")
    await bureau.stands(worn, 31.2281, 121.4771)
    await bureau.sign_in(page, await bureau.account("officer", number=worn.number))
    await expect(row_of(page, worn)).to_be_visible()
    await expect(row_of(page, other)).to_have_count(0)
    await expect(page.get_by_text("每 15 秒刷新一次")).to_be_visible()
