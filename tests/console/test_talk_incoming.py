"""Calls that come in at a desk and on a telephone: heard at once, answered by one press, left when they end."""

import pytest
from playwright.async_api import Page, expect

from tests.console.bureau import SQUAD, Bureau
from tests.console.handset import Handset
from tests.console.radio import JOINS_MS, WITNESS, another_desk, at_the_radio, hears, made_group, phase, radio
from tests.talk import until
from xunlu_protocol.talk import Taken

pytestmark = [pytest.mark.console, pytest.mark.integration]

CALL = [659, 880, 659, 880, 659, 880]


async def account_of(bureau: Bureau, number: str) -> str:
    """An officer as a participant of the radio net."""
    rows = await bureau.rig.rows(
        "select 'u-' || a.id as person from account a join officer o on o.id = a.officer_id where o.number = %s", number
    )
    return str(rows[0]["person"])


async def test_a_desk_hears_an_sos_at_once_and_one_key_answers_it(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("周敏")
    async with radio(bureau, worn) as officer:
        await at_the_radio(page, bureau)
        await bureau.presses_sos(worn)
        call = page.locator(".calls .row")
        await expect(call).to_contain_text("SOS 周敏", timeout=JOINS_MS)
        await expect(call).to_contain_text("紧急组")
        await page.wait_for_function("wanted => tones.join().includes(wanted)", arg=",".join(map(str, CALL)))
        gid = await made_group(bureau, "emergency", worn.did)
        await officer.tune(gid)
        await officer.press(gid)
        await hears(page)
        await officer.let_go(gid)
        await expect(page.locator(".ptt-group")).to_contain_text(SQUAD)
        await page.keyboard.press("j")
        await expect(page.locator(".ptt-group")).to_contain_text("SOS 周敏")
        await expect(call).to_have_count(0)
        await expect(page.locator(".ptt-key")).to_be_focused()
        await page.keyboard.down("Space")
        await phase(page, "talking")
        await officer.told(Taken, gid=gid)
        await until(lambda: any(hz for _, hz in officer.heard), "the officer heard nothing")
        await page.keyboard.up("Space")
        await page.get_by_role("button", name="结束群组", exact=True).click()
        await expect(page.locator(".ptt-group")).to_contain_text(SQUAD)


async def test_a_call_that_nobody_answered_goes_when_it_ends_and_that_is_told(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("王磊")
    await at_the_radio(page, bureau)
    await bureau.presses_sos(worn)
    call = page.locator(".calls .row")
    await expect(call).to_contain_text("SOS 王磊", timeout=JOINS_MS)
    gid = await made_group(bureau, "emergency", worn.did)
    async with another_desk(page, bureau) as desk:
        assert (await desk.delete(f"talk/groups/{gid}")).ok
    await expect(call).to_have_count(0)
    await expect(page.locator(".toast", has_text="SOS 王磊 已结束")).to_be_visible()
    await expect(page.get_by_role("button", name="扫描 0 组")).to_be_visible()


async def test_whoever_ignores_a_call_still_hears_it(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("李倩")
    async with radio(bureau, worn) as officer:
        await at_the_radio(page, bureau)
        await bureau.presses_sos(worn)
        await page.locator(".calls").get_by_role("button", name="不接听").click()
        await expect(page.locator(".calls .row")).to_have_count(0)
        await expect(page.locator(".ptt-group")).to_contain_text(SQUAD)
        gid = await made_group(bureau, "emergency", worn.did)
        await officer.tune(gid)
        await officer.press(gid)
        await expect(page.locator(".ptt-who")).to_contain_text("SOS 李倩")
        await hears(page)
        await page.reload()
        await phase(page, "ready")
        await expect(page.locator(".calls .row")).to_have_count(0)
        await hears(page)
        await officer.let_go(gid)


async def test_a_telephone_rings_answers_by_one_press_and_goes_back_when_the_call_ends(
    page: Page, bureau: Bureau, handset: Handset
) -> None:
    phone = handset.page
    await expect(phone.locator(".phone")).to_have_attribute("data-phase", "ready", timeout=JOINS_MS)
    who = await account_of(bureau, handset.number)
    await at_the_radio(page, bureau)
    async with another_desk(page, bureau) as desk:
        call = {"kind": "private", "members": [who], "name": "指挥长 – 何雪"}
        gid = (await (await desk.post("talk/groups", data=call)).json())["gid"]
        row = phone.locator(".calls .row")
        await expect(row).to_contain_text("指挥长 – 何雪", timeout=JOINS_MS)
        await row.get_by_role("button", name="接听", exact=True).click()
        await expect(phone.locator(".phone-group")).to_contain_text("指挥长 – 何雪")
        await expect(row).to_have_count(0)
        await phone.locator(".phone-key").hover()
        await phone.mouse.down()
        await expect(phone.locator(".ptt-told")).to_contain_text("组内没有其他人在线")
        await phone.mouse.up()
        assert (await desk.delete(f"talk/groups/{gid}")).ok
    await expect(phone.locator(".phone-group")).to_contain_text(SQUAD)
    await expect(phone.locator(".toast")).to_contain_text("指挥长 – 何雪 已结束")


async def test_a_desk_that_calls_a_telephone_is_heard_before_anybody_touches_it(
    page: Page, bureau: Bureau, handset: Handset
) -> None:
    phone = handset.page
    await phone.add_init_script(WITNESS)
    await phone.reload()
    await expect(phone.locator(".phone")).to_have_attribute("data-phase", "ready", timeout=JOINS_MS)
    await bureau.sign_in(page, await bureau.account("dispatcher"))
    await phase(page, "ready")
    await page.get_by_role("row", name=handset.number).click()
    await page.locator(".right").get_by_role("button", name="呼叫对讲").click()
    await expect(page.locator(".ptt-group")).to_contain_text("何雪", timeout=JOINS_MS)
    await expect(page.locator(".calls .row")).to_have_count(0)
    await expect(phone.locator(".calls .row")).to_be_visible()
    await expect(page.locator(".ptt-told")).to_be_empty()
    await page.keyboard.down("Space")
    await phase(page, "talking")
    await hears(phone)
    await page.keyboard.up("Space")


async def test_a_broadcast_is_heard_on_a_telephone_and_only_taken_note_of(
    page: Page, bureau: Bureau, handset: Handset
) -> None:
    phone = handset.page
    await expect(phone.locator(".phone")).to_have_attribute("data-phase", "ready", timeout=JOINS_MS)
    who = await account_of(bureau, handset.number)
    async with another_desk(page, bureau) as desk:
        spread = {"kind": "broadcast", "members": [who], "name": "台风预警"}
        assert (await desk.post("talk/groups", data=spread)).ok
    row = phone.locator(".calls .row")
    await expect(row).to_contain_text("台风预警", timeout=JOINS_MS)
    await row.get_by_role("button", name="知道了").click()
    await expect(row).to_have_count(0)
    await expect(phone.locator(".phone-group")).to_contain_text(SQUAD)
