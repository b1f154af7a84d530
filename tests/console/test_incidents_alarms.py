"""An alarm becomes an incident by one press, and stays one."""

from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.console.bureau import Bureau, Worn
from tests.integration.ingest_rig import eventually, now_s
from xunlu_protocol.event import Event

pytestmark = [pytest.mark.console, pytest.mark.integration]


def strip(page: Page) -> Locator:
    return page.get_by_role("region", name="告警")


async def incidents_of(bureau: Bureau, worn: Worn) -> list[dict[str, Any]]:
    return await bureau.rig.rows(
        "select i.*, a.raised_at from incident i join alarm a on a.id = i.alarm_id join device d on d.id = a.device_id"
        " where d.did = %s",
        worn.did,
    )


async def test_an_alarm_becomes_one_incident_with_officer_time_and_place_however_often_it_is_pressed(
    page: Page, bureau: Bureau
) -> None:
    worn = await bureau.worn("李倩")
    await bureau.stands(worn, 31.2275, 121.4760)
    await eventually(lambda: bureau.rig.positions(worn.did))
    await bureau.presses_sos(worn)
    await bureau.sign_in(page, await bureau.account("dispatcher"))
    await expect(strip(page)).to_contain_text(worn.name)
    await page.keyboard.press("i")
    await page.keyboard.press("i")
    await expect(page.get_by_role("heading", name=f"一键报警 {worn.name} {worn.number}")).to_be_visible()
    await expect(page.get_by_role("link", name="来自告警")).to_be_visible()
    first = page.url
    await page.goto(bureau.api.url)
    await strip(page).get_by_role("button", name="建案事件").dblclick()
    await expect(page).to_have_url(first)
    await page.get_by_role("link", name="来自告警").click()
    await page.get_by_role("row", name=worn.number).get_by_role("button", name="建案事件").click()
    await expect(page).to_have_url(first)
    [made] = await incidents_of(bureau, worn)
    assert (made["began_at"], made["ended_at"]) == (
        made["raised_at"] - timedelta(minutes=15), made["raised_at"] + timedelta(minutes=45)
    )  # fmt: skip
    [bound] = await bureau.rig.rows("select id from officer where number = %s", worn.number)
    assert made["subjects"] == [f"o{bound['id']}"]
    assert made["place"]["geometry"]["coordinates"] == pytest.approx([121.4760, 31.2275], abs=1e-6)


async def test_a_fall_without_a_fix_becomes_one_without_a_place(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("王强")
    await bureau.rig.publish(worn.did, "evt", Event(tst=now_s(), sid=1, seq=7).encode(), "fall")
    await bureau.sign_in(page, await bureau.account("evidence"))
    await strip(page).get_by_role("button", name="建案事件").click()
    await expect(page.get_by_role("heading", name=worn.number)).to_be_visible()
    await expect(page.get_by_role("region", name="地点")).to_contain_text("还没有画出地点")


async def test_who_keeps_no_incidents_is_not_offered_one(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("孙伟")
    await bureau.presses_sos(worn)
    await bureau.sign_in(page, await bureau.account("auditor"))
    await expect(strip(page)).to_contain_text(worn.name)
    await expect(strip(page).get_by_role("button", name="建案事件")).to_have_count(0)
    await page.keyboard.press("i")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).not_to_contain_text("建案事件")
    assert await incidents_of(bureau, worn) == []
