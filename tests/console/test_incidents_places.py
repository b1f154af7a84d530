"""Where an incident was: drawn with it, shown on its page, changed, removed; and what cannot be one."""

import re
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.console.bureau import SQUAD, Account, Bureau
from tests.console.review_scene import Past, address, officer, walks
from tests.console.test_who import asks, middle, opens, walks_by

pytestmark = [pytest.mark.console, pytest.mark.integration]

# Where no other test lets anybody walk on that day.
ASIDE_M = 2200
# Whether the map of the page shows any shape: they alone are drawn there.
SHOWN = """
() => {
  const sheet = document.querySelector(".incident .leaflet-overlay-pane canvas");
  const data = sheet?.width ? sheet.getContext("2d").getImageData(0, 0, sheet.width, sheet.height).data : [];
  return data.some((value, i) => i % 4 === 3 && value > 0);
}
"""


async def walked(bureau: Bureau, name: str) -> Past:
    one = await officer(bureau, name)
    await walks(bureau, one, 0, 20)
    return one


async def begins(page: Page, bureau: Bureau, *people: Past, title: str) -> Locator:
    """A look back of some officers, and the form of an incident of it; returns the form."""
    await bureau.sign_in(page, await bureau.account("supervisor"), address(*people))
    await expect(page.locator(".subject", has_text=people[0].number)).to_be_visible()
    await page.get_by_role("button", name="建案事件").click()
    form = page.get_by_role("dialog", name="新建案事件")
    await form.get_by_label("名称").fill(title)
    await expect(form.locator(".attribution")).to_be_visible()
    return form


async def clicks(page: Page, form: Locator, *corners: tuple[int, int]) -> None:
    """Click at pixels beside the middle of the map of a form."""
    box = await form.locator(".map").bounding_box()
    assert box is not None
    for dx, dy in corners:
        await page.mouse.click(box["x"] + box["width"] / 2 + dx, box["y"] + box["height"] / 2 + dy)


async def place_of(bureau: Bureau, title: str) -> Any:
    [row] = await bureau.rig.rows("select place from incident where title = %s", title)
    return row["place"]


def card(page: Page) -> Locator:
    return page.get_by_role("region", name="地点")


async def test_a_place_is_drawn_shown_changed_and_removed_and_every_step_is_kept(page: Page, bureau: Bureau) -> None:
    one = await walked(bureau, "周敏")
    form = await begins(page, bureau, one, title=f"画圆 {one.number}")
    await form.get_by_role("button", name="圆形").click()
    await clicks(page, form, (0, 0))
    await expect(form.locator(".zone-check")).to_contain_text("面积")
    await form.get_by_role("button", name="新建", exact=True).click()
    await page.wait_for_function(SHOWN)
    assert (await place_of(bureau, f"画圆 {one.number}"))["properties"] == {"radius_m": 100}
    await card(page).get_by_role("button", name="改画地点").click()
    form = page.get_by_role("dialog", name="编辑")
    await expect(form.locator(".sketch .corner")).to_have_count(1)
    await form.get_by_label("半径（米）").fill("250")
    await form.get_by_role("button", name="保存").click()
    notes = page.get_by_role("region", name="备注").get_by_role("row", name="修改")
    await expect(notes).to_have_count(1)
    assert (await place_of(bureau, f"画圆 {one.number}"))["properties"] == {"radius_m": 250}
    await page.get_by_role("button", name="编辑").click()
    await form.get_by_label("名称").fill(f"仍在原处 {one.number}")
    await form.get_by_role("button", name="保存").click()
    await expect(notes).to_have_count(2)
    await expect(notes.last).not_to_contain_text("地点")
    await card(page).get_by_role("button", name="去掉地点").click()
    await expect(card(page)).to_contain_text("还没有画出地点")
    await expect(notes).to_have_count(3)
    assert await place_of(bureau, f"仍在原处 {one.number}") is None


async def test_a_place_is_drawn_by_keys_alone(page: Page, bureau: Bureau) -> None:
    one = await walked(bureau, "陈志远")
    form = await begins(page, bureau, one, title=f"键盘 {one.number}")
    await form.get_by_role("button", name="多边形").focus()
    centre = form.get_by_role("button", name="在地图中心加点")
    corner = form.locator(".sketch .corner:focus")
    for steps in (("ArrowLeft", "ArrowUp"), ("ArrowRight", "ArrowUp"), ("ArrowRight", "ArrowDown")):
        await centre.focus()
        await page.keyboard.press("Enter")
        await expect(corner).to_be_visible()
        for step in steps * 6:
            await page.keyboard.press(f"Shift+{step}")
    await page.keyboard.press("Enter")
    await expect(form.locator(".zone-check")).to_contain_text("面积")
    await page.keyboard.press("Control+z")
    await expect(form.locator(".zone-check")).to_be_empty()
    await page.keyboard.press("Control+y")
    await expect(form.locator(".zone-check")).to_contain_text("面积")
    await form.get_by_role("button", name="新建", exact=True).focus()
    await page.keyboard.press("Enter")
    await page.wait_for_function(SHOWN)
    assert len((await place_of(bureau, f"键盘 {one.number}"))["geometry"]["coordinates"][0]) == 4


async def test_what_can_be_no_incident_is_said_in_its_form(page: Page, bureau: Bureau) -> None:
    one = await walked(bureau, "李倩")
    form = await begins(page, bureau, one, title=f"不成 {one.number}")
    make = form.get_by_role("button", name="新建", exact=True)
    problem = form.get_by_role("alert")
    await clicks(page, form, (-120, -70), (120, 70))
    await make.click()
    await expect(problem).to_contain_text("地点还没有画完")
    await clicks(page, form, (120, -70), (-120, 70))
    await form.locator(".sketch .corner").first.click()
    await expect(form.locator(".zone-check")).to_contain_text("自相交")
    first, last = form.get_by_label("开始"), form.get_by_label("结束")
    begin, end = await first.input_value(), await last.input_value()
    await first.fill(end)
    await last.fill(begin)
    await make.click()
    await expect(problem).to_contain_text("结束时间必须晚于开始时间")
    await first.fill(begin)
    await last.fill(end)
    await make.click()
    await expect(page.get_by_role("heading", name=f"不成 {one.number}")).to_be_visible()
    assert (await place_of(bureau, f"不成 {one.number}"))["geometry"]["type"] == "MultiPolygon"


async def test_who_was_here_becomes_an_incident_and_its_place_that_of_another(page: Page, bureau: Bureau) -> None:
    one = await walks_by(bureau, "王强", east=ASIDE_M)
    await opens(page, bureau, east=ASIDE_M)
    await page.keyboard.press("h")
    await page.mouse.click(*await middle(page))
    drawer = await asks(page, "2026-11-22T05:50:00", "2026-11-22T06:30:00")
    await drawer.get_by_role("button", name="建案事件").click()
    form = page.get_by_role("dialog", name="新建案事件")
    await expect(form.locator(".sketch .corner")).to_have_count(1)
    await form.get_by_label("名称").fill(f"谁来过 {one.number}")
    await form.get_by_role("button", name="新建", exact=True).click()
    await page.wait_for_function(SHOWN)
    await expect(page.locator(".incident")).to_contain_text(f"{one.name} {one.number}")
    place = await place_of(bureau, f"谁来过 {one.number}")
    await card(page).get_by_role("button", name="去掉地点").click()
    await card(page).get_by_role("button", name="画出地点").click()
    form = page.get_by_role("dialog", name="编辑")
    await form.get_by_role("button", name="用“谁来过”所画的地点").click()
    await form.get_by_role("button", name="保存").click()
    await page.wait_for_function(SHOWN)
    assert await place_of(bureau, f"谁来过 {one.number}") == place


async def of_squad(bureau: Bureau) -> Account:
    """Somebody who sees the squad and nothing else."""
    account = await bureau.account("supervisor")
    await bureau.rig.connection.execute(
        "update account set unit_id = (select id from unit where name = %s) where username = %s",
        [SQUAD, account.username],
    )
    return account


async def test_an_officer_of_others_comes_into_no_incident(page: Page, bureau: Bureau) -> None:
    one, other = [await walked(bureau, name) for name in ("赵琳", "孙伟")]
    await bureau.rig.connection.execute(
        "update officer set unit_id = (select id from unit where parent_id is null) where id = %s", [other.id]
    )
    await bureau.sign_in(page, await of_squad(bureau), address(one, other))
    await expect(page.get_by_role("alert")).to_contain_text(other.subject)
    await page.get_by_role("button", name="建案事件").click()
    form = page.get_by_role("dialog", name="新建案事件")
    await form.get_by_label("名称").fill(f"外人 {other.number}")
    await form.get_by_role("button", name="新建", exact=True).click()
    await expect(form.get_by_role("alert")).to_contain_text(re.compile(f"找不到.*{other.subject}"))
    assert await bureau.rig.rows("select 1 from incident where title = %s", f"外人 {other.number}") == []
