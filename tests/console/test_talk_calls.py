"""Calls and groups that a desk makes: one officer, those nearest, those in an area, a squad, everybody."""

import time
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.console.bureau import SQUAD, Bureau, Worn
from tests.console.radio import JOINS_MS, another_desk, at_the_radio, hears, made_group, phase, radio
from tests.console.recorder import on_the_air
from tests.integration.ingest_rig import eventually
from tests.talk import Participant, until
from xunlu_protocol.talk import Deny, Idle, Taken

pytestmark = [pytest.mark.console, pytest.mark.integration]


async def answers_call(bureau: Bureau, officer: Participant) -> str:
    """A stand-in without an invitation joins the call, and may press whatever the platform thinks of it."""
    gid = await made_group(bureau, "private", officer.who)
    await officer.tune(gid)
    return gid


async def granted_in(bureau: Bureau, worn: Worn, gids: list[str]) -> None:
    """Wait until the floor log says that a recorder talked in these groups, in this order, and in no others."""

    async def logged() -> bool:
        said = "select gid from floor_entry where who = %s and what = 'granted' order by at"
        return [row["gid"] for row in await bureau.rig.rows(said, worn.did)] == gids

    await eventually(logged)


async def test_an_officer_is_called_from_the_drawer_and_the_desk_is_tuned_as_before_afterwards(
    page: Page, bureau: Bureau
) -> None:
    worn = await bureau.films("赵婷")
    async with radio(bureau, worn) as officer:
        await at_the_radio(page, bureau, f"/?device={worn.did}")
        await page.locator(".right").get_by_role("button", name="呼叫对讲").click()
        await expect(page.locator(".ptt-group")).to_contain_text("– 赵婷", timeout=JOINS_MS)
        await expect(page.locator(".ptt-told")).to_have_text("对方尚未接入，请稍候")
        await answers_call(bureau, officer)
        await expect(page.locator(".ptt-told")).to_be_empty()
        await expect(page.locator(".ptt-key")).to_be_focused()
        await page.keyboard.down("Space")
        await until(lambda: any(hz for _, hz in officer.heard), "the officer heard nothing")
        await page.keyboard.up("Space")
        await page.get_by_role("button", name="结束群组", exact=True).click()
        await expect(page.locator(".ptt-group")).to_contain_text(SQUAD)


async def test_an_officer_who_is_called_answers_with_the_key_of_the_recorder(
    page: Page, bureau: Bureau, tmp_path: Path
) -> None:
    worn = await bureau.worn("吴凯")
    async with on_the_air(bureau, worn, tmp_path) as officer:
        await at_the_radio(page, bureau, f"/?device={worn.did}")
        await page.locator(".right").get_by_role("button", name="呼叫对讲").click()
        await expect(page.locator(".ptt-group")).to_contain_text("– 吴凯", timeout=JOINS_MS)
        call = await made_group(bureau, "private", worn.did)
        await officer.is_called()
        await expect(page.locator(".ptt-told")).to_be_empty()
        officer.press("ptt")
        await hears(page)
        officer.press("ptt_release")
        ended_s = time.monotonic()
        await page.get_by_role("button", name="结束群组", exact=True).click()
        await until(lambda: officer.pieces_at(600, ended_s) >= 4, "no tone says that the call is over")
        officer.press("ptt")
        await hears(page)
        officer.press("ptt_release")
        await granted_in(bureau, worn, [call, await bureau.squad_group()])


async def test_in_a_two_way_call_both_are_heard_at_once_until_it_ends(
    page: Page, bureau: Bureau, tmp_path: Path
) -> None:
    worn = await bureau.worn("周敏")
    async with on_the_air(bureau, worn, tmp_path) as officer:
        await at_the_radio(page, bureau, f"/?device={worn.did}")
        await page.locator(".right").get_by_role("button", name="双工通话").click()
        await expect(page.locator(".ptt-key")).to_contain_text("打开麦克风", timeout=JOINS_MS)
        await officer.is_called()
        await expect(page.locator(".ptt-told")).to_be_empty()
        await page.keyboard.press("Space")
        await phase(page, "talking")
        await expect(page.locator(".ptt-key")).to_contain_text("关闭麦克风")
        officer.press("ptt")
        await hears(page)
        answered_s = time.monotonic()
        await until(lambda: officer.heard_since(answered_s) > 0, "the officer heard nothing")
        await hears(page)
        await phase(page, "talking")
        await page.get_by_role("button", name="结束群组", exact=True).click()
        await expect(page.locator(".ptt-group")).to_contain_text(SQUAD)
        await phase(page, "ready")
        await expect(page.get_by_role("meter")).to_be_hidden()


async def test_a_two_way_call_that_another_desk_ends_closes_the_microphone(page: Page, bureau: Bureau) -> None:
    worn = await bureau.films("王磊")
    async with radio(bureau, worn) as officer:
        await at_the_radio(page, bureau, f"/?device={worn.did}")
        await page.locator(".right").get_by_role("button", name="双工通话").click()
        gid = await answers_call(bureau, officer)
        await expect(page.locator(".ptt-key")).to_be_focused()
        await page.keyboard.press("Space")
        await phase(page, "talking")
        async with another_desk(page, bureau) as desk:
            assert (await desk.delete(f"talk/groups/{gid}")).ok
        await phase(page, "ready")
        await expect(page.locator(".ptt-group")).to_contain_text(SQUAD)


@pytest.mark.parametrize("view", ["/wall?grid=4&show={did}", "/?device={did}"], ids=["wall", "drawer"])
async def test_a_live_tile_calls_its_officer_and_then_is_a_key_to_hold(page: Page, bureau: Bureau, view: str) -> None:
    worn = await bureau.films("李倩")
    async with radio(bureau, worn) as officer:
        await at_the_radio(page, bureau, view.format(did=worn.did))
        if view.startswith("/?"):
            await page.get_by_role("button", name="实时画面").click()
        tools = page.locator(".picture").get_by_role("toolbar")
        await page.locator(".picture").hover()
        await tools.get_by_role("button", name="呼叫对讲").click()
        gid = await answers_call(bureau, officer)
        key = tools.get_by_role("button", name="按住说话")
        await key.hover()
        await page.mouse.down()
        await phase(page, "talking")
        await expect(tools.get_by_role("button", name="正在讲话")).to_have_attribute("aria-pressed", "true")
        await until(lambda: any(hz for _, hz in officer.heard), "the officer heard nothing")
        await page.mouse.up()
        await phase(page, "ready")
        await officer.press(gid)
        await expect(page.locator(".picture").get_by_title("讲话")).to_be_visible()
        await officer.let_go(gid)
        await expect(page.locator(".picture").get_by_title("讲话")).to_have_count(0)
        rows = await bureau.rig.rows("select 1 from talk_group_member where person = %s", worn.did)
        assert len(rows) == 1


async def standing_at(bureau: Bureau, name: str, north: float) -> Worn:
    """An officer on the map, so many degrees north of its middle."""
    worn = await bureau.worn(name)
    await bureau.stands(worn, 31.2304 + north, 121.4737)
    return worn


async def test_so_many_of_those_nearest_to_a_place_become_a_group(page: Page, bureau: Bureau) -> None:
    worn = [await standing_at(bureau, name, n / 100) for n, name in enumerate(("胡斌", "高翔", "林峰"))]
    await at_the_radio(page, bureau)
    for one in worn:
        await expect(page.locator(".officer", has_text=one.number)).to_contain_text("在岗")
    await page.locator(".officer", has_text=worn[0].number).click()
    await expect(page.locator(".right .who")).to_contain_text(worn[0].number)
    await page.keyboard.press("n")
    await expect(page.locator(".gathered li")).to_have_count(2)
    await page.get_by_role("button", name="建临时组").click()
    await expect(page.get_by_label("人数")).to_have_value("2")
    await page.get_by_label("人数").fill("1")
    await expect(page.get_by_label("群组名称")).to_have_value("临时组 1 人")
    await page.get_by_label("群组名称").fill("增援一组")
    await page.get_by_role("button", name="新建").click()
    await expect(page.locator(".ptt-group")).to_contain_text("增援一组", timeout=JOINS_MS)
    rows = await bureau.rig.rows(
        "select person from talk_group g join talk_group_member m using (gid)"
        " where name = '增援一组' and not person ^@ 'u-'"
    )
    assert [row["person"] for row in rows] == [worn[1].did]


@pytest.mark.parametrize(
    ("tool", "path"),
    [("x", [(650, 330), (1250, 750)]), ("q", [(650, 200), (650, 750), (1250, 750)])],
    ids=["box", "lasso"],
)
async def test_a_broadcast_to_an_area_is_heard_and_not_answered(
    page: Page, bureau: Bureau, tool: str, path: list[tuple[int, int]]
) -> None:
    worn, outside = await standing_at(bureau, "孙浩", 0), await standing_at(bureau, "郭涛", 0.008)
    async with radio(bureau, worn) as officer:
        await at_the_radio(page, bureau)
        for one in (worn, outside):
            await expect(page.locator(".officer", has_text=one.number)).to_contain_text("在岗")
        await page.keyboard.press(tool)
        await page.mouse.move(*path[0])
        await page.mouse.down()
        for corner in path[1:]:
            await page.mouse.move(*corner, steps=4)
        await page.mouse.up()
        await expect(page.locator(".gathered")).to_contain_text(worn.number)
        await expect(page.locator(".gathered")).not_to_contain_text(outside.number)
        await page.get_by_role("button", name="广播").click()
        await page.get_by_role("button", name="新建").click()
        gid = await made_group(bureau, "broadcast", worn.did)
        await officer.tune(gid)
        await expect(page.locator(".ptt-listeners")).to_have_text("2 人", timeout=JOINS_MS)
        await officer.press(gid)
        await officer.told(Deny, cause="receive_only")
        await officer.let_go(gid)
        await expect(page.locator(".ptt-key")).to_be_focused()
        await page.keyboard.down("Space")
        await officer.told(Taken, gid=gid)
        await until(lambda: any(hz for _, hz in officer.heard), "the officer heard nothing")
        await page.keyboard.up("Space")
        await officer.told(Idle)


@pytest.mark.parametrize("unit", [SQUAD, "main"])
async def test_a_broadcast_goes_to_a_squad_or_to_everybody(page: Page, bureau: Bureau, unit: str) -> None:
    worn = await bureau.worn("何雪")
    await at_the_radio(page, bureau)
    await page.locator(".ptt-group").click()
    await page.get_by_role("button", name="新建群组").click()
    await page.locator("select[name=units]").select_option(label=f"\u2007\u2007{SQUAD}" if unit == SQUAD else unit)
    await expect(page.get_by_label("群组名称")).to_have_value(f"广播 · {unit}")
    await page.get_by_role("button", name="新建", exact=True).click()
    await expect(page.locator(".ptt-group")).to_contain_text(f"广播 · {unit}", timeout=JOINS_MS)
    await expect(page.get_by_role("dialog")).to_have_count(0)
    rows = await bureau.rig.rows("select gid from talk_group where name = %s", f"广播 · {unit}")
    gid = rows[0]["gid"]
    async with radio(bureau, worn) as officer:
        await officer.tune(gid)
        await expect(page.locator(".ptt-listeners")).to_have_text("2 人")
        await page.locator(".ptt-key").focus()
        await page.keyboard.down("Space")
        await officer.told(Taken, gid=gid)
        await page.keyboard.up("Space")
    await page.get_by_role("button", name="结束群组", exact=True).click()
    await expect(page.locator(".ptt-group")).to_contain_text(SQUAD)
