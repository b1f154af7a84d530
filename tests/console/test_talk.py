"""The radio net at the desk and on a telephone: the key, who speaks, the line; orders by text."""

import json

import pytest
from playwright.async_api import Page, expect

from tests.console.bureau import Bureau
from tests.console.dead_spot import dead_spot
from tests.console.radio import HEARD, JOINS_MS, at_the_radio, radio
from tests.integration.ingest_rig import now_s
from tests.talk import Participant, until
from xunlu_protocol.command import Reply
from xunlu_protocol.talk import Granted, Idle, Revoke, Taken

pytestmark = [pytest.mark.console, pytest.mark.integration]


async def test_whoever_holds_the_space_bar_is_heard_until_it_is_let_go(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("周敏")
    bar = page.locator(".ptt")
    async with radio(bureau, worn) as officer:
        await at_the_radio(page, bureau)
        await expect(bar).to_contain_text("2 人")
        await page.locator("body").click(position={"x": 700, "y": 450})
        await page.keyboard.down("Space")
        await expect(bar).to_have_attribute("data-phase", "talking")
        await expect(bar).to_contain_text("剩余")
        await officer.told(Taken)
        await until(lambda: any(hz for _, hz in officer.heard), "the officer heard nothing")
        await page.keyboard.up("Space")
        await expect(bar).to_have_attribute("data-phase", "ready")
        await officer.told(Idle)


async def test_an_emergency_goes_before_a_talker_of_any_priority(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("吴杰")
    gid = await bureau.squad_group()
    async with radio(bureau, worn) as officer:
        await at_the_radio(page, bureau)
        await officer.press(gid)
        await officer.told(Granted)
        await page.keyboard.down("Shift")
        await page.keyboard.down("Space")
        await officer.told(Revoke, cause="preempted")
        await officer.told(Taken, urgency=2)
        await page.keyboard.up("Space")
        await page.keyboard.up("Shift")
        await officer.told(Idle)


async def test_who_speaks_is_seen_in_the_bar_and_in_the_table_and_heard(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("陈志远")
    gid = await bureau.squad_group()
    async with radio(bureau, worn) as officer:
        await at_the_radio(page, bureau)
        before = await page.evaluate(HEARD)
        await officer.press(gid)
        await officer.told(Granted)
        await expect(page.locator(".ptt-who")).to_contain_text(f"陈志远 {worn.number} 正在讲话")
        await expect(page.locator(".top .radio")).to_have_text("陈志远")
        await expect(page.locator(".officer", has_text=worn.number)).to_contain_text("讲话")
        await page.wait_for_function(f"async () => await ({HEARD})() > {before} + 0.001")
        await officer.let_go(gid)
        await expect(page.locator(".ptt-who")).to_be_empty()
        await expect(page.locator(".officer", has_text=worn.number)).not_to_contain_text("讲话")


async def test_a_dispatcher_barges_in_and_takes_down(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("王磊")
    gid = await bureau.squad_group()
    key = page.locator(".ptt-key")
    async with radio(bureau, worn) as officer:
        await at_the_radio(page, bureau)
        await officer.press(gid)
        await officer.told(Granted)
        await expect(key).to_contain_text("按住强插")
        await key.hover()
        await page.mouse.down()
        await officer.told(Revoke, cause="preempted")
        await expect(page.locator(".ptt")).to_have_attribute("data-phase", "talking")
        await page.mouse.up()
        await officer.told(Idle)
        await officer.let_go(gid)
        other = Participant(bureau.talk, (await bureau.worn("李倩")).did, claims={"path": "/"})
        await other.join(gid)
        await other.press(gid)
        await other.told(Granted)
        await page.get_by_role("button", name="强拆").click()
        await other.told(Revoke, cause="taken_down")
        await other.close()


async def test_the_space_bar_writes_in_a_text_field_and_a_page_that_loses_the_keyboard_lets_go(
    page: Page, bureau: Bureau
) -> None:
    bar = page.locator(".ptt")
    async with radio(bureau, await bureau.worn("沈岩")):
        await at_the_radio(page, bureau)
        await page.get_by_role("searchbox").or_(page.locator(".search input")).first.click()
        await page.keyboard.type("a b")
        await expect(bar).to_have_attribute("data-phase", "ready")
        await expect(page.locator(".search input")).to_have_value("a b")
        await page.locator(".ptt-told").evaluate("() => document.activeElement.blur()")
        await page.keyboard.down("Space")
        await expect(bar).to_have_attribute("data-phase", "talking")
        await page.evaluate("window.dispatchEvent(new Event('blur'))")
        await expect(bar).to_have_attribute("data-phase", "ready")
        await page.keyboard.up("Space")


async def test_a_desk_whose_line_is_cut_comes_back_by_itself_tuned_as_before(page: Page, bureau: Bureau) -> None:
    line = await dead_spot(page, "/ptt")
    await at_the_radio(page, bureau)
    await line.drop()
    await until(lambda: line.carried == 2, "it did not come back")
    await expect(page.locator(".ptt")).to_have_attribute("data-phase", "ready", timeout=JOINS_MS)
    await expect(page.locator(".ptt-group")).to_have_text("群组东街中队")


async def test_an_order_says_whether_it_was_delivered_and_read_aloud(page: Page, bureau: Bureau) -> None:
    worn = await bureau.worn("陈志远")
    await bureau.sign_in(page, await bureau.account("dispatcher"), f"/?device={worn.did}")
    await page.get_by_role("button", name="发指令").click()
    await page.get_by_label("内容").fill("请到南京东路增援")
    await page.get_by_role("button", name="发送").click()
    await expect(page.locator(".toast")).to_contain_text("指令已发出")
    rid = await bureau.command(worn, "say_text")
    await page.goto(f"{bureau.api.url}/talk/orders")
    row = page.locator(".listing tbody tr", has_text="请到南京东路增援")
    await expect(row).to_contain_text("陈志远")
    await bureau.answers(worn, rid, Reply(st="done", tst=now_s()))
    await expect(row).to_contain_text("已读", timeout=15_000)


async def test_the_page_of_a_telephone_can_be_installed_and_keeps_only_static_files(page: Page, bureau: Bureau) -> None:
    number = await bureau.officer("赵婷")
    await bureau.sign_in(page, await bureau.account("officer", number=number), "/phone")
    await expect(page.locator(".phone-key")).to_be_visible()
    await expect(page.locator(".top")).to_have_count(0)
    address = await page.locator('link[rel="manifest"]').get_attribute("href")
    manifest = json.loads(await (await page.request.get(f"{bureau.api.url}{address}")).text())
    assert (manifest["start_url"], manifest["display"]) == ("/phone", "standalone")
    await page.evaluate("navigator.serviceWorker.ready")
    await page.reload()
    await expect(page.locator(".phone-key")).to_be_visible()
    kept = await page.evaluate(
        "async () => (await Promise.all((await caches.keys()).map(async name =>"
        " (await (await caches.open(name)).keys()).map(({url}) => new URL(url).pathname)))).flat()"
    )
    assert "/phone" in kept
    assert all(path == "/phone" or path.startswith("/static/") for path in kept)


async def test_a_telephone_talks_with_its_large_key(page: Page, bureau: Bureau) -> None:
    worn, number = await bureau.worn("何雪"), await bureau.officer("孙浩")
    async with radio(bureau, worn) as officer:
        await bureau.sign_in(page, await bureau.account("officer", number=number), "/phone")
        phone = page.locator(".phone")
        await expect(phone).to_have_attribute("data-phase", "ready", timeout=JOINS_MS)
        await expect(phone).to_contain_text("东街中队")
        await page.locator(".phone-key").hover()
        await page.mouse.down()
        await expect(phone).to_have_attribute("data-phase", "talking")
        await until(lambda: any(hz for _, hz in officer.heard), "the officer heard nothing")
        await page.mouse.up()
        await officer.told(Idle)
